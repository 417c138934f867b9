// breaks: no-misused-promises
import { later } from '../db/later.ts';

export function go(): number {
  if (later()) return 1;
  return 2;
}
