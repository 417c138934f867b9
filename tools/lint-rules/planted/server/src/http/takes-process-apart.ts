// breaks: plugin
const { env, pid } = process;

export const value = [env, pid];
