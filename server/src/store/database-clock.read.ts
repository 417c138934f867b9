import type { Queryable } from '../db/pool.ts';

const find = { name: 'clock_find', text: 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now' };

/** What time it is by the database's clock, which decides what is due: milliseconds since 1970. */
export async function findNow(tx: Queryable): Promise<number> {
  const [row] = await tx.query<{ now: number }>(find);
  if (!row) throw new Error('a select without a table gave no row');
  return row.now;
}
