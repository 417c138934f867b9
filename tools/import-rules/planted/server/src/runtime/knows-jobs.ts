// breaks: room-runtime
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
