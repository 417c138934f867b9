// Allowed: an action writes.
import { writeThing } from '../store/things.write.ts';

export const written = writeThing;
