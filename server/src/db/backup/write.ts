import { createHash } from 'node:crypto';
import type { Db, Queryable } from '../pool.ts';
import { type BackupRecord, FORMAT, type Header, type TableShape } from './record.ts';
import { quoted, sequenceStates, tablesToKeep } from './tables.ts';

/** Characters of row text that are fetched at once, more or less, and the most rows. */
const FETCH_TEXT = 2 ** 21;
const FETCH_ROWS = 1024;

/**
 * One moment of the whole database, and nothing that ends a long read. A transaction that only reads has no number, so
 * it holds no event back.
 */
const READING = `
set transaction isolation level repeatable read, read only;
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local enable_seqscan = on;
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 1`;

const now = {
  name: 'backup_now',
  text: `
select now() as made_at, (select max(number) from migrations) as migration,
  pg_snapshot_xmax(pg_current_snapshot())::text as next_transaction`,
};

/**
 * Gives the records of a backup to `write`, one after the other, each when the one before has been taken: all rows as
 * they were committed at one moment. Whoever works on the database goes on. At most a few megabytes are in memory.
 * @returns the header, and how many rows there were.
 */
export function readDatabase(
  db: Db,
  version: string,
  write: (record: BackupRecord) => Promise<void>,
): Promise<{ header: Header; count: number }> {
  return db.transaction(async (tx) => {
    await tx.script(READING);
    const [moment] = await tx.query<{ made_at: Date; migration: number; next_transaction: string }>(now);
    if (!moment) throw new Error('a select without a table gave no row');
    const tables = await tablesToKeep(tx);
    const header: Header = {
      aldis_backup: FORMAT,
      version,
      made_at: moment.made_at.toISOString(),
      migration: moment.migration,
      next_transaction: moment.next_transaction,
      tables,
      sequences: await sequenceStates(tx),
    };
    await write(header);
    let count = 0;
    for (const table of tables) count += await readTable(tx, table, write);
    await write({ complete: true, tables: tables.length, count });
    return { header, count };
  });
}

async function readTable(
  tx: Queryable,
  { name }: TableShape,
  write: (record: BackupRecord) => Promise<void>,
): Promise<number> {
  await tx.script(`declare backup_rows no scroll cursor for select t::text as row from only ${quoted(name)} t`);
  const hash = createHash('sha256');
  let count = 0;
  let largest = 1;
  for (let size = 1; ; ) {
    const fetch = { name: `backup_fetch_${size}`, text: `fetch ${size} from backup_rows` };
    const rows = (await tx.query<{ row: string }>(fetch)).map(({ row }) => row);
    if (rows.length === 0) break;
    for (const row of rows) hash.update(row).update('\n');
    await write({ rows });
    count += rows.length;
    if (rows.length < size) break;
    // A large row is remembered for a while: rows of a kind tend to come together.
    largest = rows.reduce((most, row) => Math.max(most, row.length), largest / 2);
    size = fetchSize(largest, size);
  }
  await tx.script('close backup_rows');
  await write({ end: name, count, sha256: hash.digest('hex') });
  return count;
}

/** Powers of two, so that few statements are prepared. Grows step by step, shrinks at once. */
function fetchSize(largest: number, before: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(FETCH_TEXT / largest, FETCH_ROWS, before * 2))));
}
