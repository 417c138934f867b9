// breaks: no-floating-promises
import type { Db } from '../db/later.ts';

export function go(db: Db): void {
  db.query('select 1');
}
