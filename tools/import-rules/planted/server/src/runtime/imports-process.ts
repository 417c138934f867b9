// breaks: environment-in-one-place
import { env } from 'node:process';

export const used = env;
