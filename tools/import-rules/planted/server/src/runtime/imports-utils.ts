// breaks: names-say-something
import { nothing } from './utils.ts';

export const known = nothing;
