// Allowed: all that net/ may know.
import { runtimeThing } from '../runtime/thing.ts';

export const known = [runtimeThing];
