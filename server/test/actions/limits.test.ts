import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { createBatchAcceptor } from '../../src/actions/accept-batch.ts';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import type { Accepted, AcceptedBatch, BatchItem, Idempotency } from '../../src/actions/accepted.ts';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import { cancelMessage, retryMessage } from '../../src/actions/change-message.ts';
import { expireMessages } from '../../src/actions/expire-messages.ts';
import { openPool } from '../../src/db/pool.ts';
import { type InstanceId, type MessageId, newId } from '../../src/domain/ids.ts';
import type { Caps } from '../../src/domain/limits.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { pruneLimits } from '../../src/store/limits.write.ts';
import { type EngineWorld, engineWorld, RULES, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
afterEach(async () => {
  armFailpoints([]);
  await assertSound(world.db);
  await assertCounted();
});
after(() => world.close());

const caps = (monthly: number | null, daily: number | null = null): Caps => ({ monthly, daily });
const keyed = (key: string): Idempotency => ({ key, hash: createHash('sha256').update('body').digest() });

/** What is used of each limit, changes that are not counted in yet included, is what messages hold. */
async function assertCounted(): Promise<void> {
  const wrong = await world.db.query<object>({
    name: 'test_limits_counted',
    text: `
with told as (
  select tenant_id, scope_id, starts_at, used + coalesce((select sum(c.n) from limit_changes c
    where (c.tenant_id, c.scope_id, c.starts_at) = (u.tenant_id, u.scope_id, u.starts_at)), 0) as used
  from limit_use u
), found as (
  select m.tenant_id, h.scope_id, h.starts_at, count(*) as used
  from messages m cross join lateral (values
    (1, m.tenant_id, date_trunc('month', m.created_at)), (2, m.sender_id, date_trunc('day', m.created_at))
  ) as h(bit, scope_id, starts_at)
  where m.reserved & h.bit <> 0 and m.state not in ('failed', 'cancelled', 'expired') group by 1, 2, 3
)
select * from told t full join found f using (tenant_id, scope_id, starts_at)
where coalesce(t.used, 0) <> coalesce(f.used, 0)`,
  });
  assert.deepEqual(wrong, [], 'limits equal messages');
}

function countOf(answers: readonly (Accepted | AcceptedBatch)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const word = answer.kind === 'limited' ? answer.code : answer.kind;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function batchOf(own: TenantWorld, size: number, limits: Caps): BatchItem[] {
  return Array.from({ length: size }, () => ({ kind: 'message', message: own.message({ caps: limits }) }));
}

async function messages({ tenant }: TenantWorld): Promise<number> {
  const text = 'select count(*)::int as n from messages where tenant_id = $1';
  return (await world.db.query<{ n: number }>({ name: 'test_count', text }, [tenant]))[0]?.n ?? 0;
}

function accepting(own: TenantWorld) {
  const acceptor = createAcceptor(world);
  return (limits: Caps | null, key: Idempotency | null = null) =>
    acceptor.accept(own.tenant, own.message({ caps: limits }), key);
}

async function accepted(answer: Promise<Accepted>): Promise<MessageId> {
  const given = await answer;
  return given.kind === 'accepted' ? given.message.id : assert.fail(given.kind);
}

test('the last place is given once, to whom came from wherever; a refused request leaves nothing, not even its key', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 4, onError: () => {} });
  const [here, there] = [createAcceptor(world), createAcceptor({ db: other, signals: world.signals, slot: 6 })];
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, i) =>
      (i % 2 ? here : there).accept(own.tenant, own.message({ caps: caps(50) }), keyed(`k${i}`)),
    ),
  );
  await other.close();
  assert.deepEqual(countOf(answers), { accepted: 50, quota_exceeded: 70 });
  assert.equal(await messages(own), 50);
  const refused = answers.findIndex((answer) => answer.kind === 'limited');
  const again = await createAcceptor(world).accept(own.tenant, own.message({ caps: caps(51) }), keyed(`k${refused}`));
  assert.ok(again.kind === 'accepted' && !again.replayed);
  // Whoever was accepted is answered again, though nothing is left.
  const first = answers.findIndex((answer) => answer.kind === 'accepted');
  const replay = await createAcceptor(world).accept(own.tenant, own.message({ caps: caps(51) }), keyed(`k${first}`));
  assert.ok(replay.kind === 'accepted' && replay.replayed);
});

test('tenants, senders and messages without limits keep apart, also in one commit', async () => {
  const [one, two] = [await world.tenant(), await world.tenant()];
  const acceptor = createAcceptor(world);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      const own = i % 2 ? one : two;
      return acceptor.accept(own.tenant, own.message({ caps: i % 3 === 0 ? null : caps(100, i % 2 ? 5 : 9) }), null);
    }),
  );
  assert.deepEqual(countOf(answers), { accepted: 34, daily_limit_reached: 26 });
  assert.deepEqual([await messages(one), await messages(two)], [15, 19]);
});

test('what is refused says when there is room again', async () => {
  const own = await world.tenant();
  const accept = accepting(own);
  const daily = await accept(caps(10, 0));
  const monthly = await accept(caps(0, 10));
  const now = new Date();
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  assert.deepEqual(
    [daily, monthly],
    [
      { kind: 'limited', code: 'daily_limit_reached', resets_at: new Date(Date.UTC(year, month, day + 1)) },
      { kind: 'limited', code: 'quota_exceeded', resets_at: new Date(Date.UTC(year, month + 1, 1)) },
    ],
  );
});

test('whoever ends without having been sent gives its place back; a person who retries it needs a place again', async () => {
  const own = await world.tenant();
  const accept = accepting(own);
  const limits = caps(2, 2);
  const failing = await own.sending({ caps: limits });
  const cancelled = await accepted(accept(limits));
  assert.equal((await accept(limits)).kind, 'limited');

  await own.settle(failing, { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null });
  assert.equal((await own.read(failing.message_id)).state, 'failed');
  await cancelMessage(world.db, world.signals, own.tenant, cancelled, null);
  const [next] = [await accepted(accept(limits)), await accepted(accept(limits))];
  assert.equal((await accept(limits)).kind, 'limited');

  // A person's retry needs a place like any other.
  const retry = () => retryMessage(world.db, world.signals, own.tenant, failing.message_id, null, { usual: limits });
  await assert.rejects(retry(), { code: 'quota_exceeded' });
  assert.equal((await own.read(failing.message_id)).state, 'failed');
  await cancelMessage(world.db, world.signals, own.tenant, next, null);
  assert.equal(await retry(), 'queued');
  assert.equal((await accept(limits)).kind, 'limited');
});

test('a failed message that was sent after all takes its place again, also where there is none', async () => {
  const own = await world.tenant();
  const accept = accepting(own);
  const send = await own.sending({ caps: caps(2) });
  await own.settle(send, { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null });
  for (let i = 0; i < 2; i++) await accepted(accept(caps(2)));
  const { tenant_id: tenant, sender_id: sender, message_id: message, attempt, started_at } = send;
  const receipt = { tenant, sender, message, attempt, wamid: 'wamid.late', at: started_at + 5000 };
  const receipts = [{ ...receipt, status: 'delivered' as const }];
  await applyReceipts(world.db, world.signals, { receipts, failed: [], doneWork: [] }, RULES);
  assert.equal((await own.read(message)).state, 'delivered');
  assert.equal((await accept(caps(3))).kind, 'limited');
  assert.equal((await accept(caps(4))).kind, 'accepted');
});

test('expired messages give back as well', async () => {
  const own = await world.tenant();
  const acceptor = createAcceptor(world);
  const message = own.message({ caps: caps(1), expires_at: Date.now() + 500 });
  await acceptor.accept(own.tenant, message, null);
  let ended = 0;
  while (ended === 0) ended = await expireMessages(world.db, world.signals, own.claim.lanes);
  assert.equal((await acceptor.accept(own.tenant, own.message({ caps: caps(1) }), null)).kind, 'accepted');
});

test('a lower limit refuses what is new and breaks nothing that is there', async () => {
  const own = await world.tenant();
  const accept = accepting(own);
  const ids: MessageId[] = [];
  for (let i = 0; i < 5; i++) ids.push(await accepted(accept(caps(5))));
  assert.equal((await accept(caps(2))).kind, 'limited');
  for (const id of ids.slice(0, 3)) await cancelMessage(world.db, world.signals, own.tenant, id, null);
  assert.equal((await accept(caps(2))).kind, 'limited');
  assert.equal((await accept(caps(3))).kind, 'accepted');
  // What was accepted while there was no limit is in none.
  const free = await accepted(accept(null));
  await cancelMessage(world.db, world.signals, own.tenant, free, null);
  assert.equal((await accept(caps(3))).kind, 'limited');
});

test('a batch is refused item by item, with a key in chunks too, and keeps its answer', async () => {
  const own = await world.tenant();
  const acceptBatch = createBatchAcceptor({ ...world, instance: newId<InstanceId>() });
  const whole = await acceptBatch(own.tenant, batchOf(own, 700, caps(1200)), null);
  const chunks = () => acceptBatch(own.tenant, batchOf(own, 700, caps(1200)), keyed('batch'));
  const [part, again] = [await chunks(), await chunks()];
  assert.ok(whole.kind === 'accepted' && part.kind === 'accepted' && again.kind === 'accepted');
  assert.deepEqual([whole.accepted, whole.refused, part.accepted, part.refused], [700, 0, 500, 200]);
  assert.deepEqual(part.errors[0], {
    index: 500,
    error: 'quota_exceeded',
    code: 'QUOTA_EXCEEDED',
    message: 'Message quota exceeded. Please upgrade your plan or wait for quota reset.',
    field: null,
  });
  assert.deepEqual({ ...again, replayed: false }, part);
  assert.equal(await messages(own), 1200);
});

test('batches, single messages and what is given back meet at one limit, and all count right', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 6, onError: () => {} });
  const limits = caps(300, 250);
  const batches = createBatchAcceptor({ ...world, instance: newId<InstanceId>() });
  const elsewhere = createBatchAcceptor({ ...world, db: other, slot: 6, instance: newId<InstanceId>() });
  const singles = createAcceptor({ db: other, signals: world.signals, slot: 6 });
  let cancelling: Promise<unknown> = Promise.resolve();
  const answers = await Promise.all([
    batches(own.tenant, batchOf(own, 90, limits), null),
    elsewhere(own.tenant, batchOf(own, 90, limits), keyed('b')),
    ...Array.from({ length: 150 }, async (_, i) => {
      const answer = await singles.accept(own.tenant, own.message({ caps: limits }), null);
      if (i % 3 === 0 && answer.kind === 'accepted') {
        const { id } = answer.message;
        cancelling = cancelling.then(() => cancelMessage(world.db, world.signals, own.tenant, id, null));
      }
      return answer;
    }),
  ]);
  await cancelling;
  // Whoever came before a place was given back was refused rightly: now there is room for exactly so many.
  const text = "select count(*)::int as n from messages where tenant_id = $1 and state = 'queued'";
  const [held] = await world.db.query<{ n: number }>({ name: 'test_held', text }, [own.tenant]);
  const left = 250 - (held?.n ?? 0);
  assert.ok(left >= 0 && answers.length === 152);
  const rest = await batches(own.tenant, batchOf(own, 260, limits), null);
  await other.close();
  assert.ok(rest.kind === 'accepted');
  assert.equal(rest.accepted, left);
});

test('nothing of a failed or killed commit is counted; what was committed is, though nobody was told', async () => {
  const own = await world.tenant();
  const accept = accepting(own);
  armFailpoints([parseFailpoint('accept.before_commit=error')]);
  await assert.rejects(accept(caps(1), keyed('k')));
  armFailpoints([parseFailpoint('accept.after_commit=error')]);
  await assert.rejects(accept(caps(1), keyed('k')));
  armFailpoints([]);
  assert.equal((await accept(caps(1))).kind, 'limited');
  const again = await accept(caps(1), keyed('k'));
  assert.ok(again.kind === 'accepted' && again.replayed);
});

test('windows long over are forgotten, and what of them still ends is no trouble', async () => {
  const own = await world.tenant();
  const id = await accepted(accepting(own)(caps(3, 3)));
  const other = await accepted(accepting(own)(caps(3, 3)));
  await cancelMessage(world.db, world.signals, own.tenant, other, null);
  await world.db.script(`
    update limit_use set starts_at = starts_at - interval '200 days' where tenant_id = '${own.tenant}';
    update limit_changes set starts_at = starts_at - interval '200 days' where tenant_id = '${own.tenant}'`);
  assert.equal(await pruneLimits(world.db, 10), 2);
  assert.equal(await cancelMessage(world.db, world.signals, own.tenant, id, null), 'cancelled');
  const text = 'select 1 as yes from limit_changes where tenant_id = $1';
  assert.deepEqual(await world.db.query<object>({ name: 'test_changes', text }, [own.tenant]), []);
});
