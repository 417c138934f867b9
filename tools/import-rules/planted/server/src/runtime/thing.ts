export type RuntimeThing = 'runtime';
export const runtimeThing: RuntimeThing = 'runtime';
