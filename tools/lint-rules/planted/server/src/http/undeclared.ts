// breaks: noUndeclaredDependencies
import 'express';

export const value = 1;
