// breaks: room-signals
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
