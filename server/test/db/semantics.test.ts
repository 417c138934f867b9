import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { type Db, isTransient, openPool } from '../../src/db/pool.ts';
import { retryingOnConflict } from '../../src/db/retry.ts';
import { memoryLog, until } from './embedded-rig.ts';

// What the store builds on, shown to the server it is shipped with: connections that do not touch each other, and locks,
// timeouts and cancels that hold. A database that fails one of these loses or doubles messages.

let folder: string;
let database: EmbeddedPostgres;
let db: Db;
const poolErrors: Error[] = [];

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aldis-semantics-'));
  database = await startEmbeddedPostgres({ folder, folderIsNamed: true, log: memoryLog() });
  db = openPool({ connection: database.connection, max: 8, onError: (error) => poolErrors.push(error) });
  await db.script('create table counters (id int primary key, n int not null)');
  await db.script('insert into counters select g, 0 from generate_series(1, 20) g');
});

after(async () => {
  await db.close();
  await database.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A connection of its own, for what a pool would hide. */
async function connect(config: pg.ClientConfig = {}): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ ...database.connection, ...config });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The number of a connection's process in the server. */
async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? assert.fail('no row');
}

async function counter(id: number): Promise<number | undefined> {
  const rows = await db.query<{ n: number }>({ name: 'counter', text: 'select n from counters where id = $1' }, [id]);
  return rows[0]?.n;
}

/** Waits until a connection waits for a lock. */
async function untilOneWaits(): Promise<void> {
  const text = "select 1 as one from pg_stat_activity where wait_event_type = 'Lock'";
  await until('one waits', async () => (await db.query({ name: 'waiting', text })).length > 0);
}

const failsWith = (code: string) => (error: unknown) => error instanceof pg.DatabaseError && error.code === code;

test('an open transaction holds up nobody, and its rows are seen by nobody', { timeout: 5_000 }, async () => {
  await using a = await connect();
  await using b = await connect();
  await a.query('begin; update counters set n = 7 where id = 1');
  await b.query('update counters set n = 8 where id = 2');
  assert.deepEqual([await counter(1), await counter(2)], [0, 8]);
  await a.query('rollback');
});

test('a connection cut in mid transaction is rolled back and lets go of its rows', { timeout: 5_000 }, async () => {
  await using b = await connect();
  const a = await connect();
  await a.query('begin; update counters set n = 9 where id = 3');
  const waiting = b.query('update counters set n = n + 1 where id = 3');
  await untilOneWaits();
  // As a kill -9 of the program leaves it: no goodbye.
  a.connection.stream.destroy();
  await waiting;
  assert.equal(await counter(3), 1);
});

test('pipelined statements on eight connections each get their own answer and write their own row', async () => {
  await db.script('create table written (worker int, k int, said text)');
  const echo = { name: 'echo', text: 'select $1::int as a, $2::text as b' };
  const write = { name: 'write', text: 'insert into written values ($1, $2, $3)' };
  const big = 'x'.repeat(3_000);
  const work = Array.from({ length: 8 }, async (_, worker) => {
    for (let k = 0; k < 100; k++) {
      const [row] = await db.query<{ a: number; b: string }>(echo, [worker * 1_000 + k, `${worker}.${k}`]);
      assert.deepEqual(row, { a: worker * 1_000 + k, b: `${worker}.${k}` });
      await db.query(write, [worker, k, `${worker}.${k}.${big}`]);
    }
  });
  await Promise.all(work);
  const [found] = await db.query({
    name: 'found',
    text: `select count(*) as stored, count(distinct (worker, k)) as apart,
                  count(*) filter (where said <> worker || '.' || k || '.' || repeat('x', 3000)) as wrong from written`,
  });
  assert.deepEqual(found, { stored: 800, apart: 800, wrong: 0 });
});

test('a failed transaction is rolled back whole, and its connection serves the next', async () => {
  const bump = { name: 'bump', text: 'update counters set n = n + 1 where id = $1' };
  const twice = { name: 'twice', text: 'insert into counters values ($1, 0)' };
  for (let round = 0; round < 10; round++) {
    const failing = db.transaction(async (tx) => {
      await tx.query(bump, [4]);
      await tx.query(twice, [4]);
    });
    await assert.rejects(failing, failsWith('23505'));
  }
  await db.transaction((tx) => tx.query(bump, [4]));
  assert.equal(await counter(4), 1);
  assert.ok(db.usage.total <= 8);
});

test('what a session sets is its own: settings, statements, temporary tables', async () => {
  await using a = await connect();
  await using b = await connect();
  await a.query("set statement_timeout = '1234ms'; create temp table mine (v int)");
  assert.deepEqual((await b.query('show statement_timeout')).rows, [{ statement_timeout: '0' }]);
  await assert.rejects(b.query('select * from mine'), failsWith('42P01'));
  assert.deepEqual((await a.query({ name: 's', text: 'select 1 as x' })).rows, [{ x: 1 }]);
  assert.deepEqual((await b.query({ name: 's', text: 'select 2 as y' })).rows, [{ y: 2 }]);
});

test('an advisory lock has one holder, and ends with its connection', async () => {
  await using b = await connect();
  const a = await connect();
  const take = 'select pg_try_advisory_lock(42) as got';
  assert.deepEqual((await a.query(take)).rows, [{ got: true }]);
  assert.deepEqual((await b.query(take)).rows, [{ got: false }]);
  a.connection.stream.destroy();
  await until('it is free', async () => (await b.query<{ got: boolean }>(take)).rows[0]?.got === true);
});

test('statement_timeout ends a statement, and a cancel request does', { timeout: 5_000 }, async () => {
  await using a = await connect({ statement_timeout: 50 });
  await assert.rejects(a.query('select pg_sleep(60)'), failsWith('57014'));
  await using b = await connect();
  const pid = await backendOf(b);
  const sleeping = assert.rejects(b.query('select pg_sleep(60)'), failsWith('57014'));
  const text = "select 1 as one from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'";
  await until('it sleeps', async () => (await db.query({ name: 'sleeps', text }, [pid])).length === 1);
  await db.query({ name: 'cancel', text: 'select pg_cancel_backend($1)' }, [pid]);
  await sleeping;
  assert.equal(await backendOf(b), pid, 'the connection goes on');
});

test('a transaction left idle is ended by the server and lets go of its rows', { timeout: 5_000 }, async () => {
  await using a = await connect({ idle_in_transaction_session_timeout: 100 });
  await a.query('begin; update counters set n = 5 where id = 5');
  await using b = await connect();
  await b.query('update counters set n = n + 1 where id = 5');
  assert.equal(await counter(5), 1);
});

test('a connection that is ended between two statements of a transaction fails it, and nothing else', async () => {
  await using other = await connect();
  const lost = db.transaction(async (tx) => {
    const [row] = await tx.query<{ pid: number }>({ name: 'test_pid', text: 'select pg_backend_pid() as pid' });
    await tx.query({ name: 'test_touch', text: 'update counters set n = n + 1 where id = 1' });
    await other.query('select pg_terminate_backend($1)', [row?.pid]);
    // Nobody asks anything while the news comes in.
    await until('it is gone', async () => {
      const { rows } = await other.query('select from pg_stat_activity where pid = $1', [row?.pid]);
      return rows.length === 0;
    });
    await new Promise((resolve) => setImmediate(resolve));
    await tx.query({ name: 'test_touch', text: 'update counters set n = n + 1 where id = 1' });
  });
  await assert.rejects(lost, (error) => isTransient(error));
  assert.deepEqual(await db.query({ name: 'test_n', text: 'select 1 as n' }), [{ n: 1 }]);
});

test('two workers never claim the same row: for update skip locked', async () => {
  const claim = {
    name: 'claim',
    text: `update counters set n = n + 1
            where id = (select id from counters where id > 10 and n = 0 order by id for update skip locked limit 1)
           returning id`,
  };
  const worker = async () => {
    const claimed: number[] = [];
    for (;;) {
      // A row that was claimed and let go since the look is a conflict under repeatable read, and looked for again.
      const [row] = await retryingOnConflict(() => db.query<{ id: number }>(claim));
      if (!row) return claimed;
      claimed.push(row.id);
    }
  };
  const claimed = (await Promise.all(Array.from({ length: 8 }, worker))).flat();
  assert.deepEqual(
    claimed.sort((a, b) => a - b),
    [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  );
});

test('a deadlock is found, one gives way and the other goes on', { timeout: 10_000 }, async () => {
  await using a = await connect();
  await using b = await connect();
  await a.query('begin; update counters set n = 1 where id = 6');
  await b.query('begin; update counters set n = 1 where id = 7');
  const outcomes = await Promise.allSettled([
    a.query('update counters set n = 1 where id = 7'),
    b.query('update counters set n = 1 where id = 6'),
  ]);
  const [victim, ...others] = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  assert.ok(failsWith('40P01')(victim));
  assert.equal(others.length, 0);
  await Promise.all([a.query('rollback'), b.query('rollback')]);
});

test('a repeatable read sees one moment, whatever is written beside it', async () => {
  await using a = await connect();
  await a.query('begin isolation level repeatable read');
  const sum = 'select sum(n) as sum from counters';
  const [earlier] = (await a.query(sum)).rows;
  await db.script('update counters set n = n + 1 where id = 8');
  assert.deepEqual((await a.query(sum)).rows, [earlier]);
  await a.query('commit');
  assert.notDeepEqual((await a.query(sum)).rows, [earlier]);
});

test('who listens is told, after the commit and not before', { timeout: 5_000 }, async () => {
  await using a = await connect();
  const told: (string | undefined)[] = [];
  a.on('notification', ({ payload }) => told.push(payload));
  await a.query('listen changes');
  await using b = await connect();
  await b.query("begin; notify changes, 'rolled back'; rollback");
  await b.query("begin; notify changes, 'committed'");
  await a.query('select 1');
  assert.deepEqual(told, []);
  await b.query('commit');
  await until('it is told', () => told.length > 0);
  assert.deepEqual(told, ['committed']);
});

test('the pool goes on after the server has been killed, and what was acknowledged is there', async () => {
  await db.script('create table acknowledged (k int)');
  const write = { name: 'acknowledge', text: 'insert into acknowledged values ($1)' };
  for (let k = 0; k < 50; k++) await db.query(write, [k]);
  const killed = database.pid;
  process.kill(killed, 'SIGKILL');
  await until('it runs again', () => database.pid !== killed);
  await until('the pool has noticed', () =>
    db.query(write, [50]).then(
      () => true,
      () => false,
    ),
  );
  const [found] = await db.query({ name: 'acknowledged', text: 'select count(*) as n from acknowledged' });
  assert.deepEqual(found, { n: 51 });
});

test('a statement that fails leaves its connection to the next one, with the plans it has', async () => {
  const one = openPool({ connection: database.connection, max: 1, onError: (error) => poolErrors.push(error) });
  const backend = async () =>
    (await one.query<{ pid: number }>({ name: 'whose', text: 'select pg_backend_pid() as pid' }))[0]?.pid;
  const before = await backend();
  const again = { name: 'again', text: 'insert into counters values (1, 0)' };
  for (const _ of [1, 2]) await assert.rejects(one.query(again), failsWith('23505'));
  await assert.rejects(one.script('select 1/0'), failsWith('22012'));
  assert.equal(await backend(), before);
  await db.query({ name: 'end', text: `select pg_terminate_backend(${before}, 5000) as done` });
  await until('another connection answers', async () => (await backend().catch(() => before)) !== before);
  await one.close();
});
