import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../src/db/migrate.ts';
import { type Db, openPool } from '../src/db/pool.ts';

/** A fresh, migrated database of its own on the suite's server. */
export interface TestDatabase {
  db: Db;
  url: string;
  drop(): Promise<void>;
}

/**
 * Makes a database on the server of `ALDIS_TEST_DATABASE_URL`, which `npm test` starts and names.
 * A missing server is a failure, never a skip.
 */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const server = process.env['ALDIS_TEST_DATABASE_URL'];
  if (!server) throw new Error('ALDIS_TEST_DATABASE_URL is not set: run the tests by npm test');
  const admin = openPool({ connection: server, max: 1, onError: ignore });
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin.script(`create database ${name} template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openPool({ connection: url.href, max: 10, onError: ignore });
  if (migrated) await migrate(db);
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
