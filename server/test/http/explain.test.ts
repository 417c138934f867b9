import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import { DEFERRAL_CAUSES, PAUSE_CAUSES } from '../../src/domain/causes.ts';
import { type BatchId, type MessageId, newId, type TemplateId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { recordSenderEvidence } from '../../src/store/doubt.write.ts';
import { findExplained } from '../../src/store/explanations.read.ts';
import { makeDue, RETRY } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { assertCheap } from '../store/cheap-plans.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let own: Customer;

before(async () => {
  world = await doorWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const run = (name: string, text: string, values: readonly unknown[]) =>
  world.db.query<Record<string, unknown>>({ name: `test_${name}`, text }, values);

interface Told {
  message_id: string;
  state: string;
  cause: {
    code: string;
    since: string | null;
    until: string | null;
    detail: string | null;
    provider_code: number | null;
  } | null;
  explanation: string;
  next: { what: string; at: string | null } | null;
  advice: string | null;
  uncertain: boolean;
  history: { step: string; at: string; attempt: number | null; outcome: string | null; source: string | null }[];
}

async function explained(id: MessageId, customer = own): Promise<Told> {
  const { status, body } = await customer.get(`/api/v1/messages/${id}/explain`);
  assert.equal(status, 200, body.message);
  return body as unknown as Told;
}

async function causeOf(id: MessageId): Promise<string | undefined> {
  return (await explained(id)).cause?.code;
}

const steps = ({ history }: Told) => history.map(({ step }) => step);
const unknown: Outcome = { kind: 'unknown', detail: 'cut' };

test('of a message that waits: its turn, and how many go first', async () => {
  own = await world.customer();
  const first = await own.accept();
  const normal = await own.accept();
  const high = await own.accept({ priority: 0 });
  const told = await explained(normal);
  assert.deepEqual(
    [told.message_id, told.state, told.cause?.code, told.cause?.detail],
    [normal, 'queued', 'ahead', '2 go first.'],
  );
  assert.equal(told.next?.what, 'attempt');
  assert.deepEqual(steps(told), ['accepted']);
  assert.equal((await explained(high)).cause?.detail, 'It is the next.');
  assert.equal((await explained(first)).cause?.detail, 'One goes first.');
});

test("another tenant's message, and none, are not found", async () => {
  own = await world.customer();
  const other = await world.customer();
  const id = await own.accept();
  for (const [customer, path] of [
    [other, id],
    [own, newId<MessageId>()],
    [own, 'x'],
  ] as const) {
    const { status, body } = await customer.get(`/api/v1/messages/${path}/explain`);
    assert.deepEqual([status, body.error], [404, 'not_found']);
  }
  assert.equal((await own.get(`/api/v1/messages/${id}/explain?verbose=1`)).body.error, 'unknown_field');
});

test('of a scheduled message: when', async () => {
  own = await world.customer();
  const scheduled_at = Date.now() + 3_600_000;
  const id = await own.accept({ scheduled_at });
  const { cause, next } = await explained(id);
  assert.deepEqual([cause?.code, cause?.until], ['scheduled', new Date(scheduled_at).toISOString()]);
  assert.deepEqual(next, { what: 'attempt', at: cause?.until });
});

test('of a batch that is being stored', async () => {
  own = await world.customer();
  const id = await own.accept();
  const batch = newId<BatchId>();
  await run('batch', 'insert into batches (tenant_id, id, total) values ($1, $2, 2)', [own.tenant, batch]);
  await run('batched', 'update messages set batch_id = $2, batch_index = 0 where id = $1', [id, batch]);
  await run('undue', 'delete from due where message_id = $1', [id]);
  assert.equal(await causeOf(id), 'batch_incomplete');
});

test('of what its tenant, its sender or its template holds', async () => {
  own = await world.customer();
  const template = newId<TemplateId>();
  await run(
    'template',
    `insert into templates (tenant_id, account_id, id, name, language, status, category, components, reason)
     values ($1, '1', $2, 'offer', 'en', 'PAUSED', 'marketing', '[]', 'feedback')`,
    [own.tenant, template],
  );
  const held = await own.accept({ template_id: template, held: 'template' });
  const { cause } = await explained(held);
  assert.deepEqual([cause?.code, cause?.detail], ['template_held', 'The template offer (en) is PAUSED: feedback.']);
  const id = await own.accept();
  await run(
    'unlinked',
    "update senders set connected = false, connection_detail = 'not registered' where tenant_id = $1",
    [own.tenant],
  );
  assert.equal(await causeOf(id), 'sender_not_connected');
  await run('off', 'update senders set enabled = false where tenant_id = $1', [own.tenant]);
  assert.equal(await causeOf(id), 'sender_disabled');
  assert.equal((await own.post('/processor/stop')).status, 200);
  assert.equal(await causeOf(id), 'tenant_stopped');
  assert.equal(await causeOf(held), 'template_held');
});

test('of every pause of a queue, at each scope, and of no other queue', async () => {
  own = await world.customer();
  const other = await world.customer();
  const id = await own.accept();
  const theirs = await other.accept();
  const scopes = [
    ['sender', own.sender],
    ['account', 'default/1'],
    ['app', 'default'],
    ['provider', 'whatsapp'],
  ] as const;
  for (const [i, cause] of PAUSE_CAUSES.entries()) {
    const [scope, key] = scopes[i % scopes.length] as (typeof scopes)[number];
    const pause = newId();
    await run(
      'pause',
      `insert into pauses (id, tenant_id, scope, key, cause, code, title, detail, probe_at)
       values ($1, $2, $3, $4, $5, 190, 'no', 'not now', clock_timestamp() + interval '5 minutes')`,
      [pause, own.tenant, scope, key, cause],
    );
    const told = await explained(id);
    assert.deepEqual([told.cause?.code, told.cause?.provider_code, told.next?.what], [cause, 190, 'probe']);
    assert.ok(told.cause?.since && told.cause.until);
    assert.equal((await explained(theirs, other)).cause?.code, scope === 'sender' ? 'ahead' : cause);
    await run('resume', 'delete from pauses where id = $1', [pause]);
  }
});

test('of everything that puts one message off', async () => {
  own = await world.customer();
  const address = '+628120001111';
  const before = await own.accept({ address });
  const id = await own.accept({ address });
  for (const cause of DEFERRAL_CAUSES) {
    await run('defer', "update due set cause = $2, due_at = now() + interval '1 hour' where message_id = $1", [
      id,
      cause,
    ]);
    const told = await explained(id);
    assert.equal(told.cause?.code, cause);
    assert.ok(told.cause.until);
    assert.deepEqual(told.next, { what: 'attempt', at: told.cause.until });
    assert.equal(told.cause.detail, cause === 'order' ? `That is ${before}.` : null);
  }
});

test('of one behind another to the same recipient that is under way', async () => {
  own = await world.customer();
  const address = '+628120003333';
  const { message_id: before } = await own.sending({ address });
  const { cause } = await explained(await own.accept({ address }));
  assert.deepEqual([cause?.code, cause?.detail], ['order', `That is ${before}, under way.`]);
  assert.equal(await causeOf(await own.accept({ address, priority: 0 })), 'ahead');
  assert.equal(await causeOf(await own.accept()), 'ahead');
});

test('of a lane that nobody owns, and of a pace', async () => {
  own = await world.customer();
  const id = await own.accept();
  await run('pace', 'update senders set per_minute = 1 where tenant_id = $1', [own.tenant]);
  await run('window', "insert into sender_pace values ($1, $2, 'minute', now() - interval '20 seconds', 1)", [
    own.tenant,
    own.sender,
  ]);
  const { cause } = await explained(id);
  assert.equal(cause?.code, 'pace');
  const left = Date.parse(cause?.until ?? '') - Date.now();
  assert.ok(left > 30_000 && left < 45_000, `${left} ms`);
  const [lane] = await run('owner', 'select owner from lanes where id = $1', [own.lane]);
  const expire = 'update instances set expires_at = expires_at + $2::interval where id = $1';
  await run('dead', expire, [lane?.owner, '-1 day']);
  assert.equal(await causeOf(id), 'no_owner');
  await run('alive', expire, [lane?.owner, '1 day']);
});

test('of an attempt under way, and of a doubt: what is missing, and what is decided', async () => {
  own = await world.customer();
  const send = await own.sending();
  const id = send.message_id;
  const calling = await explained(id);
  assert.deepEqual(
    [calling.state, calling.cause?.code, calling.next?.what, calling.uncertain],
    ['sending', 'sending', 'answer', true],
  );
  await own.settle(send, unknown);
  const doubtful = await explained(id);
  assert.deepEqual([doubtful.cause?.code, doubtful.next?.what], ['unconfirmed', 'look']);
  assert.match(doubtful.explanation, /its grace ends at/);
  await run('begun', "update due set started_at = now() - interval '90 seconds' where message_id = $1", [id]);
  await look(id);
  const silent = await explained(id);
  assert.match(silent.explanation, /there has never been one/);
  assert.equal(silent.history.at(-1)?.step, 'postponed');
  await recordSenderEvidence(world.db, [
    { tenant: own.tenant, sender: own.sender, attemptStartedAt: Date.now() - 5000 },
  ]);
  await run('work', "insert into inbound_work values ($1, 'default', '{}', $1, now() - interval '9 seconds')", [
    newId(),
  ]);
  const waiting = await explained(id);
  assert.match(waiting.explanation, /Stored webhooks wait to be applied/);
  assert.equal(waiting.next?.what, 'resend');
  await run('worked', 'delete from inbound_work', []);
  await look(id);
  const again = await explained(id);
  assert.deepEqual([again.state, again.cause?.code, again.uncertain], ['queued', 'ahead', true]);
  assert.match(again.explanation, /may have arrived/);
  const decision = again.history.find(({ step }) => step === 'decision');
  assert.deepEqual([decision?.attempt, decision?.outcome, decision?.source], [1, 'resend', 'policy']);
});

/** A doubt is looked at. */
async function look(id: MessageId): Promise<void> {
  await makeDue(world.db, id);
  await resolveDoubts(world.db, world.signals, own.claim);
}

test('of a retry, a failure, and what has arrived: the history has who told of it', async () => {
  own = await world.customer();
  const send = await own.sending();
  const id = send.message_id;
  await own.settle(send, { kind: 'error', code: 131000, title: 'unknown error', detail: 'again', retryAfter: null });
  await run('later', "update due set due_at = now() + interval '1 hour' where message_id = $1", [id]);
  const retried = await explained(id);
  assert.deepEqual([retried.cause?.code, retried.cause?.provider_code], ['retry_wait', 131000]);
  await makeDue(world.db, id);
  const [second] = await own.begin();
  await own.settle(second as BegunSend, { kind: 'sent', wamid: `wamid.${id}` });
  const sent = await explained(id);
  assert.deepEqual([sent.cause, sent.next, sent.uncertain], [null, { what: 'receipt', at: null }, false]);
  await receipt(id, 'delivered');
  const delivered = await explained(id);
  assert.deepEqual(
    delivered.history.map(({ step, source }) => [step, source]),
    [
      ['accepted', null],
      ['attempt', null],
      ['attempt', null],
      ['sent', 'answer'],
      ['delivered', 'receipt'],
    ],
  );
  const other = await own.sending();
  await own.settle(other, { kind: 'error', code: 131026, title: 'undeliverable', detail: null, retryAfter: null });
  const failed = await explained(other.message_id);
  assert.match(failed.explanation, /send_failed, code 131026/);
  assert.deepEqual(steps(failed), ['accepted', 'attempt', 'failure']);
});

function receipt(id: MessageId, status: 'delivered') {
  const named = {
    tenant: own.tenant,
    sender: own.sender,
    message: id,
    wamid: `wamid.${id}`,
    attempt: 2,
    at: Date.now(),
    status,
  };
  const rules = { retry: RETRY, maxAttempts: null, validity: 86_400_000, slot: 0 };
  return applyReceipts(world.db, world.signals, { receipts: [named], failed: [], doneWork: [] }, rules);
}

test('of one in a long queue it counts no further than it says', async () => {
  own = await world.customer();
  const address = '+628120002222';
  const first = await own.accept({ address });
  await run(
    'many',
    `with ids as materialized (select gen_random_uuid() as id, 1 + i % 2 as priority from generate_series(1, 20000) as i), m as (
       insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
         priority, address, created_at)
       select m.tenant_id, ids.id, m.sender_id, m.contact_id, m.conversation_id, m.direction, m.state, m.state_before, m.type,
         m.category, ids.priority, m.address, m.created_at from ids cross join messages m where m.id = $1)
     insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at)
     select d.tenant_id, ids.id, d.lane_id, d.sender_id, ids.priority, d.due_at from ids cross join due d where d.message_id = $1`,
    [first],
  );
  await world.db.script('analyze messages; analyze due');
  const last = await own.accept({ priority: 2, address });
  await run('ordered', "update due set cause = 'order' where message_id = any ($1)", [[first, last]]);
  for (const id of [first, last]) await assertCheap(world.db, 2100, (tx) => findExplained(tx, own.tenant, id));
  assert.equal((await findExplained(world.db, own.tenant, last))?.ahead, 1001);
  await run('gone', 'delete from due where tenant_id = $1', [own.tenant]);
  await run('gone_too', 'delete from messages where tenant_id = $1 and id not in (select message_id from events)', [
    own.tenant,
  ]);
  await run('ended', 'delete from messages where tenant_id = $1', [own.tenant]);
  await run('untold', 'delete from events where tenant_id = $1', [own.tenant]);
  await run('uncounted', 'delete from message_counts where tenant_id = $1', [own.tenant]);
});
