// breaks: sources-know-no-tools
import { benchThing } from '../../../bench/src/thing.ts';

export const known = benchThing;
