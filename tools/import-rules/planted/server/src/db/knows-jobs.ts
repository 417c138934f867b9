// breaks: room-db
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
