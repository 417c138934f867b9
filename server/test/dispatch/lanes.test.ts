import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { holdLanes } from '../../src/actions/hold-lanes.ts';
import { openPool } from '../../src/db/pool.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { until } from '../until.ts';
import { allLanes, type Holder, holder, makeLanes, setExpiry, stopHolders } from './shared-lanes.ts';

/*
 * Several instances share the lanes of one database. Leases are a minute long where nothing is to end by itself, so that whatever
 * moves was handed over.
 */

let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase();
  await makeLanes(database.db, 10);
});

afterEach(async () => {
  await stopHolders();
  await database.drop();
});

async function evenly(...holders: readonly Holder[]): Promise<void> {
  const most = Math.ceil(10 / holders.length);
  await until('the lanes are shared evenly', async () => {
    const lanes = await allLanes(database.db);
    const counts = holders.map(({ instance }) => lanes.filter(({ owner }) => owner === instance).length);
    return counts.reduce((sum, count) => sum + count, 0) === 10 && counts.every((n) => n === most || n === most - 1);
  });
}

const renewals = (one: Holder, count: number) => {
  const before = one.held.length;
  return until(`${count} renewals`, () => one.held.length >= before + count);
};

test('the first takes all, each newcomer gets its share, and then nothing moves', async () => {
  const { db } = database;
  const first = holder(db);
  await first.lease.start();
  assert.equal(first.lanes(), 10);
  const others = [holder(db), holder(db), holder(db)];
  for (const [i, one] of others.entries()) {
    await one.lease.start();
    await evenly(first, ...others.slice(0, i + 1));
  }
  await renewals(first, 2);
  const before = await allLanes(db);
  for (const one of [first, ...others]) await renewals(one, 15);
  assert.deepEqual(await allLanes(db), before, 'nothing moves');
  assert.ok(
    before.every(({ epoch }) => epoch <= 4),
    'no lane moved more often than there were newcomers',
  );
});

test('a lane is given back when its calls are over, and not before; renewals go on meanwhile', async () => {
  const { db } = database;
  const left: number[][] = [];
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const first = holder(db, {
    leave: (lanes) => {
      left.push([...lanes]);
      return over;
    },
  });
  await first.lease.start();
  const other = holder(db);
  await other.lease.start();
  await until('it begins to hand lanes over', () => left.length > 0);
  await Promise.all([renewals(first, 5), renewals(other, 5)]);
  assert.equal(other.lanes(), 0, 'not while calls are under way');
  assert.equal(first.lanes(), 10, 'until then they are settled under the old claim');
  end();
  await evenly(first, other);
  assert.deepEqual(
    left[0],
    (await allLanes(db)).filter(({ owner }) => owner === other.instance).map(({ id }) => id),
  );
  await renewals(first, 1);
  assert.deepEqual(
    first.held.flatMap(({ released }) => released),
    left[0],
    'it is told what it owns no more',
  );
  assert.deepEqual(left.at(-1), [], 'and then begins wherever it owns');
});

test('calls that do not end are not waited for beyond the patience', async () => {
  const first = holder(database.db, {
    leave: (lanes) => (lanes.length > 0 ? new Promise(() => {}) : Promise.resolve()),
    patience: 50,
  });
  await first.lease.start();
  const other = holder(database.db);
  await other.lease.start();
  await evenly(first, other);
});

test('at a stop the others take the lanes at once, long before the lease is over', async () => {
  const holders = [holder(database.db), holder(database.db), holder(database.db)] as const;
  for (const one of holders) await one.lease.start();
  await evenly(...holders);
  await holders[1].lease.stop();
  await evenly(holders[0], holders[2]);
  assert.equal((await database.db.query({ name: 'test_instances', text: 'select id from instances' })).length, 2);
});

test("a dead instance's lanes are shared by the others when its lease is over", async () => {
  const holders = [1, 2, 3].map(() => holder(database.db, { lease: 400 })) as [Holder, Holder, Holder];
  for (const one of holders) await one.lease.start();
  await evenly(...holders);
  const [dead, ...living] = holders;
  dead.die();
  await evenly(...living);
  const taken = (await allLanes(database.db)).filter(({ id }) => dead.lease.claim().lanes.includes(id));
  for (const { id, epoch } of taken) {
    const before = dead.lease.claim().epochs[dead.lease.claim().lanes.indexOf(id)] ?? 0;
    assert.ok(epoch > before, 'at a higher epoch');
  }
  await until('its lease is over for itself too', () => dead.lease.left() < 0);
});

test('lanes that another instance should take and does not are taken after two looks', async () => {
  // It lives and does nothing: half of all lanes are its share.
  await setExpiry(database.db, newId<InstanceId>(), 60_000);
  const one = holder(database.db, { lease: 400 });
  await one.lease.start();
  assert.equal(one.lanes(), 5, 'its share at once');
  await until('it has all', () => one.lanes() === 10);
  await renewals(one, 5);
  assert.equal(one.lanes(), 10, 'and they are not offered again at once');
});

test('a new lane is taken without delay by whoever has the fewest', async () => {
  const holders = [holder(database.db), holder(database.db), holder(database.db)] as const;
  for (const one of holders) await one.lease.start();
  await evenly(...holders);
  await makeLanes(database.db, 5);
  await until('all are owned, evenly', async () => {
    const lanes = await allLanes(database.db);
    return holders.every(({ instance }) => lanes.filter(({ owner }) => owner === instance).length === 5);
  });
});

test('an instance that slept owns nothing and changes nothing until it renews, and then gets its share again', async () => {
  const first = holder(database.db, { lease: 400, renewal: 30 });
  await first.lease.start();
  const other = holder(database.db, { lease: 400, renewal: 30 });
  // Its clock says that a minute has passed since: it slept.
  first.clock.now += 60_000;
  assert.ok(first.lease.left() < 0, 'a wall clock that went on while the other stood still tells it too');
  await other.lease.start();
  await until('it has noticed', () => first.losses === 1);
  await evenly(first, other);
  await until('its lease is good again', () => first.lease.left() > 0);
});

test('what is done about lanes may take long, or fail: the lease is renewed all the same, and everything is told', async () => {
  const slow = Promise.withResolvers<void>();
  let told = 0;
  const one = holder(database.db, {
    lease: 500,
    renewal: 20,
    async onHeld() {
      told++;
      if (told === 2) throw new Error('the senders cannot be read');
      if (told === 3) await slow.promise;
    },
  });
  await one.lease.start();
  await until('it is told for the third time', () => told === 3);
  const expiry = async () =>
    (
      await database.db.query<{ at: Date }>({
        name: 'test_expiry',
        text: 'select max(expires_at) as at from instances',
      })
    )[0]?.at ?? new Date(0);
  const before = await expiry();
  await until('it is renewed meanwhile', async () => (await expiry()).getTime() > before.getTime() + 1000);
  assert.ok(one.lease.left() > 0);
  assert.deepEqual([told, one.losses], [3, 0]);
  slow.resolve();
  await until('it is told of the renewals since', () => told > 6);
});

test("a jump of the database's clock makes nobody dead who renews", async () => {
  const { db } = database;
  const living = newId<InstanceId>();
  await holdLanes(db, living, { lease: 60_000, grace: 60_000, description: 'test' });
  const one = holder(db, { lease: 1000, renewal: 20 });
  await one.lease.start();
  await renewals(one, 3);
  // Three days on: every lease is over by the database's clock until its owner renews it.
  one.setDatabaseClock(3 * 86_400_000);
  await setExpiry(db, living, -1);
  await until('it sees the jump', () => one.steps.length === 1);
  await renewals(one, 5);
  assert.equal(one.lanes(), 0, 'it waits for others to renew');
  await setExpiry(db, living, 60_000);
  await renewals(one, 60);
  assert.deepEqual(
    (await allLanes(db)).map(({ owner }) => owner),
    Array.from({ length: 10 }, () => living),
  );
  // And who does not renew is dead a lease later.
  one.setDatabaseClock(0);
  await setExpiry(db, living, -1);
  await until('it has taken them', () => one.lanes() === 10);
  assert.deepEqual(
    one.steps.map((step) => Math.round(step / 86_400_000)),
    [3, -3],
  );
});

test('a lease that ends later than any can is none: the clock was set back after its owner died', async () => {
  const dead = newId<InstanceId>();
  await holdLanes(database.db, dead, { lease: 60_000, grace: 60_000, description: 'test' });
  await setExpiry(database.db, dead, 3 * 86_400_000);
  const one = holder(database.db);
  await one.lease.start();
  assert.equal(one.lanes(), 10);
  const rows = await database.db.query<{ id: string }>({ name: 'test_instances', text: 'select id from instances' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    [one.instance],
    'everything that asks whether it lives hears the same',
  );
});

test('a renewal waits for nobody who wants the database for other things', async () => {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const busy = openPool({ connection: database.url, max: 1, onError: () => {} });
  const work = busy.transaction(() => held);
  const waits = busy.query({ name: 'test_waits', text: 'select 1 as one' });
  const one = holder(busy, { leases: database.db });
  try {
    await one.lease.start();
    assert.equal(one.lanes(), 10);
    await renewals(one, 5);
    assert.deepEqual([one.losses, busy.usage.waiting], [0, 1]);
  } finally {
    letGo();
    await Promise.all([work, waits]);
    await stopHolders();
    await busy.close();
  }
});

test('what is locked while it starts, who is alone takes a moment later', async () => {
  const { db } = database;
  await holdLanes(db, newId<InstanceId>(), { lease: 60_000, grace: 60_000, description: 'test' });
  const one = holder(db, { alone: true });
  await db.transaction(async (tx) => {
    await tx.query({ name: 'test_lock', text: 'select from lanes order by id limit 1 for share' });
    await one.lease.start();
    assert.equal(one.lanes(), 9);
  });
  await until('it has the last one too', () => one.lanes() === 10);
});

test('who died long ago and owns nothing is forgotten', async () => {
  await setExpiry(database.db, newId<InstanceId>(), -120_000);
  const one = holder(database.db);
  await one.lease.start();
  assert.equal((await database.db.query({ name: 'test_instances', text: 'select id from instances' })).length, 1);
});

test('who is alone asks no more than three times a renewal, and shares nothing', async () => {
  const names: string[] = [];
  const { db } = database;
  const counting = {
    ...db,
    query: <Row extends object>(statement: { name: string; text: string }, values?: readonly unknown[]) => {
      names.push(statement.name);
      return db.query<Row>(statement, values);
    },
    get usage() {
      return db.usage;
    },
  };
  const one = holder(counting, { alone: true });
  await one.lease.start();
  assert.equal(one.lanes(), 10);
  names.length = 0;
  await renewals(one, 3);
  assert.deepEqual([...new Set(names)].sort(), ['instance_beat', 'lanes_find_owned', 'lanes_view']);
  await makeLanes(db, 1);
  await until('a new lane is taken', () => one.lanes() === 11);
});
