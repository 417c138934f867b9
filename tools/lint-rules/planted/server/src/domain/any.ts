// breaks: noExplicitAny
export type List = any;
