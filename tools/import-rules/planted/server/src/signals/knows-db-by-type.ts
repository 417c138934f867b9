// breaks: room-signals
import type { DbThing } from '../db/thing.ts';

export type Known = DbThing;
