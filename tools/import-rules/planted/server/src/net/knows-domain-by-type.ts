// breaks: room-net
import type { DomainThing } from '../domain/thing.ts';

export type Known = DomainThing;
