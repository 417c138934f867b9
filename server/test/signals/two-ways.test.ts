import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createNoticeBoard } from '../../src/actions/notices.ts';
import { type ConversationId, type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { createRedisLink, type RedisLink } from '../../src/outside/redis.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Carrier } from '../../src/signals/carrier.ts';
import { createPostgresSignals } from '../../src/signals/postgres-signals.ts';
import { createRedisSignals } from '../../src/signals/redis-signals.ts';
import type { Word } from '../../src/signals/signals.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { NO_REDIS, type RedisServer, redisOf } from '../outside/redis-server.ts';
import { until } from '../until.ts';
import { type BusInstance, bear, instanceWith, quiet } from './buses.ts';
import { startRelay } from './relay.ts';

interface Pair extends BusInstance {
  link: RedisLink;
  carriers: [Carrier, Carrier];
}

/** An instance with both carriers, as the program has it where Redis is configured. */
async function withBoth(t: TestContext, { db }: TestDatabase, url: string): Promise<Pair> {
  const id = newId<InstanceId>();
  await bear(db, id);
  const link = createRedisLink({ url, logger: quiet });
  await link.start();
  const carriers: [Carrier, Carrier] = [
    createRedisSignals({ pubsub: link, channel: 'test:signals', instance: id }),
    createPostgresSignals({ board: createNoticeBoard(db, id), clock: systemClock, logger: quiet }),
  ];
  const one = instanceWith(id, carriers);
  await one.signals.start();
  t.after(async () => {
    await one.signals.stop();
    await link.stop();
  });
  return { ...one, link, carriers };
}

async function databaseOf(t: TestContext): Promise<TestDatabase> {
  const database = await testDatabase();
  t.after(() => database.drop());
  return database;
}

const acquainted = (...all: Pair[]) =>
  until('they know of each other by both ways', () =>
    all.every(({ carriers }) => carriers.every((carrier) => carrier.works && carrier.others >= all.length - 1)),
  );

const words = (instance: BusInstance): number[] => {
  const heard: number[] = [];
  instance.signals.hear((word) => {
    if (word.kind === 'typing') heard.push(word.at);
  });
  return heard;
};

function typing(at: number): Word {
  const conversation = newId<ConversationId>();
  return { kind: 'typing', tenant: newId<TenantId>(), conversation, user: 'anna', is_typing: true, at };
}

const rows = async ({ db }: TestDatabase) =>
  (await db.query<{ n: number }>({ name: 'count', text: 'select count(*)::int as n from notices' }))[0]?.n ?? -1;

async function heardBy(instance: BusInstance, from: BusInstance, what: string): Promise<void> {
  let heard = false;
  const end = instance.signals.listen('media', () => {
    heard = true;
  });
  from.signals.notify('media');
  await until(what, () => heard);
  end();
}

test('with Redis nothing is written to the database; with Redis stopped or emptied it goes by the database, and back', {
  skip: NO_REDIS,
}, async (t) => {
  const database = await databaseOf(t);
  const redis: RedisServer = await redisOf(t);
  const [one, two] = [await withBoth(t, database, redis.url), await withBoth(t, database, redis.url)];
  await acquainted(one, two);
  const before = await rows(database);
  const heard = words(two);
  for (let at = 0; at < 50; at++) one.signals.say(typing(at));
  await heardBy(two, one, 'it is heard by Redis');
  assert.equal(await rows(database), before, 'no row was written');

  await redis.kill();
  await until('it is away', () => !one.link.works && !two.link.works);
  for (let at = 50; at < 100; at++) one.signals.say(typing(at));
  await heardBy(two, one, 'it is heard by the database');
  assert.ok((await rows(database)) > before);

  await redis.restart();
  await until('it is back', () => one.link.works && two.link.works);
  await acquainted(one, two);
  assert.ok((two.counts.get('gap') ?? 0) >= 1, 'after the gap everything was looked at');
  for (let at = 100; at < 150; at++) one.signals.say(typing(at));
  await heardBy(two, one, 'it is heard by Redis again');
  await until('all words came', () => heard.length >= 150);
  assert.deepEqual(
    heard,
    Array.from({ length: 150 }, (_, at) => at),
  );
});

test('a Redis that stands still with its connections open is given up, and nothing waits for it', {
  skip: NO_REDIS,
}, async (t) => {
  const database = await databaseOf(t);
  const redis = await redisOf(t);
  const [one, two] = [await withBoth(t, database, redis.url), await withBoth(t, database, redis.url)];
  await acquainted(one, two);
  redis.freeze();
  await heardBy(two, one, 'it is heard by the database');
  await until('both give it up', () => !one.link.works && !two.link.works);
  redis.thaw();
  await until('it is back', () => one.link.works && two.link.works);
  await heardBy(one, two, 'it is heard by Redis again');
});

test('an instance that alone cannot reach Redis hears the others, and is heard', { skip: NO_REDIS }, async (t) => {
  const database = await databaseOf(t);
  const redis = await redisOf(t);
  const relay = await startRelay({ host: '127.0.0.1', port: redis.port });
  t.after(() => relay.close());
  const [one, two, cut] = [
    await withBoth(t, database, redis.url),
    await withBoth(t, database, redis.url),
    await withBoth(t, database, `redis://127.0.0.1:${relay.port}`),
  ];
  await acquainted(one, two, cut);
  const heard = [words(one), words(two), words(cut)];
  relay.cut();
  await until('it is away for that one', () => !cut.link.works && one.link.works);
  for (let at = 0; at < 30; at++) one.signals.say(typing(at));
  await heardBy(cut, one, 'the one that is cut off hears');
  await heardBy(two, cut, 'it is heard by one');
  await heardBy(one, cut, 'and by the other');
  await until('all words came', () => heard.every((list) => list.length >= 30));
  for (const list of heard)
    assert.deepEqual(
      list,
      Array.from({ length: 30 }, (_, at) => at),
      'once each, in order',
    );
});

test('an instance that is alone writes nothing, whatever it tells', async (t) => {
  const { db, ...database } = await databaseOf(t);
  const id = newId<InstanceId>();
  await bear(db, id);
  const carrier = createPostgresSignals({ board: createNoticeBoard(db, id), clock: systemClock, logger: quiet });
  const one = instanceWith(id, [carrier]);
  await one.signals.start();
  t.after(() => one.signals.stop());
  await until('it has looked around', () => carrier.works);
  for (let i = 0; i < 1000; i++) one.signals.notify('media');
  one.signals.say(typing(1));
  await one.signals.stop();
  assert.equal(await rows({ db, ...database }), 0);
});

test('by the database a notice crosses within half a second', async (t) => {
  const { db } = await databaseOf(t);
  const [one, two] = await Promise.all(
    [0, 1].map(async () => {
      const id = newId<InstanceId>();
      await bear(db, id);
      const carrier = createPostgresSignals({ board: createNoticeBoard(db, id), clock: systemClock, logger: quiet });
      const made = instanceWith(id, [carrier]);
      await made.signals.start();
      t.after(() => made.signals.stop());
      return { ...made, carrier };
    }),
  );
  assert.ok(one && two);
  await until('they know of each other', () => one.carrier.others === 1 && two.carrier.others === 1);
  const took: number[] = [];
  for (let i = 0; i < 10; i++) {
    const since = performance.now();
    await heardBy(two, one, 'it crosses');
    took.push(performance.now() - since);
  }
  took.sort((a, b) => a - b);
  t.diagnostic(`ms: ${took.map(Math.round).join(' ')}`);
  // The median, for what a busy machine does to one of them says nothing.
  assert.ok((took[5] ?? 0) < 500, took.join(' '));
});

test('who could not read for so long that notices may be gone is told to look at everything, once', async () => {
  let now = 0;
  let fails = false;
  const board = {
    end: async () => ({ xid: '1', id: '' }),
    async read() {
      if (fails) throw new Error('away');
      return { notices: [], next: { xid: '1', id: '' }, others: 1, more: false };
    },
    write: async () => {},
    prune: async () => {},
  };
  const carrier = createPostgresSignals({ board, clock: { now: () => now, monotonic: () => now }, logger: quiet });
  const { signals, counts } = instanceWith(newId<InstanceId>(), [carrier]);
  let told = 0;
  signals.listen('keys', () => {
    told++;
  });
  await signals.start();
  await until('it reads', () => carrier.works);
  fails = true;
  await until('it does not', () => !carrier.works);
  now += 20_000;
  fails = false;
  await until('it reads again', () => carrier.works);
  assert.equal(told, 0, 'nothing can have been pruned yet');
  fails = true;
  await until('it does not', () => !carrier.works);
  now += 60_000;
  fails = false;
  await until('everybody is told', () => told > 0);
  await until('it reads again', () => carrier.works);
  assert.deepEqual([told, counts.get('gap')], [1, 1]);
  await signals.stop();
});

test('old notices are pruned, and young ones are not', async (t) => {
  const { db } = await databaseOf(t);
  const from = newId<InstanceId>();
  const board = createNoticeBoard(db, from);
  const place = await board.end();
  const old = { id: newId(Date.now()), from, topics: ['media' as const], words: [] };
  for (let i = 0; i < 450; i++) await board.write({ ...old, id: newId() });
  const before = newId();
  await board.write({ ...old, id: newId() });
  await board.prune(before);
  const { notices } = await createNoticeBoard(db, newId<InstanceId>()).read(place);
  assert.equal(notices.length, 1);
});

test('a page at a time, every notice of the others is read once, in order, and none of the own', async (t) => {
  const { db } = await databaseOf(t);
  const [from, reader] = [newId<InstanceId>(), newId<InstanceId>()];
  const [writing, reading] = [createNoticeBoard(db, from), createNoticeBoard(db, reader)];
  let place = await reading.end();
  const written: string[] = [];
  for (let i = 0; i < 450; i++) {
    const id = newId();
    written.push(id);
    await writing.write({ id, from, topics: ['media'], words: [typing(i)] });
    if (i % 3 === 0) await reading.write({ id: newId(), from: reader, topics: ['media'], words: [] });
  }
  const read: string[] = [];
  for (let more = true; more; ) {
    const page = await reading.read(place);
    read.push(...page.notices.map(({ id }) => id));
    ({ next: place, more } = page);
  }
  assert.deepEqual(read, written);
  assert.deepEqual((await reading.read(place)).notices, []);
});
