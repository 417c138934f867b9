import { StartError } from '../../runtime/start-error.ts';
import { migrate, migrateWithin, migrations } from '../migrate.ts';
import type { Db, Queryable } from '../pool.ts';
import { type Checked, readBackupFile } from './file.ts';
import type { Header, SequenceState, TableShape } from './record.ts';
import { quoted, tablesToKeep } from './tables.ts';

/** What was restored. */
export interface Restored {
  header: Header;
  count: number;
  /** Messages in it that were to be sent yet, or under way, when the backup was made. */
  open: number;
  /** Whether sending was stopped for every tenant because of them. */
  stopped: boolean;
}

export interface RestoreOptions {
  /** Go on sending at the next start what was open when the backup was made, though it may have been sent since. */
  resume: boolean;
  /** Looks at what was restored before it is committed. What it throws undoes everything. */
  inspect?: (tx: Queryable) => Promise<void>;
  /** Told when something takes long. */
  note?: (text: string) => void;
}

const WRITING = `
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local enable_seqscan = on;
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres'`;

/**
 * Restores a backup file into an empty database, of PostgreSQL 15 or newer. The file is read through and checked first;
 * then everything is loaded in one transaction, and counted, so that the database has all of it or nothing. A backup of an
 * older schema is brought to this program's afterwards.
 * @throws {StartError} when the database is not empty, the backup is newer than the program, or the file is damaged.
 */
export async function restoreBackup(db: Db, path: string, options: RestoreOptions): Promise<Restored> {
  const header = await checkFile(path);
  const newest = migrations().length;
  if (header.migration > newest) {
    throw new StartError(
      `${path} is of a newer Aldis (${header.version}, schema ${header.migration}; this one knows ${newest}): restore it with that one`,
    );
  }
  await refuseUnlessEmpty(db, header);
  await passTransactions(db, header, options.note ?? (() => {}));
  const result = await db.inTurn(async (tx) => {
    await tx.script(WRITING);
    await migrateWithin(tx, header.migration);
    await refuseUnlessEmpty(tx, header);
    const count = await loadTables(tx, path, header);
    for (const sequence of header.sequences) await setSequence(tx, sequence);
    await options.inspect?.(tx);
    const [{ open } = { open: 0 }] = await tx.query<{ open: number }>(countOpen);
    const stopped = open > 0 && !options.resume && header.migration >= STOPPABLE;
    if (stopped) await tx.query(stopAll);
    if (!options.resume && header.migration >= REDRIVING) await tx.query(cancelRedrives);
    return { header, count, open, stopped };
  });
  await migrate(db);
  await db.script(
    `set statement_timeout = 0; analyze ${result.header.tables.map(({ name }) => quoted(name)).join(', ')}`,
  );
  return result;
}

/** Since this migration a tenant can be stopped. */
const STOPPABLE = 2;
const countOpen = { name: 'restore_count_open', text: 'select count(*) as open from due' };
/** Since this one failed messages are sent again by filter: those may have been sent since the backup, too. */
const REDRIVING = 4;
const cancelRedrives = {
  name: 'restore_cancel_redrives',
  text: `update redrives set state = 'cancelled', ended_at = clock_timestamp() where state = 'running'`,
};
const stopAll = { name: 'restore_stop_all', text: 'update tenants set processing = false' };

async function checkFile(path: string): Promise<Header> {
  let header: Header | undefined;
  for await (const checked of readBackupFile(path)) if (checked.kind === 'header') header = checked.header;
  if (!header) throw new Error('a backup that could be read has a header');
  return header;
}

const findAny = {
  name: 'restore_find_tables',
  text: `select count(*) as n from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')`,
};
const findMigration = { name: 'restore_find_migration', text: 'select max(number) as number from migrations' };

/** A database without tables is empty, and so is one that was migrated to the backup's schema and not used. */
async function refuseUnlessEmpty(tx: Queryable, header: Header): Promise<void> {
  const [any] = await tx.query<{ n: number }>(findAny);
  if (any?.n === 0) return;
  const advice = 'restore into a new, empty database';
  const tables = await tablesToKeep(tx);
  const ours = new Set(header.tables.map(({ name }) => name));
  const foreign = tables.find(({ name }) => !ours.has(name));
  if (foreign) throw new StartError(`the database is not empty (it has a table ${foreign.name}): ${advice}`);
  for (const { name } of tables) {
    const found = await tx.query({ name: `restore_any_${name}`, text: `select 1 from ${quoted(name)} limit 1` });
    if (found.length > 0) throw new StartError(`the database is not empty (${name} has rows): ${advice}`);
  }
  const [migration] = await tx.query<{ number: number | null }>(findMigration);
  if (migration?.number !== header.migration) {
    throw new StartError(
      `the database has the schema ${migration?.number ?? 'of nobody'} and the backup ${header.migration}: ${advice}`,
    );
  }
}

/** Transaction numbers that are given out by one statement, in half a second or so, and the most that are at all. */
const AT_ONCE = 100_000;
const MOST_PASSED = 500_000_000n;
/** So many take some seconds. */
const WORTH_SAYING = 1_000_000n;

const nextTransaction = {
  name: 'restore_next_transaction',
  text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
};

/**
 * Gives out transaction numbers until they are past those of the backup. The event log is in the order of transactions: in a
 * younger server new events would come before the restored ones, and these would not be seen.
 */
async function passTransactions(db: Db, header: Header, note: (text: string) => void): Promise<void> {
  const target = BigInt(header.next_transaction);
  const missing = async () => {
    const [row] = await db.query<{ next: string }>(nextTransaction);
    return target - BigInt(row?.next ?? '0');
  };
  let left = await missing();
  if (left > MOST_PASSED) {
    throw new StartError(
      `the backup's database had given out ${left} more transaction numbers than this one, too many to catch up: restore into a server of that age, or raise this one's with pg_resetwal -x`,
    );
  }
  if (left > WORTH_SAYING) note(`passing ${left} transaction numbers, for the order of the event log`);
  for (; left > 0n; left = await missing()) {
    const some = left < BigInt(AT_ONCE) ? Number(left) : AT_ONCE;
    await db.script(`do $$ begin for i in 1..${some} loop perform pg_current_xact_id(); commit; end loop; end $$`);
  }
}

async function loadTables(tx: Queryable, path: string, header: Header): Promise<number> {
  const tables = new Map((await tablesToKeep(tx)).map((table) => [table.name, table]));
  checkShapes(header.tables, tables);
  // The rows come as they were. What a trigger made of them is among them.
  await switchTriggers(tx, header, 'disable');
  let total = 0;
  for await (const checked of readBackupFile(path)) {
    if (checked.kind === 'rows') await insertRows(tx, tables, checked);
    if (checked.kind !== 'end') continue;
    const text = `select count(*) as n from ${quoted(checked.table)}`;
    const [found] = await tx.query<{ n: number }>({ name: `restore_count_${checked.table}`, text });
    if (found?.n !== checked.count) {
      throw new Error(`${checked.table} has ${found?.n} rows after loading ${checked.count}`);
    }
    total += checked.count;
  }
  await switchTriggers(tx, header, 'enable');
  return total;
}

async function switchTriggers(tx: Queryable, { tables }: Header, way: 'enable' | 'disable'): Promise<void> {
  await tx.script(tables.map(({ name }) => `alter table ${quoted(name)} ${way} trigger user`).join('; '));
}

function checkShapes(wanted: readonly TableShape[], found: ReadonlyMap<string, TableShape>): void {
  for (const { name, columns } of wanted) {
    if (found.get(name)?.columns.join() !== columns.join()) {
      throw new StartError(
        `the backup's table ${name} is not as this program's migrations make it: restore it with the Aldis that made it`,
      );
    }
  }
  if (wanted.length !== found.size) throw new StartError('the backup lacks tables of its schema: nothing was restored');
}

async function insertRows(
  tx: Queryable,
  tables: ReadonlyMap<string, TableShape>,
  { table, rows }: Extract<Checked, { kind: 'rows' }>,
): Promise<void> {
  const columns = (tables.get(table)?.columns ?? []).map(quoted).join(', ');
  // The subquery reads each row's text once; without its offset that would be done again for each column.
  const text = `
insert into ${quoted(table)} (${columns}) overriding system value
select (parsed.r).* from (select t::${quoted(table)} as r from unnest($1::text[]) as t offset 0) as parsed`;
  await tx.query({ name: `restore_insert_${table}`, text }, [rows]);
}

const setValue = {
  name: 'restore_set_sequence',
  text: 'select setval(pg_get_serial_sequence($1, $2), $3::bigint, $4::boolean)',
};

async function setSequence(tx: Queryable, { table, column, last_value, is_called }: SequenceState): Promise<void> {
  await tx.query(setValue, [quoted(table), column, last_value, is_called]);
}
