import { readdirSync, readFileSync } from 'node:fs';
import { StartError } from '../runtime/start-error.ts';
import type { Db, Queryable } from './pool.ts';

/**
 * Migrations are numbered SQL files, `0001_name.sql` and on. They run at start, in order, each in a transaction of its own
 * together with its record, under one lock: instances that start together migrate once. A file that has been released is
 * never changed.
 */
export interface Migration {
  number: number;
  name: string;
  sql: string;
}

const FOLDER = new URL('./migrations/', import.meta.url);

/** The migrations of this program, in order. */
export function migrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file, index) => {
      const number = Number.parseInt(file, 10);
      if (number !== index + 1) throw new Error(`migration ${file}: number ${index + 1} expected`);
      return { number, name: file.slice(0, -4), sql: readFileSync(new URL(file, FOLDER), 'utf8') };
    });
}

// Any number will do, as long as it stays: it names the lock that instances take turns with.
const LOCK = 4_711_026;

const RECORD_TABLE =
  'create table if not exists migrations (number integer primary key, name text not null, done_at timestamptz not null default now())';
const takeLock = { name: 'migrate_lock', text: 'select pg_advisory_xact_lock($1)' };
const readDone = { name: 'migrate_done', text: 'select number, name from migrations order by number' };
const record = { name: 'migrate_record', text: 'insert into migrations (number, name) values ($1, $2)' };

/**
 * Brings the database to this program's schema and tells which migrations ran.
 * @throws {StartError} when the database is newer than the program.
 */
export async function migrate(db: Db): Promise<string[]> {
  await db.inTurn(async (tx) => {
    await tx.query(takeLock, [LOCK]);
    await tx.script(RECORD_TABLE);
  });
  const ran: string[] = [];
  for (const migration of migrations()) {
    const done = await db.inTurn(async (tx) => {
      await tx.query(takeLock, [LOCK]);
      const known = await knownMigrations(tx);
      if (known >= migration.number) return true;
      await tx.script(migration.sql);
      await tx.query(record, [migration.number, migration.name]);
      return false;
    });
    if (!done) ran.push(migration.name);
  }
  return ran;
}

/**
 * Brings an empty database to an earlier schema, or to this program's, within a transaction: for what is loaded in it.
 * @param through the number of the last migration that runs.
 */
export async function migrateWithin(tx: Queryable, through: number): Promise<void> {
  await tx.query(takeLock, [LOCK]);
  await tx.script(RECORD_TABLE);
  const known = await knownMigrations(tx);
  for (const { number, name, sql } of migrations().slice(known, through)) {
    await tx.script(sql);
    await tx.query(record, [number, name]);
  }
}

/** The number of the newest migration the database has. */
async function knownMigrations(tx: Queryable): Promise<number> {
  const rows = await tx.query<{ number: number; name: string }>(readDone);
  const newest = rows.at(-1);
  const own = migrations().length;
  if (newest && newest.number > own) {
    throw new StartError(
      `the database is newer than this program (it has migration ${newest.name}, this program knows ${own}): start the newer Aldis, or restore a backup made before the upgrade`,
    );
  }
  return newest?.number ?? 0;
}
