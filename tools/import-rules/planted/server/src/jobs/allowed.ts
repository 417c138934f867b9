// Allowed: all that jobs/ may know.
import { actionsThing } from '../actions/thing.ts';
import { domainThing } from '../domain/thing.ts';
import { runtimeThing } from '../runtime/thing.ts';
import { signalsThing } from '../signals/thing.ts';
import { storeThing } from '../store/things.read.ts';
import type { DbThing } from '../db/thing.ts';
import type { ChannelsThing } from '../channels/whatsapp/thing.ts';
import type { OutsideThing } from '../outside/thing.ts';

export const known = [actionsThing, signalsThing, storeThing, domainThing, runtimeThing];
export type Known = DbThing | ChannelsThing | OutsideThing;
