// breaks: simulator-knows-no-server
import type { DomainThing } from '../../server/src/domain/thing.ts';

export type Known = DomainThing;
