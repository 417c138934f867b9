// breaks: room-store
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
