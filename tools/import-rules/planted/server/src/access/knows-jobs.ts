// breaks: room-access
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
