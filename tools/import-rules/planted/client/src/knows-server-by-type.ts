// breaks: client-stands-alone
import type { DomainThing } from '../../server/src/domain/thing.ts';

export type Known = DomainThing;
