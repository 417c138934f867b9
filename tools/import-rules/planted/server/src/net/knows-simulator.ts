// breaks: server-knows-no-simulator
import { simulatorThing } from '../../../simulator/src/thing.ts';

export const known = simulatorThing;
