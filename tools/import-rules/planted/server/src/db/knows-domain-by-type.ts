// breaks: room-db
import type { DomainThing } from '../domain/thing.ts';

export type Known = DomainThing;
