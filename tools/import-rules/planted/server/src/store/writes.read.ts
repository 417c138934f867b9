// breaks: reads-do-not-write
import { writeThing } from './things.write.ts';

export const written = writeThing;
