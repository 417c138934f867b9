// breaks: sources-know-no-tools
import { tested } from '../test/thing.ts';

export const known = tested;
