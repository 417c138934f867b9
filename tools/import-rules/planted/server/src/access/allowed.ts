// Allowed: all that access/ may know.
import { domainThing } from '../domain/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';
import { storeThing } from '../store/things.read.ts';
import type { DbThing } from '../db/thing.ts';
import type { OutsideThing } from '../outside/thing.ts';

export const known = [storeThing, domainThing, runtimeThing];
export type Known = DbThing | OutsideThing;
