// breaks: room-inbound
import type { NetThing } from '../net/thing.ts';

export type Known = NetThing;
