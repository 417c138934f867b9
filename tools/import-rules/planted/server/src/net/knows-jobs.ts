// breaks: room-net
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
