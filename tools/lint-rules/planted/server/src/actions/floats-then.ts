// breaks: no-floating-promises
import { later } from '../db/later.ts';

export function go(): void {
  later().then(() => 1);
}
