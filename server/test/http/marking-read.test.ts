import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { newPhone, readLog } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});

let wamids = 0;

/** Two messages of one customer, the later one of the type; the newest first. */
async function twoReceived(type = 'text'): Promise<string[]> {
  customer = await world.customer();
  const phone = newPhone();
  const message = (ofType: string) => ({
    tenant: customer.tenant,
    sender: customer.sender,
    wamid: `wamid.read.${++wamids}`,
    type: ofType,
    at: Date.now(),
    phone,
    userId: null,
    name: null,
    content: { text: 'hi' },
    replyTo: null,
  });
  await receiveMessages(world.db, world.signals, [message('text'), message(type)], 0);
  const { body } = await customer.get('/api/v1/messages');
  return body.messages.map(({ id }) => id);
}

async function unread(): Promise<unknown> {
  const text =
    'select unread_count as n, (select count(*)::int from read_marks r where r.tenant_id = $1) as marks from conversations where tenant_id = $1';
  return (await world.db.query<object>({ name: 'test_unread', text }, [customer.tenant]))[0];
}

const put = (path: string) =>
  fetch(`${world.url}${path}`, { method: 'PUT', headers: { 'x-api-key': customer.key } }).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
  }));

test('what a customer wrote is read: once, by PUT or POST, with its event and its mark', async () => {
  const [id = '', other = ''] = await twoReceived();
  assert.deepEqual(await unread(), { n: 2, marks: 0 });
  const first = await put(`/api/v1/messages/${id}/read`);
  assert.deepEqual([first.status, first.body], [200, { id, status: 'read', state: 'read' }]);
  const again = await customer.post(`/api/v1/messages/${id}/read`);
  assert.deepEqual([again.status, again.body.state], [200, 'read']);
  assert.deepEqual(await unread(), { n: 1, marks: 1 });
  await customer.post(`/api/v1/messages/${other}/read`);
  assert.deepEqual(await unread(), { n: 0, marks: 2 });
  const log = await readLog(world.db, customer.tenant, 4);
  assert.deepEqual(
    log.map(({ event_type }) => event_type),
    ['message.received', 'message.received', 'message.read', 'message.read'],
  );
  const { body } = await customer.get(`/api/v1/messages/${id}`);
  assert.equal(typeof body['read_at'], 'string');
  const statistics = await customer.get('/api/v1/messages/statistics');
  assert.deepEqual(statistics.body['by_status'], { queued: 0, sent: 0, delivered: 0, read: 2, failed: 0 });
});

test('a reaction that is marked as read takes nothing off what is unread', async () => {
  const [reaction = '', text = ''] = await twoReceived('reaction');
  assert.deepEqual(await unread(), { n: 1, marks: 0 });
  await customer.post(`/api/v1/messages/${reaction}/read`);
  assert.deepEqual(await unread(), { n: 1, marks: 1 });
  await customer.post(`/api/v1/messages/${text}/read`);
  assert.deepEqual(await unread(), { n: 0, marks: 2 });
});

test('several at once take it off the unread ones once', async () => {
  const [id = ''] = await twoReceived();
  const answers = await Promise.all([1, 2, 3, 4].map(() => customer.post(`/api/v1/messages/${id}/read`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.deepEqual(await unread(), { n: 1, marks: 1 });
});

test('only the customer reads what was sent; what is not there is not found', async () => {
  const [id = ''] = await twoReceived();
  const sent = await customer.accept();
  const { status, body } = await customer.post(`/api/v1/messages/${sent}/read`);
  assert.deepEqual([status, body.error], [409, 'cannot_mark_read']);
  for (const unknown of ['no-id', crypto.randomUUID()]) {
    assert.equal((await customer.post(`/api/v1/messages/${unknown}/read`)).status, 404);
  }
  assert.equal((await customer.post(`/api/v1/messages/${id}/read`, { mark: true })).body.error, 'unknown_field');
  const stranger = await world.customer();
  assert.equal((await stranger.post(`/api/v1/messages/${id}/read`)).status, 404);
  assert.deepEqual(await unread(), { n: 2, marks: 0 });
});

test('typing marks as read, answers at once, and is for what a customer wrote', async () => {
  const [id = ''] = await twoReceived();
  const typing = (of: string) => customer.post(`/api/v1/messages/${of}/typing`);
  for (const _ of [1, 2]) {
    const { status, body } = await typing(id);
    assert.deepEqual([status, body], [202, { id, status: 'read', state: 'read' }]);
  }
  assert.deepEqual(await unread(), { n: 1, marks: 1 });
  const log = await readLog(world.db, customer.tenant, 3);
  assert.deepEqual(
    log.map(({ event_type }) => event_type),
    ['message.received', 'message.received', 'message.read'],
  );
  const sent = await typing(await customer.accept());
  assert.deepEqual([sent.status, sent.body.error], [409, 'cannot_mark_read']);
  for (const unknown of ['no-id', crypto.randomUUID()]) assert.equal((await typing(unknown)).status, 404);
  const stranger = await world.customer();
  assert.equal((await stranger.post(`/api/v1/messages/${id}/typing`)).status, 404);
});
