// breaks: room-dispatch
import { accessThing } from '../access/thing.ts';

export const known = accessThing;
