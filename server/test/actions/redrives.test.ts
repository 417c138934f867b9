import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import { retryMessage } from '../../src/actions/change-message.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { recordEvidence } from '../../src/actions/record-evidence.ts';
import { createRedrives, stepRedrives } from '../../src/actions/redrives.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import { type DeadLetterFilter, MOST_REDRIVES, redriveStep } from '../../src/domain/dead-letters.ts';
import { type BatchId, type MessageId, newId, type SenderId } from '../../src/domain/ids.ts';
import { NO_CAPS } from '../../src/domain/limits.ts';
import { armFailpoints } from '../../src/runtime/failpoints.ts';
import { findDeadLetterGroups } from '../../src/store/dead-letters.read.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { findRedrive, findRedriveWait, type RedriveRecord } from '../../src/store/redrives.read.ts';
import { type EngineWorld, engineWorld, makeDue, RULES, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

/** Of the provider's table: undeliverable, and the recipient's share of marketing. */
const UNDELIVERABLE = 131026;
const HAD_HIS_SHARE = 131049;
const DAY = 86_400_000;

async function fail(own: TenantWorld, code = UNDELIVERABLE, change: Parameters<TenantWorld['sending']>[0] = {}) {
  const send = await own.sending(change);
  await own.settle(send, { kind: 'error', code, title: `error ${code}`, detail: null, retryAfter: null });
  assert.equal((await own.read(send.message_id)).state, 'failed');
  return send.message_id;
}

/** Fails in doubt: the policy tells. */
async function failInDoubt(own: TenantWorld): Promise<MessageId> {
  const send = await own.sending({ category: 'marketing' });
  await own.settle(send, { kind: 'unknown', detail: 'cut' });
  let now = 0;
  const evidence = recordEvidence(world.db, { now: () => 0, monotonic: () => (now += 5000) });
  evidence.note(own.tenant, own.sender, Date.now());
  await evidence.write();
  await makeDue(world.db, send.message_id);
  assert.equal((await resolveDoubts(world.db, world.signals, own.claim)).told, 1);
  return send.message_id;
}

const retry = (own: TenantWorld, id: MessageId, acceptDuplicate = false) =>
  retryMessage(world.db, world.signals, own.tenant, id, null, { acceptDuplicate });

function redrive(
  own: TenantWorld,
  filter: DeadLetterFilter,
  change: { per_second?: number; uncertain?: boolean } = {},
) {
  const { per_second = 1000, uncertain = false } = change;
  return createRedrives(world).create(own.tenant, {
    filter,
    per_second,
    include_uncertain: uncertain,
    key_id: newId(),
  });
}

/** Makes every step of what runs, without waiting for its time. */
async function finish(): Promise<(RedriveRecord & { tenant_id: string }) | null> {
  let last: Awaited<ReturnType<typeof stepRedrives>> = null;
  while ((await findRedriveWait(world.db)) !== null) {
    await world.db.script(`update redrives set due_at = now() where state = 'running'`);
    last = (await stepRedrives(world, NO_CAPS)) ?? last;
  }
  return last;
}

const statesOf = (own: TenantWorld, ids: readonly MessageId[]) =>
  Promise.all(ids.map(async (id) => (await own.read(id)).state));

test('failed messages are grouped by reason, narrowed by what they are of and when they failed', async () => {
  const own = await world.tenant();
  const other = await world.tenant();
  await fail(other);
  for (let n = 0; n < 3; n++) await fail(own);
  const shared = await fail(own, HAD_HIS_SHARE, { category: 'marketing' });
  const doubtful = await failInDoubt(own);
  const groups = async (filter: DeadLetterFilter = {}) =>
    (await findDeadLetterGroups(world.db, own.tenant, filter)).map(({ error, code, title, count, uncertain }) => [
      error,
      code,
      title,
      count,
      uncertain,
    ]);
  const all = [
    ['send_failed', UNDELIVERABLE, `error ${UNDELIVERABLE}`, 3, 0],
    ['outcome_unknown', 0, 'nobody knows whether it was sent', 1, 1],
    ['send_failed', HAD_HIS_SHARE, `error ${HAD_HIS_SHARE}`, 1, 0],
  ];
  assert.deepEqual(await groups(), all);
  assert.deepEqual(await groups({ sender_id: own.sender, until: new Date(Date.now() + 60_000).toISOString() }), all);
  assert.deepEqual(await groups({ error: 'send_failed' }), [all[0], all[2]]);
  assert.deepEqual(await groups({ error_code: 0 }), [all[1]]);
  const none: DeadLetterFilter[] = [
    { sender_id: newId<SenderId>() },
    { batch_id: newId<BatchId>() },
    { since: new Date(Date.now() + 60_000).toISOString() },
    { until: new Date(Date.now() - 60_000).toISOString() },
    { error: 'nothing' },
    { error_code: 7 },
  ];
  for (const filter of none) assert.deepEqual(await groups(filter), [], JSON.stringify(filter));
  const [first] = await findDeadLetterGroups(world.db, own.tenant, {});
  assert.ok(first && first.oldest < first.newest && !first.capped);

  const listed = async (filter: { error?: string; error_code?: number; sender_id?: SenderId }) =>
    (await listMessages(world.db, own.tenant, filter, null, 50)).messages.map(({ id }) => id);
  assert.deepEqual(await listed({ error: 'outcome_unknown' }), [doubtful]);
  assert.deepEqual(await listed({ error: 'send_failed', error_code: HAD_HIS_SHARE }), [shared]);
  assert.deepEqual(await listed({ error_code: HAD_HIS_SHARE, sender_id: own.sender }), [shared]);
  assert.deepEqual(await listed({ error_code: HAD_HIS_SHARE, sender_id: other.sender }), []);
  assert.equal((await listed({ error: 'send_failed' })).length, 4);
});

test('what fails no more is no dead letter, and one that a receipt proved wrong neither', async () => {
  const own = await world.tenant();
  const id = await fail(own);
  const receipt = { tenant: own.tenant, sender: own.sender, message: id, wamid: `wamid.${id}`, attempt: 1 };
  const receipts = [{ ...receipt, status: 'delivered' as const, at: Date.now() }];
  await applyReceipts(world.db, world.signals, { receipts, failed: [], doneWork: [] }, RULES);
  assert.deepEqual(await findDeadLetterGroups(world.db, own.tenant, {}), []);
});

test('one that may have arrived is sent again only by who says so', async () => {
  const own = await world.tenant();
  const id = await failInDoubt(own);
  assert.equal(await retry(own, id), 'may_have_arrived');
  assert.equal((await own.read(id)).state, 'failed');
  assert.equal(await retry(own, id, true), 'queued');
  assert.equal((await own.begin()).length, 1);
});

test('one that failed after a doubt was answered by sending it once more may have arrived too', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, { kind: 'unknown', detail: 'cut' });
  await world.db.query(
    { name: 'test_evident', text: `insert into sender_evidence values ($1, $2, clock_timestamp())` },
    [own.tenant, own.sender],
  );
  await makeDue(world.db, send.message_id);
  assert.equal((await resolveDoubts(world.db, world.signals, own.claim)).resent, 1);
  const [again] = await own.begin();
  assert.ok(again);
  await own.settle(again, { kind: 'error', code: UNDELIVERABLE, title: 'no', detail: null, retryAfter: null });
  assert.equal(await retry(own, send.message_id), 'may_have_arrived');
});

test('what the provider wants to rest is not due before its time', async () => {
  const own = await world.tenant();
  const id = await fail(own, HAD_HIS_SHARE, { category: 'marketing' });
  const failedAt = (await own.read(id)).failed_at?.getTime() ?? 0;
  assert.equal(await retry(own, id), 'queued');
  assert.equal((await own.read(id)).due_at?.getTime(), failedAt + DAY);
  assert.deepEqual(await own.begin(), []);
  const [work] = await world.db.query<{ cause: string }>(
    { name: 'test_cause', text: 'select cause from due where message_id = $1' },
    [id],
  );
  assert.equal(work?.cause, 'marketing_cap');
  const short = await fail(own, HAD_HIS_SHARE, { category: 'marketing', expires_at: Date.now() + DAY / 2 });
  assert.equal(await retry(own, short), 'expired', 'it would be over before it may be tried');
});

test('a redrive sends again what matches, once, and says what it left and why', async () => {
  const own = await world.tenant();
  const ids = [await fail(own), await fail(own), await fail(own)];
  const rested = await fail(own, HAD_HIS_SHARE, { category: 'marketing' });
  const doubtful = await failInDoubt(own);
  const over = await fail(own, UNDELIVERABLE, { expires_at: Date.now() + DAY });
  const out = await fail(own);
  await world.db.query(
    { name: 'test_over', text: `update messages set expires_at = now() - interval '1 second' where id = $1` },
    [over],
  );
  const { contact_id: contact } = await own.read(out);
  const said = { state: 'out', source: 'api', detail: null, message: null, at: Date.now() } as const;
  await giveConsents(world, [{ tenant: own.tenant, contact, scope: 'all', ...said }]);
  assert.notEqual(await redrive(own, { error: 'send_failed', error_code: UNDELIVERABLE }), 'busy');
  const first = await finish();
  assert.deepEqual([first?.state, first?.queued, first?.skipped], ['done', 3, { expired: 1, recipient_suppressed: 1 }]);
  assert.deepEqual(await statesOf(own, [...ids, rested, doubtful]), ['queued', 'queued', 'queued', 'failed', 'failed']);
  assert.equal((await own.begin()).length, 3);

  await redrive(own, {});
  const second = await finish();
  assert.deepEqual(
    [second?.queued, second?.skipped],
    [1, { expired: 1, recipient_suppressed: 1, may_have_arrived: 1 }],
    'the three are on their way',
  );
  assert.deepEqual(await statesOf(own, [rested, doubtful]), ['queued', 'failed']);
  await redrive(own, { error: 'outcome_unknown' }, { uncertain: true });
  assert.equal((await finish())?.queued, 1);
});

test('a redrive keeps its pace, and takes nothing that failed after it was asked for', async () => {
  const own = await world.tenant();
  const ids: MessageId[] = [];
  for (let n = 0; n < 5; n++) ids.push(await fail(own));
  await redrive(own, {}, { per_second: 2 });
  assert.equal(redriveStep(2), 1);
  const step = await stepRedrives(world, NO_CAPS);
  assert.deepEqual([step?.queued, step?.state], [1, 'running']);
  assert.equal(await stepRedrives(world, NO_CAPS), null, 'the next is due in half a second');
  const wait = await findRedriveWait(world.db);
  assert.ok(wait !== null && wait > 300 && wait <= 500, String(wait));
  const later = await fail(own);
  assert.equal((await finish())?.queued, 5);
  assert.deepEqual(await statesOf(own, [later]), ['failed']);
});

test('a step that is rolled back has done nothing, and two that make steps at once make none due twice', async () => {
  const own = await world.tenant();
  const ids: MessageId[] = [];
  for (let n = 0; n < 30; n++) ids.push(await fail(own));
  const made = await redrive(own, {}, { per_second: 40 });
  assert.ok(made !== 'busy');
  while ((await findRedriveWait(world.db)) !== null) {
    await world.db.script(`update redrives set due_at = now() where state = 'running'`);
    await Promise.all([stepRedrives(world, NO_CAPS), stepRedrives(world, NO_CAPS), stepRedrives(world, NO_CAPS)]);
  }
  const record = await findRedrive(world.db, own.tenant, made.id);
  assert.deepEqual([record?.queued, record?.skipped, record?.state], [30, {}, 'done']);
  const events = await world.db.query<{ n: number }>(
    {
      name: 'test_twice',
      text: `select count(*)::int as n from events where message_id = any ($1) and type = 'message.queued'`,
    },
    [ids],
  );
  assert.deepEqual(events, [{ n: 60 }], 'accepted once, and due again once');
});

test('a crash before a step is committed has done nothing, and one after it loses nothing', async () => {
  const own = await world.tenant();
  const ids = [await fail(own), await fail(own), await fail(own)];
  const made = await redrive(own, {}, { per_second: 4 });
  assert.ok(made !== 'busy');
  for (const [name, state, queued] of [
    ['redrive.before_commit', 'failed', 0],
    ['redrive.after_commit', 'queued', 1],
  ] as const) {
    armFailpoints([{ name, action: { kind: 'error' }, at: 1 }]);
    await world.db.script(`update redrives set due_at = now() where state = 'running'`);
    await assert.rejects(stepRedrives(world, NO_CAPS), { failpoint: name });
    armFailpoints([]);
    assert.deepEqual(await statesOf(own, ids.slice(0, 1)), [state]);
    assert.equal((await findRedrive(world.db, own.tenant, made.id))?.queued, queued);
  }
  assert.equal((await finish())?.queued, 3);
  assert.equal((await own.begin()).length, 3);
});

test('a redrive is cancelled once, and a tenant has three at a time', async () => {
  const own = await world.tenant();
  for (let n = 0; n < 4; n++) await fail(own);
  const { cancel } = createRedrives(world);
  const made = await Promise.all(Array.from({ length: 6 }, () => redrive(own, {}, { per_second: 4 })));
  assert.equal(made.filter((one) => one === 'busy').length, 6 - MOST_REDRIVES);
  const records = made.filter((one) => one !== 'busy');
  await stepRedrives(world, NO_CAPS);
  for (const { id } of records) {
    const cancelled = await cancel(own.tenant, id);
    assert.ok(typeof cancelled === 'object' && cancelled.state === 'cancelled' && cancelled.ended_at);
    assert.equal(await cancel(own.tenant, id), 'ended');
    assert.equal(await cancel((await world.tenant()).tenant, id), 'not_found');
  }
  assert.equal(await stepRedrives(world, NO_CAPS), null);
  assert.notEqual(await redrive(own, {}), 'busy');
  assert.equal((await finish())?.queued, 3, 'one was due by the cancelled one');
});

test('a redrive takes places in the limits, and leaves what finds none', async () => {
  const own = await world.tenant();
  const caps = { monthly: null, daily: 3 };
  const ids: MessageId[] = [];
  for (let n = 0; n < 3; n++) ids.push(await fail(own, UNDELIVERABLE, { caps }));
  await own.accept({ caps });
  await world.db.query({ name: 'test_cap', text: 'update senders set per_day = 3 where tenant_id = $1 and id = $2' }, [
    own.tenant,
    own.sender,
  ]);
  await redrive(own, {});
  const done = await finish();
  assert.deepEqual([done?.queued, done?.skipped], [2, { daily_limit_reached: 1 }]);
  assert.deepEqual(await statesOf(own, ids), ['queued', 'queued', 'failed']);
  assert.equal(await retry(own, ids[0] as MessageId), 'not_failed');
  await assert.rejects(retry(own, ids[2] as MessageId), { code: 'daily_limit_reached' });
});
