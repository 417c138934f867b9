import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { MessageId } from '../../src/domain/ids.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

const REFUSED = {
  kind: 'error',
  code: 131026,
  title: 'undeliverable',
  detail: 'no account',
  retryAfter: null,
} as const;

/** A tenant with a message in each of several states, oldest first. */
async function people(): Promise<Record<'queued' | 'sending' | 'sent' | 'failed' | 'cancelled', MessageId>> {
  customer = await world.customer();
  const sent = await customer.sending();
  await customer.settle(sent, { kind: 'sent', wamid: `wamid.${sent.message_id}` });
  const failed = await customer.sending({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  await customer.settle(failed, REFUSED);
  const sending = await customer.sending();
  const cancelled = await customer.accept();
  await customer.post(`/api/v1/messages/${cancelled}/cancel`);
  const queued = await customer.accept();
  return { sent: sent.message_id, failed: failed.message_id, sending: sending.message_id, cancelled, queued };
}

async function list(query: string): Promise<string[]> {
  const { status, body } = await customer.get(`/api/v1/messages?${query}`);
  assert.equal(status, 200, body.message);
  return body.messages.map(({ id }) => id);
}

test('lists: newest first, by each filter', async () => {
  const { sent, failed, sending, cancelled, queued } = await people();
  const all = [queued, cancelled, sending, failed, sent];
  assert.deepEqual(await list(''), all);
  assert.deepEqual(await list('status=queued'), [queued, sending]);
  assert.deepEqual(await list('status=failed'), [cancelled, failed]);
  assert.deepEqual(await list('state=failed'), [failed]);
  assert.deepEqual(await list(`state=failed&sender_id=${customer.sender}&type=text`), []);
  assert.deepEqual(await list('status=sent&type=text'), [sent]);
  assert.deepEqual(await list('type=image'), [failed]);
  assert.deepEqual(await list('direction=outbound'), all);
  assert.deepEqual(await list('direction=inbound'), []);
  assert.deepEqual(await list(`sender_id=${customer.sender}`), all);
  assert.deepEqual(await list('sender_id=nobody'), []);
  const message = await customer.read(sent);
  assert.deepEqual(await list(`contact_id=${message.contact_id}`), [sent]);
  assert.deepEqual(await list(`conversation_id=${message.conversation_id}`), [sent]);
  assert.deepEqual(await list(`conversation_id=${message.conversation_id}&status=failed`), []);
  const name = { name: 'test_name_it', text: `update contacts set external_id = 'customer 7' where id = $1` };
  await world.db.query(name, [message.contact_id]);
  assert.deepEqual(await list('contact_id=customer%207'), [sent]);
  const at = message.created_at.toISOString();
  assert.ok((await list(`start_date=${at}`)).includes(sent));
  assert.ok(!(await list(`end_date=${new Date(message.created_at.getTime() - 1).toISOString()}`)).includes(sent));
  const day = at.slice(0, 10);
  assert.deepEqual(await list(`start_date=${day}&end_date=${new Date().toISOString().slice(0, 10)}`), all);
  assert.deepEqual(await list('end_date=2020-01-01'), []);
});

test('pages: each message once, whatever comes in between', async () => {
  await people();
  const found: string[] = [];
  let cursor = '';
  do {
    const { body } = await customer.get(`/api/v1/messages?limit=2${cursor && `&cursor=${cursor}`}`);
    found.push(...body.messages.map(({ id }) => id));
    cursor = body.next_cursor;
    await customer.accept();
  } while (cursor !== null);
  assert.equal(found.length, 5);
  assert.deepEqual(found, [...new Set(found)].sort().reverse());
});

test('a batch is listed by its id', async () => {
  customer = await world.customer();
  const messages = [1, 2, 3].map(() => ({ to: newPhone(), content: { text: 'x' } }));
  const { body } = await customer.post('/api/v1/messages/batch', { messages });
  await customer.accept();
  assert.deepEqual(await list(`batch_id=${body.batch_id}`), body.messages.map(({ id }) => id).reverse());
  assert.deepEqual(await list('batch_id=other'), []);
});

test('a page looks at 5,000 rows at most, may be short, and goes on', async () => {
  customer = await world.customer();
  const first = await customer.accept({ type: 'image', content: { media_url: 'https://example.com/a.jpg' } });
  const many = {
    name: 'test_many',
    text: `
      insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type,
        category, priority, address, created_at)
      select tenant_id, ('ffff' || substr(gen_random_uuid()::text, 5))::uuid, sender_id, contact_id, conversation_id, direction, state, state_before,
        'text', category, priority, address, created_at
      from messages, generate_series(1, 5500) where tenant_id = $1`,
  };
  await world.db.query(many, [customer.tenant]);
  const { conversation_id, contact_id } = await customer.read(first);
  const keys = { conversation_id, contact_id, sender_id: customer.sender };
  for (const walk of ['', ...Object.entries(keys).map(([name, id]) => `&${name}=${id}`)]) {
    const short = await customer.get(`/api/v1/messages?type=image${walk}`);
    assert.deepEqual(short.body.messages, []);
    const next = await customer.get(`/api/v1/messages?type=image${walk}&cursor=${short.body.next_cursor}`);
    assert.deepEqual([next.body.messages.map(({ id }) => id), next.body.next_cursor], [[first], null]);
  }
  const { messages, next } = await listMessages(world.db, customer.tenant, {}, null, 100);
  assert.deepEqual([messages.length, next], [100, messages[99]?.id]);
});

test('a message with its history, in order', async () => {
  const { failed, sending } = await people();
  const { status, body } = await customer.get(`/api/v1/messages/${failed}`);
  assert.equal(status, 200);
  assert.deepEqual(
    [body.state, body.status, body.direction, body.from, body.whatsapp_message_id],
    ['failed', 'failed', 'outbound', (await customer.read(failed)).sender_phone, null],
  );
  assert.deepEqual(body.content, { media_url: 'https://example.com/a.jpg' });
  assert.deepEqual(
    body.history.map(({ step, outcome, attempt }) => [step, outcome, attempt]),
    [
      ['accepted', null, null],
      ['attempt', 'refused', 1],
      ['failure', null, 1],
    ],
  );
  assert.match(body.history[2]?.at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const open = (await customer.get(`/api/v1/messages/${sending}`)).body;
  assert.deepEqual([open.state, open.history.at(-1)?.outcome], ['sending', 'open']);
  assert.notEqual(open['sending_at'], null);
});

test('the status, in the documented shape', async () => {
  const { sent, failed, cancelled } = await people();
  const status = async (id: string) => (await customer.get(`/api/v1/messages/${id}/status`)).body;
  const { sent_at, ...rest } = await status(sent);
  assert.equal(typeof sent_at, 'string');
  assert.deepEqual(rest, {
    message_id: sent,
    whatsapp_message_id: `wamid.${sent}`,
    status: 'sent',
    state: 'sent',
    delivered_at: null,
    read_at: null,
    failure_reason: '',
  });
  assert.match(String((await status(failed))['failure_reason']), /undeliverable/);
  assert.equal((await status(cancelled))['failure_reason'], 'cancelled');
});

test("another tenant's messages are as if they were not", async () => {
  const { sent } = await people();
  const { conversation_id, contact_id } = await customer.read(sent);
  const { body: batch } = await customer.post('/api/v1/messages/batch', {
    messages: [{ to: newPhone(), content: { text: 'x' } }],
  });
  const other = await world.customer();
  const nothing = await other.get('/api/v1/messages/019a0000-0000-7000-8000-000000000000');
  for (const way of ['', '/status']) {
    const foreign = await other.get(`/api/v1/messages/${sent}${way}`);
    assert.deepEqual([foreign.status, { ...foreign.body, request_id: '' }], [404, { ...nothing.body, request_id: '' }]);
  }
  assert.equal((await other.post(`/api/v1/messages/${sent}/cancel`)).status, 404);
  assert.equal((await other.post(`/api/v1/messages/${sent}/retry`)).status, 404);
  assert.equal((await other.get(`/api/v1/batches/${batch.batch_id}`)).status, 404);
  const queries = ['', `conversation_id=${conversation_id}`, `contact_id=${contact_id}`, `batch_id=${batch.batch_id}`];
  for (const query of [...queries, `sender_id=${customer.sender}`]) {
    assert.deepEqual((await other.get(`/api/v1/messages?${query}`)).body.messages, [], query);
  }
  assert.deepEqual((await other.get('/api/v1/events')).body.events, []);
});
