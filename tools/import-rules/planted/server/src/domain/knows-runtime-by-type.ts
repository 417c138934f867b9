// breaks: room-domain
import type { RuntimeThing } from '../runtime/thing.ts';

export type Known = RuntimeThing;
