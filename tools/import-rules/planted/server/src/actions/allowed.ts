// Allowed: all that actions/ may know.
import { dbThing } from '../db/thing.ts';
import { domainThing } from '../domain/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';
import { signalsThing } from '../signals/thing.ts';
import { storeThing } from '../store/things.read.ts';

export const known = [storeThing, signalsThing, dbThing, domainThing, runtimeThing];
