// breaks: room-actions
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
