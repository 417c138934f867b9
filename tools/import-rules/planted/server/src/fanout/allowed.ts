// Allowed: all that fanout/ may know.
import { accessThing } from '../access/thing.ts';
import { actionsThing } from '../actions/thing.ts';
import { domainThing } from '../domain/thing.ts';
import { netThing } from '../net/thing.ts';
import { outsideThing } from '../outside/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';
import { signalsThing } from '../signals/thing.ts';
import { storeThing } from '../store/things.read.ts';
import type { DbThing } from '../db/thing.ts';

export const known = [actionsThing, accessThing, signalsThing, storeThing, outsideThing, netThing, domainThing, runtimeThing];
export type Known = DbThing;
