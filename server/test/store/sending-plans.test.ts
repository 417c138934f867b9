import { after, before, test } from 'node:test';
import { type EventId, newId } from '../../src/domain/ids.ts';
import {
  beginAttempts,
  type Claimed,
  findDue,
  putOffDue,
  settleFailedAttempts,
  settleForAnother,
  settleSent,
  settleUnknownAttempts,
} from '../../src/store/sending.write.ts';
import { type EngineWorld, engineWorld, GRACE, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/*
 * The work of a lane costs by what is begun and settled, and not by what waits; also before the database has counted what waits: the
 * first campaign of a new installation is there before the first count of it.
 */

const WAITING = 3000;
const TOGETHER = 20;
let world: EngineWorld;
let own: TenantWorld;
before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  // Nobody counts these rows but the tests.
  await world.db.script('alter table due set (autovacuum_enabled = false)');
});
after(() => world.close());

async function fill(state: 'queued' | 'sending', count: number): Promise<void> {
  await world.db.script(`
    insert into due (tenant_id, message_id, lane_id, sender_id, state, priority, due_at, attempt, epoch, started_at)
    select '${own.tenant}', gen_random_uuid(), ${own.lane}, '${own.sender}', '${state}', 1, now() - interval '1 hour', 1, 1, now()
    from generate_series(1, ${count})`);
}

async function someOf(state: 'queued' | 'sending'): Promise<Claimed[]> {
  return world.db.query<Claimed>({
    name: `test_some_${state}`,
    text: `select tenant_id, message_id, lane_id, sender_id, attempt from due where state = '${state}' order by message_id limit ${TOGETHER}`,
  });
}

async function assertAllCheap(): Promise<void> {
  const { db } = world;
  const queued = await someOf('queued');
  const sending = await someOf('sending');
  const keys = sending.map(({ tenant_id: tenant, message_id: message, attempt }) => ({
    ...{ tenant, message, attempt, event: newId<EventId>() },
  }));
  const most = 3 * TOGETHER;
  await assertCheap(db, most, (tx) => findDue(tx, [{ lane: own.lane, sender: own.sender, limits: [5, 5, 5] }]));
  await assertCheap(db, most, (tx) => beginAttempts(tx, own.claim, queued, GRACE));
  const candidates = queued.map((candidate) => ({ candidate, delay: 1000, cause: 'order' as const }));
  await assertCheap(db, most, (tx) => putOffDue(tx, own.claim, candidates));
  const sent = keys.map((key) => ({ ...key, wamid: key.message }));
  await assertCheap(db, most, (tx) => settleSent(tx, own.claim, sent, 0));
  await assertCheap(db, most, (tx) => settleUnknownAttempts(tx, own.claim, keys));
  const again = { delay: 1000, outcome: 'retry', code: 1, detail: null, cause: null } as const;
  await assertCheap(db, most, (tx) =>
    settleForAnother(
      tx,
      own.claim,
      keys.map((key) => ({ ...key, ...again })),
    ),
  );
  const failed = {
    code: 1,
    word: 'send_failed',
    title: 'x',
    detail: null,
    source: 'answer',
    outcome: 'refused',
  } as const;
  await assertCheap(db, most, (tx) =>
    settleFailedAttempts(
      tx,
      own.claim,
      keys.map((key) => ({ ...key, ...failed })),
      0,
    ),
  );
}

test('what waits was never counted', async () => {
  await fill('queued', WAITING);
  await fill('sending', WAITING);
  await assertAllCheap();
});

test('it was counted', async () => {
  await world.db.script('analyze due');
  await assertAllCheap();
});

for (const before of [0, 1, TOGETHER, 500]) {
  test(`it was counted when it was ${before}`, async () => {
    await world.db.script('truncate due');
    await fill('queued', before);
    await fill('sending', before);
    await world.db.script('analyze due');
    await fill('queued', WAITING);
    await fill('sending', WAITING);
    await assertAllCheap();
  });
}
