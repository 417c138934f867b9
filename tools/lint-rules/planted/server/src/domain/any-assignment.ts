// breaks: no-unsafe-assignment
export const value = JSON.parse('1');
