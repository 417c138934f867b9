import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { schemaText } from '../../src/db/dump-schema.ts';
import { migrate, migrations } from '../../src/db/migrate.ts';
import { openPool } from '../../src/db/pool.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;

before(async () => {
  database = await testDatabase({ migrated: false });
});

after(() => database.drop());

test('instances that start together migrate once, and a second start finds nothing to do', async () => {
  const other = openPool({ connection: database.url, max: 2, onError: () => {} });
  const ran = await Promise.all([migrate(database.db), migrate(other), migrate(database.db)]);
  await other.close();
  const names = migrations().map(({ name }) => name);
  assert.deepEqual(ran.flat().sort(), names);
  assert.deepEqual(await migrate(database.db), []);
});

test('schema.sql is what the migrations make', async () => {
  const kept = readFileSync(new URL('../../src/db/schema.sql', import.meta.url), 'utf8');
  assert.equal(await schemaText(database.db), kept, 'run npm run generate');
});

test('no index on messages names the state, so that each transition is an update in place', async () => {
  const [, indexes = ''] =
    /create table messages \([\s\S]*?\n\)[^;]*;\n([\s\S]*?)\n\n/.exec(await schemaText(database.db)) ?? [];
  assert.match(indexes, /create (unique )?index/i);
  assert.doesNotMatch(indexes, /state|_at\b/);
});

test('a database that is newer than the program is left as it is', async () => {
  const next = migrations().length + 1;
  await database.db.script(`insert into migrations (number, name) values (${next}, 'from_the_future')`);
  const before = await schemaText(database.db);
  await assert.rejects(migrate(database.db), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /newer than this program .*from_the_future.*: start the newer Aldis/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  assert.equal(await schemaText(database.db), before);
});
