import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createSettler } from '../../src/actions/settle-sends.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { newPhone, RETRY } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
/** Waits so long that what is answered before was not waited out. */
let patient: DoorWorld;
const PATIENCE = 30_000;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  patient = await doorWorld({}, {}, {}, { send_timeout: PATIENCE });
});
// A retry of an earlier test is nothing for a later one to begin.
beforeEach(async () => {
  customer = await world.customer();
});
after(async () => {
  for (const one of [world, patient]) {
    await assertSound(one.db);
    await one.close();
  }
});

const PATH = '/api/v1/messages/send';
const ERROR = { kind: 'error', code: 131026, title: 'undeliverable', detail: 'no account', retryAfter: null } as const;

const body = (change: object = {}) => ({ to: newPhone(), message: 'Hello!', message_type: 'text', ...change });

/** The attempt of the message that was asked to be sent last. */
async function begun(of = customer) {
  let [send] = await of.begin();
  await until('an attempt has begun', async () => {
    send ??= (await of.begin())[0];
    return send !== undefined;
  });
  assert(send);
  return send;
}

async function query(text: string, values: unknown[] = []): Promise<void> {
  await world.db.query({ name: `test ${text}`, text }, values);
}

/** Gives the answer, and how many milliseconds it took. */
async function timed(asked: Promise<Answer>): Promise<[Answer, number]> {
  const since = performance.now();
  const answer = await asked;
  return [answer, performance.now() - since];
}

test('a send is answered when the provider has it, in the documented shape', async () => {
  const asked = customer.post(PATH, {
    tenant_id: customer.tenant,
    outlet_id: customer.sender,
    conversation_id: 'conv-1',
    ...body(),
  });
  const send = await begun();
  await customer.settle(send, { kind: 'sent', wamid: 'wamid.1' });
  const { status, body: answer } = await asked;
  const message = await customer.read(send.message_id);
  assert.equal(status, 200, answer.message);
  assert.deepEqual(answer, {
    message_id: send.message_id,
    whatsapp_message_id: 'wamid.1',
    status: 'sent',
    state: 'sent',
    sent_at: message.sent_at?.toISOString(),
    conversation_id: 'conv-1',
    warnings: [],
  });
  assert.deepEqual([message.content, message.type, message.priority], [{ text: 'Hello!' }, 'text', 0]);
});

test('the canonical names are taken as well; without a conversation ours is told', async () => {
  const asked = customer.post(PATH, {
    recipient_phone: newPhone(),
    content: { text: 'Hi {name}' },
    variables: { name: 'Ana' },
    priority: 'low',
    sender_type: 'bot',
  });
  const send = await begun();
  await customer.settle(send, { kind: 'sent', wamid: 'wamid.2' });
  const { status, body: answer } = await asked;
  const message = await customer.read(send.message_id);
  assert.deepEqual([status, answer['conversation_id']], [200, message.conversation_id]);
  assert.deepEqual([message.content, message.priority, message.sender_type], [{ text: 'Hi Ana' }, 2, 'bot']);
});

test('a send that failed for good is 500, with the documented words', async () => {
  const asked = customer.post(PATH, body({ conversation_id: 'conv-f' }));
  const send = await begun();
  await customer.settle(send, ERROR);
  const { status, body: answer } = await asked;
  assert.deepEqual([status, answer.error, answer.message], [500, 'send_failed', 'Failed to send message']);
  assert.deepEqual(answer.details, {
    message_id: send.message_id,
    status: 'failed',
    state: 'failed',
    failure_reason: 'undeliverable: no account',
    conversation_id: 'conv-f',
  });
});

test('an error that may pass is waited out; when the time is over the answer has the state', async () => {
  const asked = timed(customer.post(PATH, body()));
  const send = await begun();
  await customer.settle(send, { ...ERROR, code: 131016 });
  const [{ status, body: answer }, took] = await asked;
  assert.deepEqual([status, answer.status, answer.state], [202, 'queued', 'queued']);
  assert.equal(answer['whatsapp_message_id'], null);
  assert.ok(took > 1900, `${took} ms`);
});

test('what another instance settles is seen without a signal', async () => {
  const own = await patient.customer();
  const asked = timed(own.post(PATH, body()));
  const send = await begun(own);
  const settler = createSettler({
    db: patient.db,
    signals: memorySignals(),
    owner: () => own.claim,
    retry: RETRY,
    maxAttempts: null,
    validity: 86_400_000,
    slot: 0,
  });
  await settler.settle(send, { kind: 'sent', wamid: 'wamid.other' });
  const [{ status }, took] = await asked;
  assert.equal(status, 200);
  assert.ok(took < PATIENCE, `${took} ms`);
});

test('a message that a person cancels is not waited for any longer', async () => {
  const to = newPhone();
  const asked = customer.post(PATH, body({ to }));
  let id = '';
  await until('it is accepted', async () => {
    const { body: list } = await customer.get('/api/v1/messages?limit=1');
    id = list.messages[0]?.to === to ? list.messages[0].id : '';
    return id !== '';
  });
  await customer.post(`/api/v1/messages/${id}/cancel`);
  const { status, body: answer } = await asked;
  assert.deepEqual([status, (answer.details as { state?: string }).state], [500, 'cancelled']);
});

test('stopped, or scheduled: answered at once', async () => {
  const stopped = await patient.customer();
  await patient.db.script(`update tenants set processing = false where id = '${stopped.tenant}'`);
  const [{ status, body: answer }, took] = await timed(stopped.post(PATH, body()));
  assert.deepEqual([status, answer.state], [202, 'queued']);
  const scheduled_at = new Date(Date.now() + 60_000).toISOString();
  const [scheduled, tookToo] = await timed((await patient.customer()).post(PATH, body({ scheduled_at })));
  assert.equal(scheduled.status, 202);
  assert.ok(took < PATIENCE && tookToo < PATIENCE, `${took}, ${tookToo} ms`);
});

test('the same key twice at once is one message, and both are answered with it', async () => {
  const key = { 'idempotency-key': 'send-1' };
  const said = body();
  const both = [customer.post(PATH, said, key), customer.post(PATH, said, key)];
  const send = await begun();
  await customer.settle(send, { kind: 'sent', wamid: 'wamid.k' });
  const answers = await Promise.all(both);
  const again = await customer.post(PATH, said, key);
  for (const { status, body: answer } of [...answers, again]) {
    assert.deepEqual([status, answer['message_id']], [200, send.message_id]);
  }
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
});

test('who goes away is not waited for', async () => {
  const controller = new AbortController();
  const before = world.listeners();
  const asked = fetch(`${world.url}${PATH}`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'application/json' },
    body: JSON.stringify(body()),
    signal: controller.signal,
  });
  await until('it waits', async () => world.listeners() > before);
  controller.abort();
  await assert.rejects(asked);
  await until('nobody waits', async () => world.listeners() === before);
});

test('a server that stops lets go who waits, with the state', async () => {
  const stopping = await doorWorld({}, {}, {}, { send_timeout: PATIENCE });
  const other = await stopping.customer();
  const asked = timed(other.post(PATH, body()));
  await until('it waits', async () => stopping.listeners() > 0);
  const [[{ status, body: answer }, took]] = await Promise.all([asked, stopping.close()]);
  assert.deepEqual([status, answer.state], [202, 'queued']);
  assert.ok(took < PATIENCE, `${took} ms`);
});

test('a conversation is called what the first request calls it, then what the next does', async () => {
  const to = newPhone();
  const scheduled_at = new Date(Date.now() + 60_000).toISOString();
  const said = async (conversation_id: string, change: object = {}) => {
    const { body: answer } = await customer.post(PATH, body({ to, scheduled_at, conversation_id, ...change }));
    assert.equal(answer['conversation_id'], conversation_id);
    return (await customer.read(answer['message_id'] as never)).conversation_id;
  };
  const listed = async (name: string) => (await customer.get(`/api/v1/messages?conversation_id=${name}`)).body.messages;
  const first = await said('crm-1');
  assert.equal(await said('crm-1'), first);
  assert.equal((await listed('crm-1')).length, 2);
  assert.equal(await said('crm-2'), first);
  assert.deepEqual([(await listed('crm-1')).length, (await listed('crm-2')).length], [0, 3]);
  // The own id names it as well, and gives no new name.
  assert.equal(await said(first), first);
  assert.equal((await listed('crm-2')).length, 4);
  // The name of another customer's conversation stays with that one.
  const other = await said('crm-2', { to: newPhone() });
  assert.notEqual(other, first);
  assert.equal((await listed('crm-2')).length, 4);
});

test('what is wrong is refused, and nothing is stored', async () => {
  const stranger = await world.customer();
  const count = async () => (await customer.get('/api/v1/messages/statistics')).body['total'];
  const stored = await count();
  const refused: [object, number, string][] = [
    [{ ...body(), outlet_id: customer.sender, sender_id: customer.sender }, 400, 'two_senders'],
    [{ ...body(), recipient_phone: newPhone() }, 400, 'two_addressees'],
    [{ ...body(), content: 'Hello again' }, 400, 'invalid_field'],
    [{ ...body(), type: 'image' }, 400, 'invalid_field'],
    [{ message: 'x', conversation_id: 'conv-1' }, 400, 'missing_field'],
    [{ to: newPhone() }, 400, 'missing_field'],
    [{ ...body(), to: '0812' }, 400, 'invalid_phone'],
    [{ ...body(), outlet_id: 'nobody' }, 404, 'unknown_sender'],
    [{ ...body(), outlet_id: stranger.sender }, 404, 'unknown_sender'],
    [{ ...body(), tenant_id: stranger.tenant }, 403, 'forbidden'],
    [{ ...body(), tenant_id: 'nobody' }, 403, 'forbidden'],
    [{ ...body(), sender_type: 'robot' }, 400, 'invalid_field'],
    [{ ...body(), whatsapp_message_id: 'wamid.x' }, 400, 'unknown_field'],
    [{ ...body(), conversation_id: 'x'.repeat(129) }, 400, 'invalid_field'],
  ];
  for (const [asked, status, error] of refused) {
    const { status: got, body: answer } = await customer.post(PATH, asked);
    assert.deepEqual([got, answer.error], [status, error], JSON.stringify(asked));
  }
  assert.equal(await count(), stored);
});

test('tenant_id: the own one by either id; an operator acts for any', async () => {
  const scheduled_at = new Date(Date.now() + 60_000).toISOString();
  await query('update tenants set external_id = $2 where id = $1', [customer.tenant, 'shop 7']);
  const own = await customer.post(PATH, body({ tenant_id: 'shop 7', scheduled_at }));
  assert.equal(own.status, 202);
  const operator = await world.customer();
  const key = await world.keyFor(operator.tenant, ['admin']);
  const headers = { 'x-api-key': key };
  const acted = await operator.post(PATH, body({ tenant_id: 'shop 7', scheduled_at }), headers);
  assert.equal(acted.status, 202, acted.body.message);
  assert.equal((await customer.read(acted.body['message_id'] as never)).sender_id, customer.sender);
  assert.equal((await operator.post(PATH, body({ tenant_id: 'nobody' }), headers)).status, 404);
});
