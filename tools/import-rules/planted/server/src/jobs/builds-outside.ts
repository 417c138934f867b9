// breaks: contract-jobs
import { outsideThing } from '../outside/thing.ts';

export const built = outsideThing;
