import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Db, isTransient, openPool } from '../../server/src/db/pool.ts';
import { type FaultProxy, startFaultProxy } from '../src/fault-proxy.ts';
import { temporaryFolder } from '../src/folder.ts';
import { startPostgres } from '../src/postgres.ts';
import { until } from '../src/wait.ts';

// The pool of the server over connections that die without a word. It stands here because the proxy does.

const running = new AsyncDisposableStack();
let url = '';
let port = 0;

before(async () => {
  const folder = running.use(temporaryFolder('aldis-silence-test'));
  const postgres = running.use(await startPostgres({ folder: folder.path }));
  ({ url, port } = postgres);
});
after(() => running.disposeAsync());

async function behindProxy(): Promise<{ db: Db; proxy: FaultProxy; told: string[] } & AsyncDisposable> {
  const proxy = await startFaultProxy(port);
  const told: string[] = [];
  const db = openPool({ connection: proxy.through(url), max: 4, onError: ({ message }) => told.push(message) });
  return {
    db,
    proxy,
    told,
    async [Symbol.asyncDispose]() {
      await db.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const sleepFor = (db: Db, seconds: number): Promise<{ v: number }[]> =>
  db.query<{ v: number }>({ name: `sleep_${seconds}`, text: `select 1 as v from pg_sleep(${seconds})` });

/** How long it took to fail for no fault of its own. */
async function failsAfter(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await assert.rejects(work, isTransient);
  return performance.now() - began;
}

// Each waits for seconds, on a pool and a proxy of its own.
describe('connections that die in silence', { concurrency: true }, () => {
  test('a statement on a connection that died in silence fails within seconds, and the next one works', async () => {
    await using world = await behindProxy();
    const { db, proxy } = world;
    // Two connections, of which one will be idle.
    await Promise.all([sleepFor(db, 0.1), sleepFor(db, 0.1)]);
    assert.equal(proxy.strand(), 2);
    assert.ok((await failsAfter(sleepFor(db, 0))) < 4500);
    // The idle one was as old: it was cut with it.
    assert.equal(db.usage.total, 0);
    const began = performance.now();
    assert.deepEqual(await sleepFor(db, 0), [{ v: 1 }]);
    assert.ok(performance.now() - began < 3000);
  });

  test('while nobody answers, statements fail at once; afterwards they work again', async () => {
    await using world = await behindProxy();
    const { db, proxy, told } = world;
    await sleepFor(db, 0);
    proxy.silence();
    const first = failsAfter(sleepFor(db, 0));
    // One that begins a second later is not asked after any more: by then it is known that nobody answers.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const second = failsAfter(sleepFor(db, 0));
    assert.ok((await first) < 4800);
    assert.ok((await second) < 4800);
    assert.ok((await failsAfter(sleepFor(db, 0))) < 3000);
    assert.ok((await failsAfter(db.transaction(() => Promise.resolve()))) < 3000);
    assert.ok(told.includes('the database does not answer'));
    await proxy.heal();
    const works = await until('statements to work', () => sleepFor(db, 0).catch(() => null), { deadlineMs: 4000 });
    assert.deepEqual(works, [{ v: 1 }]);
  });

  test('a statement that takes long is left alone, and so is a transaction that rests meanwhile', async () => {
    await using world = await behindProxy();
    const { db, told } = world;
    const rested = await db.transaction(async (tx) => {
      await tx.script('select 1');
      const long = await sleepFor(db, 2.7);
      return [...long, ...(await tx.query<{ v: number }>({ name: 'two', text: 'select 2 as v' }))];
    });
    assert.deepEqual(rested, [{ v: 1 }, { v: 2 }]);
    assert.deepEqual(told, []);
  });

  test('a transaction whose connection died between two statements fails', async () => {
    await using world = await behindProxy();
    const { db, proxy } = world;
    const cut = db.transaction(async (tx) => {
      await tx.script('select 1');
      proxy.strand();
      await tx.script('select 1');
    });
    assert.ok((await failsAfter(cut)) < 4500);
    assert.deepEqual(await sleepFor(db, 0), [{ v: 1 }]);
  });
});
