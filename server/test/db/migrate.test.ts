import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { schemaText } from '../../src/db/dump-schema.ts';
import { migrate, migrateWithin, migrations } from '../../src/db/migrate.ts';
import { openPool } from '../../src/db/pool.ts';
import { requireServer } from '../../src/db/server-version.ts';
import { newId } from '../../src/domain/ids.ts';
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
  const text = await schemaText(database.db);
  const indexes = text.match(/^create (unique )?index .* on public\.messages .*$/gim) ?? [];
  assert.ok(indexes.length > 0);
  for (const index of indexes) assert.doesNotMatch(index, /state|_at\b/);
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

test('what was there before an upgrade is brought along: conversations, and who is in them', async (t) => {
  const old = await testDatabase({ migrated: false });
  t.after(old.drop);
  await old.db.transaction((tx) => migrateWithin(tx, 5));
  const [tenant, said, silent] = [newId(), newId(), newId()];
  await old.db.script(`
    insert into tenants (id, name) values ('${tenant}', 'x');
    insert into conversations (tenant_id, id, type, created_at, last_message_at, closed_at) values
      ('${tenant}', '${said}', 'group', '2026-01-01', '2026-01-02 10:01:30Z', null),
      ('${tenant}', '${silent}', 'group', '2026-01-01 00:00:01Z', null, '2026-01-03');
    insert into participants (tenant_id, conversation_id, user_id, left_at, left_xid) values
      ('${tenant}', '${said}', 'ana', null, null), ('${tenant}', '${said}', 'ben', null, null), ('${tenant}', '${silent}', 'ana', null, null),
      ('${tenant}', '${silent}', 'gone', now(), '700'), ('${tenant}', '${newId()}', 'of nothing', null, null)`);
  assert.deepEqual(
    await migrate(old.db),
    migrations()
      .slice(5)
      .map(({ name }) => name),
  );
  const rows = await old.db.query({
    name: 'test_upgraded',
    text: `
select p.user_id, p.list, to_char(p.slot at time zone 'UTC', 'DD HH24:MI:SS') as slot, c.participant_count as people
from participants p join conversations c on c.tenant_id = p.tenant_id and c.id = p.conversation_id order by c.id, p.user_id`,
  });
  assert.deepEqual(
    rows.map((row) => Object.values(row as object)),
    [
      ['ana', 8, '02 10:00:00', 2],
      ['ben', 8, '02 10:00:00', 2],
      ['ana', 11, '01 00:00:01', 1],
      ['gone', 11, '01 00:00:01', 1],
    ],
  );
  const [left] = await old.db.query<{ count: number }>({
    name: 'test_participants',
    text: 'select count(*)::integer as count from participants',
  });
  assert.equal(left?.count, 4);
});

test('a server that is too old is refused before anything is made in it', async () => {
  await requireServer(database.db);
  await assert.rejects(requireServer(database.db, 990_000), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /^the database is PostgreSQL \d\S+.*, which is too old: use 99 or newer$/);
    return true;
  });
});
