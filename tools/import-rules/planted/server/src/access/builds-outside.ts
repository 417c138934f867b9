// breaks: contract-access
import { outsideThing } from '../outside/thing.ts';

export const built = outsideThing;
