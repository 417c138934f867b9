// breaks: nobody-imports-programs
import { started } from '../main.ts';

export const known = started;
