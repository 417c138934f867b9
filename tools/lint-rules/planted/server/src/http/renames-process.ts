// breaks: plugin
const program = process;

export const value = program;
