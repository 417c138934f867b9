// breaks: useFilenamingConvention
export const value = 1;
