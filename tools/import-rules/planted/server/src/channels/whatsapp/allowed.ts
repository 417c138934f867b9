// Allowed: all that channels/ may know.
import { domainThing } from '../../domain/thing.ts';
import { netThing } from '../../net/thing.ts';
import { runtimeThing } from '../../runtime/thing.ts';

export const known = [netThing, domainThing, runtimeThing];
