// breaks: room-channels
import { jobsThing } from '../../jobs/thing.ts';

export const known = jobsThing;
