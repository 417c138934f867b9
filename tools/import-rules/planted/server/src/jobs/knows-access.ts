// breaks: room-jobs
import { accessThing } from '../access/thing.ts';

export const known = accessThing;
