// breaks: room-inbound
import { accessThing } from '../access/thing.ts';

export const known = accessThing;
