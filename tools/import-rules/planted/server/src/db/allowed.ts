// Allowed: all that db/ may know.
import { runtimeThing } from '../runtime/thing.ts';

export const known = [runtimeThing];
