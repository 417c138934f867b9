// Allowed: the program asks boot/ for its parts.
import { bootThing } from './boot/thing.ts';

export const started = bootThing.length > 0;
