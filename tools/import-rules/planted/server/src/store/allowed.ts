// Allowed: all that store/ may know.
import { dbThing } from '../db/thing.ts';
import { domainThing } from '../domain/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';

export const known = [dbThing, domainThing, runtimeThing];
