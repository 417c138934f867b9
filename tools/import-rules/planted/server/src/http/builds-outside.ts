// breaks: contract-http
import { outsideThing } from '../outside/thing.ts';

export const built = outsideThing;
