// breaks: entry-rooms-apart
import { dispatchThing } from '../dispatch/thing.ts';

export const known = dispatchThing;
