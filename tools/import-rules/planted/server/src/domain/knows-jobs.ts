// breaks: room-domain
import { jobsThing } from '../jobs/thing.ts';

export const known = jobsThing;
