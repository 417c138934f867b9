// breaks: nobody-imports-programs
import { command } from '../cli/main.ts';

export const known = command;
