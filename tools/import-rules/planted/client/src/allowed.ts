import { clientThing } from './thing.ts';

export const known = clientThing;
