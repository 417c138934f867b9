import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import type { ConversationId } from '../../src/domain/ids.ts';
import { findContactZones, findLaneLimits, findQuietHours } from '../../src/store/messaging-limits.read.ts';
import { releaseNextPutOff, releasePutOff } from '../../src/store/put-off.write.ts';
import {
  findReach,
  findReachedBefore,
  forgetReached,
  mergeReached,
  pruneReached,
  writeReached,
} from '../../src/store/reached-users.write.ts';
import { adoptStrays } from '../../src/store/tending.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* Counting users costs the same for a portfolio that reaches 250 and for one that reaches 100,000. */

const USERS = 30_000;
let world: EngineWorld;
let own: TenantWorld;
let other: TenantWorld;
let conversation: ConversationId;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  other = await world.tenant();
  conversation = (await own.read(await own.accept())).conversation_id;
  const users = `
    insert into reached_users (lane_id, address, reached_at)
    select lane, '+62' || i, clock_timestamp() - i * interval '2 seconds'
    from unnest(array[$1::int, $2::int]) as lane, generate_series(1, $3::int) as i`;
  await world.db.query({ name: 'test_users', text: users }, [own.lane, other.lane, USERS]);
  const reach = `insert into lane_reach (lane_id, users) select lane, $3 from unnest(array[$1::int, $2::int]) as lane`;
  await world.db.query({ name: 'test_reach', text: reach }, [own.lane, other.lane, USERS]);
  const due = `
    insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, cause)
    select $1, gen_random_uuid(), $2, $3, 1, now() + i * interval '1 s', 'messaging_limit' from generate_series(1, $4::int) as i`;
  await world.db.query({ name: 'test_due', text: due }, [own.tenant, own.lane, own.sender, USERS]);
  await world.db.script('analyze reached_users, lane_reach, due, conversations, contacts, senders, lanes, tenants');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

const asked = (address: string) => ({ lane: own.lane, tenant: own.tenant, conversation, address });

test('what decides whether messages fit is found by key', async () => {
  await cheap(2, (tx) => findReach(tx, [asked('+621'), asked('+490')]));
  await cheap(3, (tx) => writeReached(tx, [{ lane: own.lane, address: '+622' }]));
  await cheap(2, (tx) => findLaneLimits(tx, [own.lane]));
  await cheap(2, (tx) => findQuietHours(tx, [own.lane]));
  await cheap(2, (tx) => findContactZones(tx, [{ tenant_id: own.tenant, conversation_id: conversation }]));
});

test('the next places are read up to as many as are wanted, and the forgotten as many as are forgotten', async () => {
  const ask = { lane: own.lane, after: 0, skipped: 20, wanted: 50 };
  await cheap(70, (tx) => findReachedBefore(tx, [ask], 3_600_000));
  await cheap(101, (tx) => forgetReached(tx, [own.lane], 100));
  await cheap(201, (tx) => pruneReached(tx, 100));
});

test('what waits for a place is found without looking at anything else', async () => {
  const what = { lanes: [own.lane], cause: 'messaging_limit', tenant: null } as const;
  await cheap(200, (tx) => releasePutOff(tx, own.claim, what, 100));
});

test('what is looked at again step by step, and what stands in a lane its sender has left, is found by the lane', async () => {
  const what = { lanes: [own.lane], cause: 'messaging_limit', tenant: null } as const;
  await cheap(USERS, (tx) => releaseNextPutOff(tx, own.claim, what, null, 100));
  await cheap(20, (tx) => adoptStrays(tx));
});

test('whom a lane has reached lately follows a sender by time', async () => {
  await cheap(61, (tx) => mergeReached(tx, [other.lane], own.lane, 120_000));
});
