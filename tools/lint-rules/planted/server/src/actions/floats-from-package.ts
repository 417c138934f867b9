// breaks: no-floating-promises
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

export function go(pool: Pool): void {
  sleep(1);
  pool.query('select 1');
}
