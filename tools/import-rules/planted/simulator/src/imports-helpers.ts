// breaks: names-say-something
import { nothing } from './helpers/thing.ts';

export const known = nothing;
