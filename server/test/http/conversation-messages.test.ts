import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { newPhone, RULES } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
});
beforeEach(async () => {
  customer = await world.customer();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});

const PATH = '/api/v1/messages';

/** A conversation with a customer who wrote, called `name`. */
async function conversation(name: string): Promise<{ id: string; phone: string }> {
  const phone = newPhone();
  const message = {
    tenant: customer.tenant,
    sender: customer.sender,
    wamid: `wamid.in.${name}`,
    type: 'text',
    at: Date.now(),
  };
  const said = { ...message, phone, userId: null, name: 'Ana', content: { text: 'hi' }, replyTo: null };
  await receiveMessages(world.db, world.signals, [said], 0);
  const text = `
    update conversations v set external_id = $3 from messages m
    where v.tenant_id = $1 and m.tenant_id = $1 and m.wamid = $2 and v.id = m.conversation_id returning v.id`;
  const rows = await world.db.query<{ id: string }>({ name: 'test_name', text }, [customer.tenant, said.wamid, name]);
  return { id: rows[0]?.id ?? '', phone };
}

test('a message may be addressed by a conversation: its address and sender', async () => {
  const { id, phone } = await conversation('talk 1');
  for (const conversation_id of ['talk 1', id]) {
    const asked = { conversation_id, content: 'Hello, World!', message_type: 'text', sender_type: 'agent' };
    const { status, body } = await customer.post(PATH, asked);
    assert.equal(status, 202, body.message);
    assert.deepEqual([body['conversation_id'], body['to'], body['sender_id']], [id, phone, customer.sender]);
    const message = await customer.read(body.id);
    assert.deepEqual([message.content, message.sender_type], [{ text: 'Hello, World!' }, 'agent']);
    assert.equal((await customer.get(`${PATH}/${body.id}`)).body['sender_type'], 'agent');
  }
});

test('what does not go together is refused', async () => {
  await conversation('talk 2');
  const refused: [object, number, string, string][] = [
    [{ conversation_id: 'talk 2', to: newPhone(), content: 'x' }, 400, 'two_addressees', 'conversation_id'],
    [{ conversation_id: 'nobody', content: 'x' }, 404, 'not_found', 'conversation_id'],
    [{ conversation_id: 'talk 2', sender_id: 'nobody', content: 'x' }, 400, 'two_senders', 'sender_id'],
    [{ conversation_id: 'talk 2' }, 400, 'missing_field', 'content.text'],
    [{ conversation_id: 'talk 2', content: 5 }, 400, 'invalid_field', 'content'],
    [{ conversation_id: 'talk 2', content: { txt: 'x' } }, 400, 'unknown_field', 'content.txt'],
    [{ whatsapp_message_id: 'wamid.1', content: 'x' }, 400, 'missing_field', 'conversation_id'],
    [{ whatsapp_message_id: 'wamid.1', conversation_id: 'talk 2' }, 400, 'missing_field', 'content'],
    [{ whatsapp_message_id: 'wamid.1', conversation_id: 'nobody', content: 'x' }, 404, 'not_found', 'conversation_id'],
    [
      { whatsapp_message_id: 'no id', conversation_id: 'talk 2', content: 'x' },
      400,
      'invalid_field',
      'whatsapp_message_id',
    ],
    [
      { whatsapp_message_id: 'wamid.1', conversation_id: 'talk 2', content: 'x', to: '+628' },
      400,
      'invalid_field',
      'to',
    ],
    [
      { whatsapp_message_id: 'wamid.1', conversation_id: 'talk 2', content: 'a\u0000b' },
      400,
      'invalid_field',
      'content.text',
    ],
  ];
  const total = async () => (await customer.get(`${PATH}/statistics`)).body['total'];
  const before = await total();
  for (const [asked, status, error, field] of refused) {
    const { status: got, body } = await customer.post(PATH, asked);
    assert.deepEqual([got, body.error, body.details?.field], [status, error, field], JSON.stringify(asked));
  }
  assert.equal(await total(), before);
});

test('a message that was sent elsewhere is recorded once, never sent, and found by its receipts', async () => {
  const { id, phone } = await conversation('talk 3');
  const asked = {
    conversation_id: 'talk 3',
    sender_type: 'llm',
    content: 'Your {order} is on its way',
    whatsapp_message_id: 'wamid.elsewhere',
  };
  const [first, second] = await Promise.all([customer.post(PATH, asked), customer.post(PATH, asked)]);
  assert.deepEqual([first.status, second.status].sort(), [200, 201]);
  assert.equal(first.body.id, second.body.id);
  assert.deepEqual([first.body.status, first.body.state, first.body['to']], ['sent', 'sent', phone]);
  assert.deepEqual(await customer.begin(), []);
  const message = await customer.read(first.body.id);
  assert.deepEqual([message.conversation_id, message.wamid, message.sender_type], [id, 'wamid.elsewhere', 'llm']);
  assert.deepEqual(message.content, { text: asked.content });
  const named = {
    tenant: customer.tenant,
    sender: customer.sender,
    message: first.body.id,
    wamid: 'wamid.elsewhere',
    attempt: null,
    at: Date.now(),
  };
  const told = (batch: object) =>
    applyReceipts(world.db, world.signals, { receipts: [], failed: [], doneWork: [], ...batch }, RULES);
  // An error that may pass would be tried again, had it been sent from here.
  await told({ failed: [{ ...named, code: 131016, title: 'later', detail: null }] });
  assert.deepEqual([(await customer.read(first.body.id)).state, await customer.begin()], ['failed', []]);
  const retried = await customer.post(`${PATH}/${first.body.id}/retry`);
  assert.deepEqual([retried.status, retried.body.error], [409, 'not_retryable']);
  assert.match(retried.body.message, /sent elsewhere/);
  await told({ receipts: [{ ...named, status: 'read' }] });
  assert.equal((await customer.read(first.body.id)).state, 'read');
});
