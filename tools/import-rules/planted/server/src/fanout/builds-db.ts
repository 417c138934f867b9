// breaks: contract-fanout
import { dbThing } from '../db/thing.ts';

export const built = dbThing;
