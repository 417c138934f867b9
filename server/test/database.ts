import { randomBytes } from 'node:crypto';
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
      await admin.script(`drop database ${name} with (force)`);
      await admin.close();
    },
  };
}

function ignore(): void {}
