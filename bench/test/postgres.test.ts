import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { temporaryFolder } from '../src/folder.ts';
import { startPostgres } from '../src/postgres.ts';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<{ v: unknown }>(sql)).rows.map(({ v }) => v);
  } finally {
    await client.end();
  }
}

test("a drill's PostgreSQL keeps its port and what was committed over every kind of end", async () => {
  using folder = temporaryFolder('aldis-postgres-test');
  await using postgres = await startPostgres({ folder: folder.path });
  await ask(postgres.url, 'create table kept (v int)');
  for (const [i, how] of (['fast', 'immediate', 'kill'] as const).entries()) {
    const before = postgres.pid;
    await ask(postgres.url, `insert into kept values (${i})`);
    await postgres.stop(how);
    assert.equal(postgres.runs, false);
    await assert.rejects(ask(postgres.url, 'select 1 as v'), { code: 'ECONNREFUSED' });
    await postgres.start();
    assert.ok(postgres.runs);
    assert.notEqual(postgres.pid, before);
    assert.deepEqual(
      await ask(postgres.url, 'select v from kept order by v'),
      Array.from({ length: i + 1 }, (_, n) => n),
    );
  }
  assert.deepEqual(
    await ask(postgres.superuserUrl, 'select rolsuper as v from pg_roles where rolname = current_user'),
    [true],
  );
  assert.deepEqual(await ask(postgres.url, 'select rolsuper as v from pg_roles where rolname = current_user'), [false]);
});
