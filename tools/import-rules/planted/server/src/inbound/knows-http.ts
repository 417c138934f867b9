// breaks: entry-rooms-apart
import type { HttpThing } from '../http/thing.ts';

export type Known = HttpThing;
