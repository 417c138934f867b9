import type { Db } from '../src/db/pool.ts';
import { until } from './until.ts';

/**
 * Waits until what was committed before the call is read from the log, and stays so. The log is read below every transaction that may be
 * of this database. One of another test's database that ends between a reader's snapshot and its look at who is at work may be one, so
 * that the end of the log goes back for that one reading: there must be none below but what takes long, as making a database does.
 */
export async function logReadable(db: Db): Promise<void> {
  const [marker] = await db.query<{ xid: string }>({
    name: 'test_log_marker',
    text: 'select pg_current_xact_id()::text as xid',
  });
  const readable = {
    name: 'test_readable',
    text: `
select event_horizon() > $1::text::xid8 and not exists (
  select from pg_snapshot_xip(pg_current_snapshot()) x where x < $1::text::xid8 and not exists (
    select from pg_stat_activity a
    where a.backend_xid = x::xid and a.datname <> current_database() and a.xact_start < now() - interval '1 second')) as yes`,
  };
  await until(
    'the log is readable',
    async () => (await db.query<{ yes: boolean }>(readable, [marker?.xid]))[0]?.yes === true,
  );
}
