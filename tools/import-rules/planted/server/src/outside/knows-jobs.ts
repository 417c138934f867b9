// breaks: room-outside
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
