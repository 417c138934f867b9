import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAppDirectory } from '../../src/access/app-secrets.ts';
import { createApps, openApp } from '../../src/actions/apps.ts';
import type { Queryable } from '../../src/db/pool.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
let database: TestDatabase;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

/** A directory whose clock a test moves, and which counts what it asks. */
function stage() {
  let now = 1_000_000;
  let asked = 0;
  const failed: string[] = [];
  const db: Queryable = {
    query(statement, values) {
      asked++;
      return database.db.query(statement, values);
    },
    script: (sql) => database.db.script(sql),
  };
  const apps = createAppDirectory({
    db,
    clock: { now: () => now, monotonic: () => now },
    open: (row) => openApp(sealer, row),
    failed: (app) => void failed.push(app),
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { apps, failed, asked: () => asked, pass };
}

test('what is known is answered at once and read again in time; a change is known as soon as it is told of', async () => {
  const signals = memorySignals();
  const actions = createApps({ db: database.db, signals, sealer });
  await actions.create({ id: 'shop', app_secret: 'first', verify_token: 'word' });
  const { apps, asked, pass } = stage();
  signals.listen('apps', apps.forget);
  const first = await apps.secretsOf('shop');
  assert.deepEqual(first, { appSecret: 'first', verifyToken: 'word', previous: null });
  assert.equal(apps.secretsOf('shop'), first);
  pass(4500);
  // Read again beside the request, which does not wait.
  assert.equal(apps.secretsOf('shop'), first);
  pass(600);
  assert.equal(await apps.secretsOf('shop'), first, 'the same object until it changes');
  const before = asked();
  await actions.change('shop', { app_secret: 'second', overlap: 60 });
  const second = await apps.secretsOf('shop');
  assert.equal(second?.appSecret, 'second');
  assert.equal(second.previous?.appSecret, 'first');
  const left = (second.previous?.until ?? 0) - Date.now();
  assert.ok(left > 50_000 && left <= 60_000, String(left));
  assert.equal(asked(), before + 1);
  await actions.change('shop', { app_secret: 'third', overlap: 0 });
  assert.deepEqual((await apps.secretsOf('shop'))?.previous, null);
});

test('names that are none have the store asked once a second, however many are made up', async () => {
  const { apps, asked, pass } = stage();
  await Promise.all(Array.from({ length: 100 }, async (_, i) => apps.secretsOf(`made-up-${i}`)));
  assert.equal(asked(), 1);
  for (let i = 0; i < 100; i++) assert.equal(await apps.secretsOf(`made-up-${i}`), undefined);
  assert.equal(asked(), 1);
  pass(1001);
  await apps.secretsOf('made-up');
  await apps.secretsOf('another');
  assert.equal(asked(), 2);
});

test('an app whose secrets no key opens is told of, and the others are there', async () => {
  const text = `insert into apps (id, app_secret_sealed, verify_token_sealed) values ('broken', 'x', 'x')`;
  await database.db.script(text);
  const { apps, failed } = stage();
  assert.equal(await apps.secretsOf('broken'), undefined);
  assert.ok(await apps.secretsOf('shop'));
  assert.deepEqual(failed, ['broken']);
});
