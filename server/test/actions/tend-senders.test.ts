import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccounts } from '../../src/actions/accounts.ts';
import { pruneStore } from '../../src/actions/keep-store.ts';
import { recordAccountSync, takeDueAccounts } from '../../src/actions/sync-accounts.ts';
import { findStrayWork, tendSenderWork } from '../../src/actions/tend-senders.ts';
import { retryingOnConflict } from '../../src/db/retry.ts';
import type { AccountFacts } from '../../src/domain/account.ts';
import { createUpkeep } from '../../src/jobs/upkeep.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { writeReached } from '../../src/store/reached-users.write.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());

const going = new AbortController().signal;
const tend = () => tendSenderWork(world.db, world.signals, going);

async function rows<Row extends object>(name: string, text: string, ...values: unknown[]): Promise<Row[]> {
  return world.db.query<Row>({ name: `test_${name}`, text }, values);
}

const laneOf = async ({ sender }: TenantWorld) =>
  (await rows<{ lane_id: number }>('lane_of', 'select lane_id from senders where id = $1', sender))[0]?.lane_id ?? 0;

const moveTo = (own: TenantWorld, lane: number) =>
  rows('move_to', 'update senders set lane_id = $2 where id = $1', own.sender, lane);

let accounts = 700_000;

/** Has WhatsApp tell of an account with these tenants' numbers, which are of a portfolio. */
async function tellPortfolio(portfolio: string, ...owners: readonly TenantWorld[]): Promise<void> {
  const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
  const id = String(++accounts);
  const tenant = owners[0]?.tenant;
  assert.ok(tenant);
  await createAccounts({ ...world, sealer }).create(tenant, { id, access_token: 'good', add_numbers: false });
  const account = (await takeDueAccounts(world.db, 100, 60_000)).find((one) => one.id === id);
  assert.ok(account);
  const unknown = { phone: null, verified_name: null, name_status: null, quality: null, throughput: null };
  const numbers = owners.map((own) => ({ ...unknown, phone_number_id: own.phoneNumberId, gone: false }));
  const facts: AccountFacts = {
    ...{ name: null, portfolio_id: portfolio, review_status: null, messaging_limit: null },
    ...{ subscribed: null, subscribe_detail: null, token_expires_at: null, numbers },
  };
  await recordAccountSync({ ...world, sealer, every: 3_600_000 }, account, { kind: 'read', facts });
}

/** Users whom a lane has written to, by how many hours ago. */
async function reach(lane: number, users: Readonly<Record<string, number>>): Promise<void> {
  for (const [address, hours] of Object.entries(users)) {
    const text = `insert into reached_users values ($1, $2, clock_timestamp() - $3 * interval '1 hour')`;
    await rows('reach', text, lane, address, hours);
  }
  const text = `insert into lane_reach (lane_id, users) values ($1, $2)
    on conflict (lane_id) do update set users = lane_reach.users + excluded.users`;
  await rows('count', text, lane, Object.keys(users).length);
}

/** What a lane counts: its users by the hours since, and what `lane_reach` says of how many they are. */
async function counted(lane: number): Promise<[Record<string, number>, number]> {
  const text = `select address, round(extract(epoch from clock_timestamp() - reached_at) / 3600)::int as hours
    from reached_users where lane_id = $1 order by address`;
  const users = await rows<{ address: string; hours: number }>('counted', text, lane);
  const [reach] = await rows<{ users: number }>('users', 'select users from lane_reach where lane_id = $1', lane);
  return [Object.fromEntries(users.map(({ address, hours }) => [address, hours])), reach?.users ?? 0];
}

test('what is written late into a lane that its sender has left is found and follows; nothing else moves', async () => {
  const [own, other, target] = [await world.tenant(), await world.tenant(), await world.tenant()];
  const late = await own.accept();
  const scheduled = await own.accept({ scheduled_at: Date.now() + 3_600_000 });
  const stays = await other.accept();
  // As it stands when the move was over before these were written.
  await moveTo(own, target.lane);
  assert.equal(await tend(), 0);
  let woken = 0;
  const unlisten = world.signals.listen(`due:${target.lane}`, () => woken++);
  assert.equal(await findStrayWork(world.db), 1);
  assert.equal(await tend(), 2);
  unlisten();
  assert.equal(woken, 1);
  const where = await rows<{ message_id: string; lane_id: number }>('where', 'select message_id, lane_id from due');
  const lanes = new Map(where.map(({ message_id, lane_id }) => [message_id, lane_id]));
  assert.deepEqual(
    [late, scheduled, stays].map((id) => lanes.get(id)),
    [target.lane, target.lane, other.lane],
  );
  assert.equal(await findStrayWork(world.db), 0);
  const tended = await rows(
    'tended',
    'select id from senders where tend_until is not null or previous_lane_id is not null',
  );
  assert.deepEqual(tended, [], 'it is over');
  await assertSound(world.db);
});

test('upkeep finds them, and says so', async (t) => {
  const [own, target] = [await world.tenant(), await world.tenant()];
  await own.accept();
  await moveTo(own, target.lane);
  const logged: string[] = [];
  let time = 0;
  const upkeep = createUpkeep({
    db: world.db,
    // A minute goes by whenever it is asked.
    clock: {
      now: Date.now,
      monotonic() {
        time += 61_000;
        return time;
      },
    },
    logger: { debug: () => {}, warn: (about: object) => void logged.push(JSON.stringify(about)) },
    retention: { keys: 3_600_000, webhooks: 3_600_000 },
  });
  t.after(() => upkeep.stop());
  await upkeep.start();
  await until('its work follows', async () => (await tend()) === 1);
  await until('it is said', () => logged.length > 0);
  assert.deepEqual(logged, ['{"senders":1}']);
});

test('strays in several lanes follow one lane at a time, and a move that is under way is left alone', async () => {
  const [own, target] = [await world.tenant(), await world.tenant()];
  const places = [await world.tenant(), await world.tenant()];
  for (const place of places) {
    await moveTo(own, place.lane);
    await own.accept();
  }
  await moveTo(own, target.lane);
  const moved: number[] = [];
  for (let i = 0; i < 3; i++) {
    await findStrayWork(world.db);
    moved.push(await tend());
  }
  assert.deepEqual(moved, [1, 1, 0]);
  await own.accept();
  await moveTo(own, own.lane);
  await rows(
    'moving',
    `update senders set previous_lane_id = $2, tend_until = now() + interval '1 hour' where id = $1`,
    own.sender,
    places[0]?.lane,
  );
  assert.equal(await findStrayWork(world.db), 0);
});

test('whom a number has reached comes with it into the lane of its portfolio: each user once, by the later time', async () => {
  const [one, two, portfolio] = [await world.tenant(), await world.tenant(), await world.tenant()];
  const [both, early, late, old, fresh, gone] = Array.from({ length: 6 }, newPhone) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  await reach(one.lane, { [both]: 5, [early]: 20, [late]: 2, [gone]: 30 });
  await reach(two.lane, { [both]: 3, [fresh]: 1 });
  await reach(portfolio.lane, { [early]: 4, [late]: 9, [old]: 26 });
  await tellPortfolio(portfolio.phoneNumberId, one, two);
  assert.deepEqual([await laneOf(one), await laneOf(two)], [portfolio.lane, portfolio.lane]);
  const users = { [both]: 3, [early]: 4, [late]: 2, [old]: 26, [fresh]: 1 };
  assert.deepEqual(await counted(portfolio.lane), [users, 5]);
  // Told again it is the same.
  await tellPortfolio(portfolio.phoneNumberId, one, two);
  assert.deepEqual(await counted(portfolio.lane), [users, 5]);
  // The owner before had not heard of the move.
  const last = newPhone();
  await reach(one.lane, { [last]: 0 });
  await tend();
  await tend();
  assert.deepEqual(await counted(portfolio.lane), [{ ...users, [last]: 0 }, 6]);
  await pruneStore(world.db, { keys: 3_600_000, webhooks: 3_600_000 }, Date.now());
  const { [old]: _, ...young } = { ...users, [last]: 0 };
  assert.deepEqual(await counted(portfolio.lane), [young, 5]);
});

test('users who are written to while others come with a number are counted once each', async () => {
  const [own, portfolio] = [await world.tenant(), await world.tenant()];
  const users = Array.from({ length: 200 }, newPhone);
  await reach(own.lane, Object.fromEntries(users.map((address) => [address, 1])));

  const write = (from: number) =>
    retryingOnConflict(() =>
      writeReached(
        world.db,
        users.slice(from, from + 60).map((address) => ({ lane: portfolio.lane, address })),
      ),
    );
  await Promise.all([write(0), tellPortfolio(portfolio.phoneNumberId, own), write(40), write(140)]);
  const [all, count] = await counted(portfolio.lane);
  assert.deepEqual([Object.keys(all).length, count], [200, 200]);
});
