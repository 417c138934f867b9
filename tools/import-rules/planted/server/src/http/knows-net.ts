// breaks: room-http
import { netThing } from '../net/thing.ts';

export const known = netThing;
