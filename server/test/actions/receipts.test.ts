import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import fc from 'fast-check';
import {
  type AppliedReceipts,
  applyReceipts,
  findByWamid,
  findParked,
  forgetParked,
  parkUnknown,
} from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { cancelMessage, retryMessage } from '../../src/actions/change-message.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { expireMessages } from '../../src/actions/expire-messages.ts';
import { type EventId, newId } from '../../src/domain/ids.ts';
import type { FailedReceipt, Receipt, ReceiptStatus } from '../../src/domain/receipt.ts';
import { findMessageWithTrail } from '../../src/store/messages.read.ts';
import { applyFailedReceipts } from '../../src/store/receipts.write.ts';
import { settleSent } from '../../src/store/sending.write.ts';
import { type EngineWorld, engineWorld, makeDue, RULES, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const PERMANENT = 131026;
const RETRYABLE = 131016;

/** What the provider tells of an attempt, `second` seconds after it began. */
interface Told {
  status: ReceiptStatus;
  second?: number;
  code?: number;
  /** false: without our mark, as if by the wamid. */
  marked?: boolean;
}

async function tell(send: BegunSend, ...told: Told[]): Promise<AppliedReceipts> {
  const receipts: Receipt[] = [];
  const failed: FailedReceipt[] = [];
  for (const { status, second = 5, code = PERMANENT, marked = true } of told) {
    const common = {
      tenant: send.tenant_id,
      sender: send.sender_id,
      message: send.message_id,
      wamid: `wamid.${send.message_id}.${send.attempt}`,
      attempt: marked ? send.attempt : null,
      at: Math.floor(send.started_at / 1000 + second) * 1000,
    };
    if (status === 'failed') failed.push({ ...common, code, title: 'told', detail: null });
    else receipts.push({ ...common, status });
  }
  return applyReceipts(world.db, world.signals, { receipts, failed, doneWork: [] }, RULES);
}

const sent = (send: BegunSend) => ({ kind: 'sent', wamid: `wamid.${send.message_id}.${send.attempt}` }) as const;

/** The columns that receipts decide, with times as seconds after the attempt began. */
async function row({ read }: TenantWorld, send: BegunSend): Promise<Record<string, unknown>> {
  const { state, attempt, wamid, error, ...rest } = await read(send.message_id);
  const since = (time: Date | null) =>
    time === null ? null : Math.floor(time.getTime() / 1000) - Math.floor(send.started_at / 1000);
  return {
    state,
    attempt,
    wamid: wamid?.replace(send.message_id, 'id'),
    error,
    sent: since(rest.sent_at),
    delivered: since(rest.delivered_at),
    read: since(rest.read_at),
    played: since(rest.played_at),
    failed: since(rest.failed_at),
  };
}

test('however receipts are ordered, repeated and split, the row is the same in the end [status played] [status failed]', async () => {
  const own = await world.tenant();
  const receipt = fc.record({
    status: fc.constantFrom<ReceiptStatus>('sent', 'delivered', 'read', 'played', 'failed'),
    second: fc.integer({ min: 1, max: 9 }),
  });
  const news = fc.uniqueArray(receipt, { minLength: 1, maxLength: 5, selector: (one) => one.status });
  const orders = news.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.tuple(
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
        fc.array(fc.nat(2), { minLength: 10, maxLength: 10 }),
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(orders, async ([all, [shuffled, cuts]]) => {
      const together = await own.sending();
      await tell(together, ...all);
      const apart = await own.sending();
      for (let from = 0, i = 0; from < shuffled.length; i++) {
        const to = from + 1 + (cuts[i % cuts.length] ?? 0);
        await tell(apart, ...shuffled.slice(from, to));
        from = to;
      }
      assert.deepEqual(await row(own, apart), await row(own, together));
    }),
    { numRuns: 60 },
  );
});

test('a receipt that comes before the answer settles the attempt, and the answer then changes nothing', async () => {
  const own = await world.tenant();
  for (const status of ['sent', 'delivered', 'read', 'failed'] as const) {
    const send = await own.sending();
    const applied = await tell(send, { status });
    assert.equal(applied.changed, 1);
    assert.equal(applied.byReceipt, status === 'failed' ? 0 : 1);
    const before = await row(own, send);
    assert.equal(before['state'], status);
    assert.equal((await own.settle(send, sent(send))).changed, false);
    assert.deepEqual(await row(own, send), before);
  }
});

test('a repeated receipt writes nothing and tells nobody', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  const news = [{ status: 'sent' }, { status: 'delivered', second: 6 }, { status: 'read', second: 7 }] as const;
  assert.equal((await tell(send, ...news)).changed, 1);
  assert.equal((await tell(send, ...news)).changed, 0);
  assert.equal((await tell(send, { status: 'failed' })).changed, 0);
  const trail = await findMessageWithTrail(world.db, own.tenant, send.message_id);
  assert.deepEqual(
    trail?.failures.map((one) => one.code),
    [PERMANENT],
    'the failure stays in the history',
  );
});

test('an error that may pass is the end of a message whose recipient has opted out since', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, sent(send));
  const { contact_id: contact } = await own.read(send.message_id);
  const said = { state: 'out', source: 'api', detail: null, message: null, at: Date.now() } as const;
  await giveConsents(world, [{ tenant: own.tenant, contact, scope: 'all', ...said }]);
  await tell(send, { status: 'failed', code: RETRYABLE });
  const { state, error } = await own.read(send.message_id);
  assert.deepEqual([state, error?.code], ['failed', RETRYABLE]);
});

test('an error that may pass sends the message back, and what is late of that attempt changes nothing', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, sent(send));
  await tell(send, { status: 'failed', code: RETRYABLE });
  const waiting = await row(own, send);
  assert.deepEqual([waiting['state'], waiting['wamid'], waiting['sent']], ['queued', undefined, null]);
  for (const late of [
    { status: 'sent' },
    { status: 'sent', marked: false },
    { status: 'failed', code: RETRYABLE },
  ] as const) {
    await tell(send, late);
    assert.deepEqual(await row(own, send), waiting);
  }
  await makeDue(world.db, send.message_id);
  const [second] = await own.begin();
  assert.equal(second?.attempt, 2);
  await tell(send, { status: 'sent' });
  assert.equal((await own.read(send.message_id)).state, 'sending');
  await own.settle(second, sent(second));
  const settled = await row(own, second);
  await tell(send, { status: 'failed', code: RETRYABLE }, { status: 'sent', second: -3 });
  assert.deepEqual(await row(own, second), settled);
});

test('an error that may pass, told of a doubtful attempt, ends the doubt', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, { kind: 'unknown', detail: 'cut' });
  const applied = await tell(send, { status: 'failed', code: RETRYABLE });
  assert.equal(applied.changed, 1);
  assert.equal((await own.read(send.message_id)).state, 'queued');
});

test('an error told again after a person decided to retry does not end the new try', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, sent(send));
  await tell(send, { status: 'failed' });
  assert.equal(await retryMessage(world.db, world.signals, own.tenant, send.message_id, null), 'queued');
  await tell(send, { status: 'failed' });
  await tell(send, { status: 'sent' });
  assert.equal((await own.read(send.message_id)).state, 'queued');
  const [second] = await own.begin();
  await tell(send, { status: 'failed' });
  assert.ok(second);
  assert.equal((await own.settle(second, sent(second))).changed, true);
  assert.equal((await own.read(send.message_id)).state, 'sent');
});

test('what was cancelled or has expired, and arrived all the same, has arrived', async () => {
  const own = await world.tenant();
  for (const end of ['cancelled', 'expired'] as const) {
    const send = await own.sending(end === 'expired' ? { expires_at: Date.now() + 3_600_000 } : {});
    await own.settle(send, { kind: 'error', code: RETRYABLE, title: 'no', detail: null, retryAfter: null });
    if (end === 'cancelled') await cancelMessage(world.db, world.signals, own.tenant, send.message_id, null);
    else {
      await world.db.query({ name: 'test_expire', text: 'update due set expires_at = now() where message_id = $1' }, [
        send.message_id,
      ]);
      assert.equal(await expireMessages(world.db, world.signals, [own.lane]), 1);
    }
    assert.equal((await own.read(send.message_id)).state, end);
    await tell(send, { status: 'failed' });
    assert.equal((await own.read(send.message_id)).state, end);
    await tell(send, { status: 'sent' });
    assert.equal(
      (await own.read(send.message_id)).state,
      end,
      'sent, then failed, then ended: the order it was told in does not matter',
    );
    await tell(send, { status: 'delivered' });
    assert.equal((await own.read(send.message_id)).state, 'delivered');
  }
});

test('delivered beats failed, whichever came first', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await tell(send, { status: 'failed' });
  await tell(send, { status: 'delivered', second: 7 });
  const found = await row(own, send);
  assert.deepEqual([found['state'], found['error'], found['failed']], ['delivered', null, null]);
});

test('an error that may pass and the answer, at the same moment, leave the message with work', async () => {
  const own = await world.tenant();
  for (const code of [RETRYABLE, PERMANENT]) {
    const send = await own.sending();
    let told: Promise<unknown> = Promise.resolve();
    await world.db.transaction(async (tx) => {
      const { wamid } = sent(send);
      const key = { tenant: own.tenant, message: send.message_id, attempt: 1, event: newId<EventId>(), wamid };
      assert.equal((await settleSent(tx, own.claim, [key], 0)).length, 1);
      told = tell(send, { status: 'failed', code });
      await until('the receipt waits', async () => {
        const text = `select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return (await world.db.query({ name: 'test_waits', text })).length > 0;
      });
    });
    await told;
    await assertSound(world.db);
    assert.equal((await own.read(send.message_id)).state, code === RETRYABLE ? 'queued' : 'failed');
  }
});

test('answers and receipts of many messages at the same moment never disagree', async () => {
  const own = await world.tenant();
  await Promise.all(Array.from({ length: 150 }, () => own.accept()));
  const begun = await own.begin();
  await Promise.all([
    ...begun.map((send) => own.settle(send, sent(send))),
    ...Array.from({ length: 6 }, async (_, part) => {
      for (const send of begun.filter((_one, i) => i % 6 === part)) {
        await tell(send, { status: (['sent', 'delivered', 'read'] as const)[part % 3] ?? 'sent' });
      }
    }),
  ]);
  const states = await Promise.all(begun.map(async (send) => (await own.read(send.message_id)).state));
  assert.deepEqual(
    states,
    begun.map((_, i) => (['sent', 'delivered', 'read'] as const)[(i % 6) % 3]),
  );
});

test('every attempt stays in the history, also a good one that was told later to have failed', async () => {
  const own = await world.tenant();
  const first = await own.sending();
  await own.settle(first, sent(first));
  const history = async () => {
    const trail = await findMessageWithTrail(world.db, own.tenant, first.message_id);
    assert.ok(trail);
    const last = trail.attempts.at(-1);
    if (trail.state === 'sent') assert.equal(Date.parse(String(last?.started_at)), trail.sending_at?.getTime());
    for (const { started_at, ended_at } of trail.attempts) assert.ok(Date.parse(started_at) <= Date.parse(ended_at));
    return trail.attempts.map(({ attempt, outcome, code }) => [attempt, outcome, code]);
  };
  assert.deepEqual(await history(), [[1, 'sent', null]]);
  await tell(first, { status: 'failed', code: RETRYABLE });
  assert.deepEqual(await history(), [[1, 'sent', null]]);
  await makeDue(world.db, first.message_id);
  const second = (await own.begin()).find(({ message_id }) => message_id === first.message_id);
  assert.ok(second);
  await own.settle(second, { kind: 'sent', wamid: 'wamid.again' });
  assert.deepEqual(await history(), [
    [1, 'sent', null],
    [2, 'sent', null],
  ]);
  await tell(second, { status: 'failed' });
  assert.deepEqual((await history()).length, 2, 'the end of a message leaves its attempts as they are');
});

test('several failures of one message in one webhook are all kept', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await tell(send, { status: 'failed', code: 131049 }, { status: 'failed' }, { status: 'failed', code: 131049 });
  const trail = await findMessageWithTrail(world.db, own.tenant, send.message_id);
  assert.deepEqual(new Set(trail?.failures.map((one) => one.code)), new Set([131049, PERMANENT]));
  assert.equal(trail?.state, 'failed');
});

test('a receipt of another tenant, or of no message, changes nothing', async () => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  const send = await own.sending();
  const before = await row(own, send);
  assert.equal((await tell({ ...send, tenant_id: other.tenant }, { status: 'read' }, { status: 'failed' })).changed, 0);
  assert.equal((await tell({ ...send, message_id: newId() }, { status: 'read' }, { status: 'failed' })).changed, 0);
  assert.deepEqual(await row(own, send), before);
});

test('a receipt whose message is not known yet is parked, and given back once it is', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  const { wamid } = sent(send);
  assert.deepEqual(await findByWamid(world.db, [{ tenant: own.tenant, wamid }]), []);
  const parked = { tenant_id: own.tenant, wamid, status: 'read', receipt: { text: 'NUL \0' } };
  await parkUnknown(world.db, [parked, parked]);
  assert.deepEqual(await findParked(world.db), []);
  await own.settle(send, sent(send));
  const known = await findParked(world.db);
  assert.deepEqual(known, [{ ...parked, receipt: { text: 'NUL \ufffd' } }]);
  await forgetParked(world.db, known);
  assert.deepEqual(await findParked(world.db), []);
  const [found] = await findByWamid(world.db, [{ tenant: own.tenant, wamid }]);
  assert.equal(found?.message_id, send.message_id);
});

test('a message fails by a receipt only while that attempt is the last one', async () => {
  const own = await world.tenant();
  const first = await own.sending();
  await own.settle(first, { kind: 'error', code: RETRYABLE, title: 'no', detail: null, retryAfter: null });
  await makeDue(world.db, first.message_id);
  const [second] = await own.begin();
  assert.ok(second);
  const failure = {
    ...first,
    tenant: own.tenant,
    sender: own.sender,
    message: first.message_id,
    wamid: 'wamid.x',
    at: first.started_at,
  };
  const late = {
    ...failure,
    attempt: 1,
    code: PERMANENT,
    title: 'late',
    detail: null,
    event: newId<EventId>(),
    delay: null,
    cause: null,
  };
  assert.deepEqual(await applyFailedReceipts(world.db, [late], 0, RULES.validity), []);
  assert.equal((await own.read(first.message_id)).state, 'sending');
});
