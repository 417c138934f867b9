// breaks: no-barrels
import { barrel } from './signals/index.ts';

export const known = barrel;
