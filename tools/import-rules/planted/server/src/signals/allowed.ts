// Allowed: all that signals/ may know.
import { domainThing } from '../domain/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';

export const known = [domainThing, runtimeThing];
