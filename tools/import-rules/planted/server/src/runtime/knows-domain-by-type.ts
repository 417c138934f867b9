// breaks: room-runtime
import type { DomainThing } from '../domain/thing.ts';

export type Known = DomainThing;
