import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { createBatchAcceptor } from '../../src/actions/accept-batch.ts';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import type { AcceptedBatch, BatchItem, Idempotency } from '../../src/actions/accepted.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { beatInstance } from '../../src/store/lanes.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(async () => {
  armFailpoints([]);
  await assertSound(world.db);
});
after(() => world.close());

const keyed = (key: string, body = 'body'): Idempotency => ({ key, hash: createHash('sha256').update(body).digest() });
const refusal = { error: 'invalid_phone', code: 'INVALID_PHONE', message: 'no', field: 'to' };

/** `count` items, those at `refused` refused. */
function items({ message }: TenantWorld, count: number, refused: readonly number[] = []): BatchItem[] {
  return Array.from({ length: count }, (_, index) =>
    refused.includes(index) ? { kind: 'refused', error: refusal } : { kind: 'message', message: message() },
  );
}

const acceptorOf = (instance: InstanceId) => createBatchAcceptor({ ...world, instance });

/** An instance that lives, as the lease loop would make it. */
async function liveInstance(): Promise<InstanceId> {
  const instance = newId<InstanceId>();
  await beatInstance(world.db, instance, 60_000, 'test');
  return instance;
}

async function count(own: TenantWorld, table: 'messages' | 'due' | 'events' | 'batches'): Promise<number> {
  const text = `select count(*) as n from ${table} where tenant_id = $1`;
  return (await world.db.query<{ n: number }>({ name: `test_count_${table}`, text }, [own.tenant]))[0]?.n ?? 0;
}

/** Holds an answer to what was asked. */
function assertWhole(
  answer: AcceptedBatch,
  asked: readonly BatchItem[],
): asserts answer is AcceptedBatch & { kind: 'accepted' } {
  assert.ok(answer.kind === 'accepted', answer.kind);
  const good = asked.flatMap((item, index) => (item.kind === 'message' ? [index] : []));
  const bad = asked.flatMap((item, index) => (item.kind === 'refused' ? [{ index, ...refusal }] : []));
  assert.deepEqual(
    answer.messages.map(({ index }) => index),
    good,
  );
  assert.deepEqual(answer.errors, bad);
  assert.deepEqual([answer.accepted, answer.refused], [good.length, bad.length]);
  assert.equal(new Set(answer.messages.map(({ id }) => id)).size, good.length);
}

test('a batch without a key is stored whole, its refusals by index', async () => {
  const own = await world.tenant();
  const asked = items(own, 1203, [0, 499, 500, 1202]);
  const answer = await acceptorOf(await liveInstance())(own.tenant, asked, null);
  assertWhole(answer, asked);
  assert.equal(answer.replayed, false);
  assert.deepEqual(
    [await count(own, 'messages'), await count(own, 'due'), await count(own, 'events')],
    [1199, 1199, 1199],
  );
});

test('a batch without a key is stored whole or not at all', async () => {
  const own = await world.tenant();
  armFailpoints([parseFailpoint('accept.before_commit=error')]);
  await assert.rejects(acceptorOf(await liveInstance())(own.tenant, items(own, 700), null));
  assert.deepEqual([await count(own, 'messages'), await count(own, 'batches')], [0, 0]);
});

test('a batch with a key that was cut goes on where it stopped, and nothing of it is due before its end', async () => {
  const own = await world.tenant();
  const asked = items(own, 1800, [3, 700, 1799]);
  armFailpoints([parseFailpoint('batch.after_chunk=error@2')]);
  await assert.rejects(acceptorOf(await liveInstance())(own.tenant, asked, keyed('import')));
  assert.deepEqual([await count(own, 'messages'), await count(own, 'due')], [998, 0]);
  await assertSound(world.db);
  await world.db.script('delete from instances');

  // The repeat dies before the commit of its last chunk; a third instance ends it.
  armFailpoints([parseFailpoint('accept.before_commit=error@2')]);
  await assert.rejects(acceptorOf(await liveInstance())(own.tenant, asked, keyed('import')));
  assert.deepEqual([await count(own, 'messages'), await count(own, 'due')], [1498, 0]);
  await world.db.script('delete from instances');
  armFailpoints([]);
  const answer = await acceptorOf(await liveInstance())(own.tenant, asked, keyed('import'));
  assertWhole(answer, asked);
  assert.deepEqual(
    [await count(own, 'messages'), await count(own, 'due'), await count(own, 'batches')],
    [1797, 1797, 1],
  );

  const repeated = await acceptorOf(await liveInstance())(own.tenant, asked, keyed('import'));
  assert.deepEqual(repeated, { ...answer, replayed: true });
  assert.equal(await count(own, 'messages'), 1797);
});

test('after a failure the same instance may go on, and so may another', async () => {
  const own = await world.tenant();
  for (const [key, from, to] of [
    ['same', 0, 0],
    ['other', 0, 1],
  ] as const) {
    const asked = items(own, 600);
    const acceptors = [acceptorOf(await liveInstance()), acceptorOf(await liveInstance())] as const;
    armFailpoints([parseFailpoint('batch.after_chunk=error@1')]);
    await assert.rejects(acceptors[from](own.tenant, asked, keyed(key)));
    armFailpoints([]);
    assertWhole(await acceptors[to](own.tenant, asked, keyed(key)), asked);
  }
});

test('while it is being stored, a repeat is told so, by the same instance and by another', async () => {
  const own = await world.tenant();
  const asked = items(own, 1000);
  const [one, two] = [acceptorOf(await liveInstance()), acceptorOf(await liveInstance())];
  armFailpoints([parseFailpoint('batch.after_chunk=delay:3s@1')]);
  const first = one(own.tenant, asked, keyed('slow'));
  await until('some of it is stored', async () => (await count(own, 'messages')) > 0);
  assert.deepEqual(await one(own.tenant, asked, keyed('slow')), { kind: 'in_progress' });
  assert.deepEqual(await two(own.tenant, asked, keyed('slow')), { kind: 'in_progress' });
  assert.deepEqual(await two(own.tenant, asked, keyed('slow', 'other')), { kind: 'mismatch' });
  assertWhole(await first, asked);
});

test('an instance whose batch was taken over stores no more of it', async () => {
  const own = await world.tenant();
  const asked = items(own, 1200);
  const [one, two] = [acceptorOf(await liveInstance()), acceptorOf(newId<InstanceId>())];
  armFailpoints([parseFailpoint('batch.after_chunk=delay:3s@1')]);
  const first = one(own.tenant, asked, keyed('taken'));
  await until('some of it is stored', async () => (await count(own, 'messages')) > 0);
  // As if it had been paused for longer than its lease.
  await world.db.script('delete from instances');
  assertWhole(await two(own.tenant, asked, keyed('taken')), asked);
  assert.deepEqual(await first, { kind: 'in_progress' });
  assert.deepEqual([await count(own, 'messages'), await count(own, 'due')], [1200, 1200]);
});

test('a key means one request: not another body, and not a single message', async () => {
  const own = await world.tenant();
  const accept = acceptorOf(await liveInstance());
  const { accept: acceptOne } = createAcceptor(world);
  assert.equal((await accept(own.tenant, items(own, 2), keyed('b'))).kind, 'accepted');
  assert.deepEqual(await accept(own.tenant, items(own, 2), keyed('b', 'other')), { kind: 'mismatch' });
  assert.deepEqual(await acceptOne(own.tenant, own.message(), keyed('b')), { kind: 'mismatch' });
  await acceptOne(own.tenant, own.message(), keyed('m'));
  assert.deepEqual(await accept(own.tenant, items(own, 2), keyed('m')), { kind: 'mismatch' });
});

test('a batch of refusals only is a batch', async () => {
  const own = await world.tenant();
  const asked = items(own, 3, [0, 1, 2]);
  const accept = acceptorOf(await liveInstance());
  assertWhole(await accept(own.tenant, asked, keyed('all bad')), asked);
  assertWhole(await accept(own.tenant, asked, null), asked);
});

test('ten thousand items are stored, each once, and customers named twice are one contact', async () => {
  const own = await world.tenant();
  const asked = items(own, 10_000).map((item, i): BatchItem => {
    if (item.kind === 'refused') return item;
    return { kind: 'message', message: { ...item.message, address: `+6285500${String(i % 5000).padStart(6, '0')}` } };
  });
  assertWhole(await acceptorOf(await liveInstance())(own.tenant, asked, keyed('large')), asked);
  assert.deepEqual([await count(own, 'messages'), await count(own, 'due')], [10_000, 10_000]);
  const text =
    'select count(*) as contacts, (select count(*) from conversations where tenant_id = $1) as conversations from contacts where tenant_id = $1';
  assert.deepEqual(await world.db.query({ name: 'test_people', text }, [own.tenant]), [
    { contacts: 5000, conversations: 5000 },
  ]);
});
