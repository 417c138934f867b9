// breaks: no-misused-promises
import { later } from '../db/later.ts';

export function go(list: number[]): void {
  list.forEach(async () => {
    await later();
  });
}
