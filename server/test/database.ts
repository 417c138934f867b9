import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../src/db/migrate.ts';
import { type Db, isTransient, openPool } from '../src/db/pool.ts';
import { until } from './until.ts';

/** A fresh, migrated database of its own on the suite's server. */
export interface TestDatabase {
  db: Db;
  url: string;
  drop(): Promise<void>;
}

/**
 * Makes a database on the server of `ALDIS_TEST_DATABASE_URL`, which `npm test` starts and names.
 * A missing server is a failure, never a skip. It is a copy of `ALDIS_TEST_TEMPLATE`, which has the schema, where there is one.
 */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const server = process.env['ALDIS_TEST_DATABASE_URL'];
  if (!server) throw new Error('ALDIS_TEST_DATABASE_URL is not set: run the tests by npm test');
  const admin = openPool({ connection: server, max: 1, onError: ignore });
  const name = `test_${randomBytes(6).toString('hex')}`;
  // A machine that is busy with much else may not get to it within the pool's patience.
  await until('the server takes connections', () =>
    admin.script('select').then(
      () => true,
      (error: unknown) => {
        if (isTransient(error)) return false;
        throw error;
      },
    ),
  );
  const schema = (migrated && process.env['ALDIS_TEST_TEMPLATE']) || '';
  // To copy the files takes a third of what it takes to write the copy to the log, as is otherwise done.
  await admin.script(`create database ${name} template ${schema || 'template0'} strategy file_copy`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openPool({ connection: url.href, max: 10, onError: ignore });
  if (migrated && schema === '') await migrate(db);
  return {
    db,
    url: url.href,
    async drop() {
      await db.close();
      await dropForced(admin, name);
      await admin.close();
    },
  };
}

/** An autovacuum worker may be at work in it: it is the server's own, and no role of ours may end it. It ends by itself. */
async function dropForced(admin: Db, name: string): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await admin.script(`drop database ${name} with (force)`);
      return;
    } catch (error) {
      if (left === 0 || !/permission denied to terminate/.test(String(error))) throw error;
      await sleep(100);
    }
  }
}

function ignore(): void {}
