import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { holdLanes } from '../../src/actions/hold-lanes.ts';
import { recordEvidence } from '../../src/actions/record-evidence.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import { openPool } from '../../src/db/pool.ts';
import { type InstanceId, newId, type RawWebhookId } from '../../src/domain/ids.ts';
import type { LaneClaim } from '../../src/domain/lane.ts';
import { findDeadLetterGroups } from '../../src/store/dead-letters.read.ts';
import { insertRawWebhooks } from '../../src/store/inbound.write.ts';
import { findMessageWithTrail } from '../../src/store/messages.read.ts';
import {
  type EngineWorld,
  engineWorld,
  GRACE,
  LEASE,
  makeDue,
  RULES,
  type TenantWorld,
  takeAllLanes,
} from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
beforeEach(() => world.db.script('delete from inbound_work'));
afterEach(() => assertSound(world.db));
after(() => world.close());

const CUT = { kind: 'unknown', detail: 'cut' } as const;

/** A doubtful attempt whose grace is over. */
async function doubt(own: TenantWorld, change: Parameters<TenantWorld['sending']>[0] = {}): Promise<BegunSend> {
  const send = await own.sending(change);
  await own.settle(send, CUT);
  await makeDue(world.db, send.message_id);
  return send;
}

/** A receipt names an attempt of the sender that began later than all others. */
async function receiptsFlow(own: TenantWorld): Promise<void> {
  const later = await own.sending();
  await own.settle(later, { kind: 'sent', wamid: `wamid.${later.message_id}` });
  let now = 0;
  const evidence = recordEvidence(world.db, { now: () => 0, monotonic: () => (now += 5000) });
  evidence.note(own.tenant, own.sender, later.started_at + 1);
  await evidence.write();
}

const resolve = (claim: LaneClaim) => resolveDoubts(world.db, world.signals, claim);

test('in silence a doubt stays, is looked at again, and tells once', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  for (let look = 0; look < 3; look++) {
    const { waiting, resent, told, longest } = await resolve(own.claim);
    assert.deepEqual([waiting, resent, told], [1, 0, 0]);
    assert.ok(longest >= 0 && longest < 60_000);
    const { state, due_at } = await own.read(send.message_id);
    assert.equal(state, 'unconfirmed');
    assert.ok((due_at?.getTime() ?? 0) > Date.now());
    assert.deepEqual(await resolve(own.claim), { waiting: 0, resent: 0, told: 0, longest: 0 });
    await makeDue(world.db, send.message_id);
  }
  const events = await world.db.query<{ n: number }>(
    {
      name: 'test_events',
      text: `select count(*) as n from events where message_id = $1 and type = 'message.unconfirmed'`,
    },
    [send.message_id],
  );
  assert.deepEqual(events, [{ n: 1 }]);
});

test('an attempt whose answer never came becomes doubtful by itself', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  assert.equal((await resolve(own.claim)).waiting, 0);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).waiting, 1);
  assert.equal((await own.read(send.message_id)).state, 'unconfirmed');
});

test('when receipts flow the category decides: once more, and then tell', async () => {
  const own = await world.tenant();
  const service = await doubt(own);
  const utility = await doubt(own, { category: 'utility' });
  const code = await doubt(own, { category: 'authentication' });
  const offer = await doubt(own, { category: 'marketing' });
  await receiptsFlow(own);
  const { resent, told, waiting } = await resolve(own.claim);
  assert.deepEqual([resent, told, waiting], [2, 2, 0]);
  for (const send of [code, offer]) {
    const { state, error } = await own.read(send.message_id);
    assert.deepEqual([state, error?.error, error?.code], ['failed', 'outcome_unknown', 0]);
  }
  const again = await own.begin();
  assert.deepEqual(new Set(again.map((send) => send.message_id)), new Set([service.message_id, utility.message_id]));
  for (const send of again) {
    assert.equal(send.attempt, 2);
    await own.settle(send, CUT);
    await makeDue(world.db, send.message_id);
  }
  assert.equal((await resolve(own.claim)).waiting, 2, 'the evidence is older than the second attempts');
  for (const send of again) await makeDue(world.db, send.message_id);
  await receiptsFlow(own);
  assert.equal((await resolve(own.claim)).told, 2, 'once more means once');
  const trail = await findMessageWithTrail(world.db, own.tenant, service.message_id);
  assert.deepEqual(
    trail?.attempts.map((one) => one.outcome),
    ['resend', 'tell'],
  );
});

test("the tenant's own choice goes before the rule of the house", async () => {
  const own = await world.tenant();
  await world.db.query(
    {
      name: 'test_policy',
      text: `update tenants set doubt_policy = '{"service": "tell", "marketing": "resend"}' where id = $1`,
    },
    [own.tenant],
  );
  const service = await doubt(own);
  const offer = await doubt(own, { category: 'marketing' });
  await receiptsFlow(own);
  const { resent, told } = await resolve(own.claim);
  assert.deepEqual([resent, told], [1, 1]);
  assert.deepEqual(
    [(await own.read(service.message_id)).state, (await own.read(offer.message_id)).state],
    ['failed', 'queued'],
  );
});

test('evidence of another sender proves nothing', async () => {
  const own = await world.tenant();
  const other = await world.tenant();
  await doubt(own);
  await receiptsFlow(other);
  assert.equal((await resolve(own.claim)).waiting, 1);
});

test('stored webhooks that wait to be applied hold decisions back: the receipt may be among them', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  await receiptsFlow(own);
  const raw = { app: 'default', id: newId<RawWebhookId>(), body: Buffer.from('{}') };
  await insertRawWebhooks(world.db, [raw], [newId()], own.claim.instance);
  await world.db.script(`update inbound_work set created_at = clock_timestamp() - interval '3 seconds'`);
  assert.equal((await resolve(own.claim)).waiting, 1);
  await world.db.script('delete from inbound_work');
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).resent, 1);
});

/** Webhooks that an instance has stored and not applied. */
async function store(instance: InstanceId): Promise<string> {
  const work = newId();
  const raw = { app: 'default', id: newId<RawWebhookId>(), body: Buffer.from('{}') };
  await insertRawWebhooks(world.db, [raw], [work], instance);
  return work;
}

test('what another instance has stored a moment ago is applied before anything is decided', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  const theirs = await store(newId<InstanceId>());
  await receiptsFlow(own);
  const { waiting, resent, told } = await resolve(own.claim);
  assert.deepEqual([waiting, resent, told], [1, 0, 0]);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).waiting, 1);
  const receipts = [
    {
      ...{ tenant: own.tenant, sender: own.sender, message: send.message_id, wamid: 'wamid.theirs', attempt: 1 },
      ...{ status: 'delivered' as const, at: send.started_at + 1000 },
    },
  ];
  await applyReceipts(world.db, world.signals, { receipts, failed: [], doneWork: [theirs] }, RULES);
  await makeDue(world.db, send.message_id);
  assert.deepEqual(await resolve(own.claim), { waiting: 0, resent: 0, told: 0, longest: 0 });
  assert.equal((await own.read(send.message_id)).state, 'delivered');
});

test('what is stored after the evidence was seen does not hold a decision up for ever', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  await receiptsFlow(own);
  const first = await store(own.claim.instance);
  assert.equal((await resolve(own.claim)).waiting, 1);
  await store(own.claim.instance);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).waiting, 1, 'the first still waits');
  await world.db.query({ name: 'test_done', text: 'delete from inbound_work where id = $1' }, [first]);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).resent, 1);
});

test('a decision that is put off is kept in the history: since when, and when there was evidence', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  const doubts = () =>
    world.db.query<{ attempt: number; waiting_since: Date; evident_at: Date | null }>(
      { name: 'test_doubts', text: 'select attempt, waiting_since, evident_at from doubts where message_id = $1' },
      [send.message_id],
    );
  await resolve(own.claim);
  const [silent] = await doubts();
  assert.ok(silent && silent.attempt === 1 && silent.evident_at === null);
  await receiptsFlow(own);
  const work = await store(own.claim.instance);
  await makeDue(world.db, send.message_id);
  await resolve(own.claim);
  const [heard] = await doubts();
  assert.deepEqual(heard?.waiting_since, silent.waiting_since);
  assert.ok(heard?.evident_at && heard.evident_at > heard.waiting_since);
  await world.db.query({ name: 'test_done', text: 'delete from inbound_work where id = $1' }, [work]);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).resent, 1);
  assert.equal((await doubts()).length, 1);
});

test('bad news of an attempt that may be tried again, and good news of it, at once on two instances: it has arrived', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 5, onError: () => {} });
  try {
    const sends = await Promise.all(Array.from({ length: 20 }, () => own.accept())).then(() => own.begin());
    for (const send of sends) await own.settle(send, CUT);
    await Promise.all(
      sends.map(async (send, n) => {
        const named = { tenant: own.tenant, sender: own.sender, message: send.message_id, wamid: `wamid.race.${n}` };
        const told = { ...named, attempt: 1, at: send.started_at + 1000 };
        const bad = { receipts: [], failed: [{ ...told, code: 131000, title: 'later', detail: null }], doneWork: [] };
        const good = { receipts: [{ ...told, status: 'delivered' as const }], failed: [], doneWork: [] };
        const [here, there] = n % 2 ? [bad, good] : [good, bad];
        await Promise.all([
          applyReceipts(world.db, world.signals, here, RULES),
          applyReceipts(other, world.signals, there, RULES),
        ]);
      }),
    );
    for (const send of sends) assert.equal((await own.read(send.message_id)).state, 'delivered');
    assert.deepEqual(await own.begin(), []);
  } finally {
    await other.close();
  }
});

test('two instances that look at the same doubts decide each once', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 5, onError: () => {} });
  try {
    for (let n = 0; n < 10; n++) await doubt(own, n % 2 ? { category: 'marketing' } : {});
    await receiptsFlow(own);
    const both = await Promise.all([
      resolve(own.claim),
      resolveDoubts(other, world.signals, own.claim),
      resolveDoubts(other, world.signals, { ...own.claim, instance: newId<InstanceId>() }),
    ]);
    const sum = (of: 'resent' | 'told') => both.reduce((all, one) => all + one[of], 0);
    assert.deepEqual([sum('resent'), sum('told'), both[2]?.resent, both[2]?.told], [5, 5, 0, 0]);
  } finally {
    await other.close();
  }
});

test('once more means once, also when the second attempt was tried again for another reason', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  await receiptsFlow(own);
  assert.equal((await resolve(own.claim)).resent, 1);
  const [second] = await own.begin();
  assert.ok(second);
  await own.settle(second, { kind: 'sent', wamid: 'wamid.second' });
  const told = { tenant: own.tenant, sender: own.sender, message: send.message_id, wamid: 'wamid.second', attempt: 2 };
  const failed = [{ ...told, at: second.started_at + 1000, code: 131000, title: 'later', detail: null }];
  await applyReceipts(world.db, world.signals, { receipts: [], failed, doneWork: [] }, RULES);
  await makeDue(world.db, send.message_id);
  const [third] = await own.begin();
  assert.equal(third?.attempt, 3);
  await own.settle(third, CUT);
  await makeDue(world.db, send.message_id);
  await receiptsFlow(own);
  assert.deepEqual(await resolve(own.claim), { waiting: 0, resent: 0, told: 1, longest: 0 });
});

test('a doubt of a message whose time is over is told, not sent once more, nor called merely expired', async () => {
  const own = await world.tenant();
  const expired = await doubt(own, { expires_at: Date.now() + 60_000 });
  const old = await doubt(own);
  const text = (what: string) => ({ name: `test_${what}`, text: `update messages set ${what} where id = $1` });
  await world.db.query(text(`expires_at = now() - interval '1 second'`), [expired.message_id]);
  await world.db.query(text(`created_at = now() - interval '2 days'`), [old.message_id]);
  await receiptsFlow(own);
  const rules = { validity: 86_400_000 };
  assert.equal((await resolveDoubts(world.db, world.signals, own.claim, rules)).told, 2);
  for (const send of [expired, old]) assert.equal((await own.read(send.message_id)).error?.error, 'outcome_unknown');
});

test('a grace is over by the trusted clock too, and what lies ahead of the clock is no evidence', async () => {
  const own = await world.tenant();
  const send = await doubt(own);
  const before = { databaseTime: send.started_at - 1000 };
  assert.equal((await resolveDoubts(world.db, world.signals, own.claim, before)).waiting, 0, 'the clock was set ahead');
  const ahead = recordEvidence(world.db, { now: () => 0, monotonic: () => 0 });
  ahead.note(own.tenant, own.sender, Date.now() + 3_600_000);
  await ahead.write();
  await world.db.query(
    { name: 'test_ahead', text: `insert into sender_evidence values ($1, $2, now() + interval '1 day')` },
    [own.tenant, own.sender],
  );
  assert.equal((await resolve(own.claim)).waiting, 1);
  await receiptsFlow(own);
  await makeDue(world.db, send.message_id);
  assert.equal((await resolve(own.claim)).resent, 1, 'what lay ahead is overwritten');
});

test('a receipt settles the doubt, also one that was told already', async () => {
  const own = await world.tenant();
  const waiting = await doubt(own);
  const told = await doubt(own, { category: 'marketing' });
  const receipt = (send: BegunSend) => ({
    tenant: own.tenant,
    sender: own.sender,
    message: send.message_id,
    wamid: `wamid.${send.message_id}`,
    attempt: send.attempt,
    status: 'delivered' as const,
    at: send.started_at + 1000,
  });
  await applyReceipts(world.db, world.signals, { receipts: [receipt(waiting)], failed: [], doneWork: [] }, RULES);
  await receiptsFlow(own);
  assert.equal((await resolve(own.claim)).told, 1);
  await applyReceipts(world.db, world.signals, { receipts: [receipt(told)], failed: [], doneWork: [] }, RULES);
  for (const send of [waiting, told]) assert.equal((await own.read(send.message_id)).state, 'delivered');
});

test('bad news of one that was told puts the reason in the place of the doubt', async () => {
  const own = await world.tenant();
  const send = await doubt(own, { category: 'marketing' });
  await receiptsFlow(own);
  assert.equal((await resolve(own.claim)).told, 1);
  const letters = () => findDeadLetterGroups(world.db, own.tenant, {});
  assert.equal((await letters())[0]?.uncertain, 1);
  const told = { tenant: own.tenant, sender: own.sender, message: send.message_id, wamid: 'wamid.bad', attempt: 1 };
  // Of a class that may pass: it was told as failed, so nobody but a person sends it again.
  const failed = [{ ...told, at: send.started_at + 1000, code: 131000, title: 'later', detail: null }];
  for (let repeat = 0; repeat < 2; repeat++) {
    await applyReceipts(world.db, world.signals, { receipts: [], failed, doneWork: [] }, RULES);
    const { state, error } = await own.read(send.message_id);
    assert.deepEqual([state, error?.error, error?.code], ['failed', 'send_failed', 131000]);
  }
  assert.deepEqual(
    (await letters()).map(({ error, code, uncertain }) => [error, code, uncertain]),
    [['send_failed', 131000, 0]],
  );
  const good = [{ ...told, status: 'delivered' as const, at: send.started_at + 2000 }];
  await applyReceipts(world.db, world.signals, { receipts: good, failed: [], doneWork: [] }, RULES);
  assert.equal((await own.read(send.message_id)).state, 'delivered');
});

test('who takes lanes over makes what was open there doubtful, under the new epoch and with new grace', async () => {
  const own = await world.tenant();
  const sending = await own.sending();
  const doubtful = await doubt(own);
  const settled = await own.sending();
  await own.settle(settled, { kind: 'sent', wamid: 'wamid.takeover' });
  const queued = await own.accept();
  const before = Date.now();
  const claim = await takeAllLanes(world.db, newId<InstanceId>());
  const states = await Promise.all(
    [sending, doubtful, settled].map(async (one) => (await own.read(one.message_id)).state),
  );
  assert.deepEqual(states, ['unconfirmed', 'unconfirmed', 'sent']);
  assert.equal((await own.read(queued)).state, 'queued');
  for (const one of [sending, doubtful]) {
    assert.ok(((await own.read(one.message_id)).due_at?.getTime() ?? 0) >= before + GRACE - 100);
    await makeDue(world.db, one.message_id);
  }
  assert.equal((await resolve(own.claim)).waiting, 2);
  assert.equal((await resolve(claim)).waiting, 2, 'the old owner put nothing off');
  // The new owner can settle them, so the epoch is its own.
  for (const one of [sending, doubtful]) await makeDue(world.db, one.message_id);
  const evidence = { now: () => 0, monotonic: () => 0 };
  const noted = recordEvidence(world.db, evidence);
  noted.note(own.tenant, own.sender, Date.now());
  await noted.write();
  assert.equal((await resolve(own.claim)).resent, 0, 'a deposed owner decides nothing');
  assert.equal((await resolve(claim)).resent, 2);
});

test('two instances never own one lane, and a live one keeps it', async () => {
  await world.tenant();
  const options = { lease: LEASE, grace: GRACE, description: 'test' };
  const [one, two] = [newId<InstanceId>(), newId<InstanceId>()];
  await world.db.script('delete from instances');
  const held = await Promise.all([holdLanes(world.db, one, options), holdLanes(world.db, two, options)]);
  const ids = held.flatMap(({ lanes }) => lanes.map((lane) => lane.id));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(held.flatMap(({ taken }) => taken).length, ids.length);
  const again = await Promise.all([holdLanes(world.db, two, options), holdLanes(world.db, one, options)]);
  assert.deepEqual(
    again.map(({ taken }) => taken),
    [[], []],
  );
  assert.deepEqual(
    again.map(({ lanes }) => lanes),
    [held[1]?.lanes, held[0]?.lanes],
  );
});

test('evidence is the latest start, whatever order it came in, written at most once a second', async () => {
  const own = await world.tenant();
  let now = 10_000;
  const evidence = recordEvidence(world.db, { now: () => 0, monotonic: () => now });
  const stored = async () =>
    (
      await world.db.query<{ at: Date }>(
        { name: 'test_evidence', text: 'select attempt_started_at as at from sender_evidence where sender_id = $1' },
        [own.sender],
      )
    )[0]?.at.getTime();
  evidence.note(own.tenant, own.sender, 5000);
  evidence.note(own.tenant, own.sender, 3000);
  await evidence.write();
  assert.equal(await stored(), 5000);
  evidence.note(own.tenant, own.sender, 9000);
  now += 500;
  await evidence.write();
  assert.equal(await stored(), 5000);
  now += 600;
  await evidence.write();
  assert.equal(await stored(), 9000);
  const other = recordEvidence(world.db, { now: () => 0, monotonic: () => now });
  other.note(own.tenant, own.sender, 4000);
  await other.write();
  assert.equal(await stored(), 9000);
});

test('who has opted out since is not sent a doubtful message once more', async () => {
  const own = await world.tenant();
  const optOut = async (send: BegunSend, scope: 'marketing' | 'all') => {
    const { contact_id: contact } = await own.read(send.message_id);
    const said = { state: 'out', source: 'api', detail: null, message: null, at: Date.now() } as const;
    await giveConsents(world, [{ tenant: own.tenant, contact, scope, ...said }]);
  };
  const stopped = await doubt(own, { category: 'utility' });
  const asked = await doubt(own, { category: 'utility' });
  await optOut(stopped, 'all');
  await optOut(asked, 'marketing');
  await receiptsFlow(own);
  const { resent, told } = await resolve(own.claim);
  assert.deepEqual([resent, told], [1, 1]);
  const { state, error } = await own.read(stopped.message_id);
  assert.deepEqual([state, error?.error], ['failed', 'recipient_suppressed']);
  assert.equal((await own.read(asked.message_id)).state, 'queued');
});
