// breaks: only-actions-write
import { writeThing } from '../store/things.write.ts';

export const known = writeThing;
