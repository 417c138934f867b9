// breaks: room-actions
import type { NetThing } from '../net/thing.ts';

export type Known = NetThing;
