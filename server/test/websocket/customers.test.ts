import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import type { MessageId } from '../../src/domain/ids.ts';
import { newPhone } from '../engine-world.ts';
import { type SocketWorld, socketWorld, type TestInstance } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

let wamids = 0;

/** A conversation with a customer who has written, in which two agents are. */
async function withCustomer() {
  const tenant = await world.tenant();
  const { key } = await world.key(tenant.tenant);
  const phone = newPhone();
  const answers = async (text: string): Promise<MessageId> => {
    const [received] = await receiveMessages(
      one.db,
      one.signals,
      [
        {
          ...{ tenant: tenant.tenant, sender: tenant.sender, wamid: `wamid.socket.${++wamids}`, type: 'text' },
          ...{ at: Date.now(), phone, userId: null, name: 'Cora', content: { text }, replyTo: null },
        },
      ],
      0,
    );
    assert.ok(received);
    return received.message;
  };
  const { conversation_id } = await tenant.read(await answers('Hello?'));
  const conversation = conversation_id;
  await one.chat.addParticipants(tenant.tenant, null, conversation, [{ user_id: 'ann' }, { user_id: 'ben' }]);
  return { ...tenant, key, conversation, answers };
}

test('agents see what the customer writes and what they answer; a stranger sees nothing', async () => {
  const { key, conversation, answers } = await withCustomer();
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  const zoe = one.connect({ key, user: 'zoe' });
  await Promise.all([ann.next('hello'), ben.next('hello'), zoe.next('hello')]);
  const asked = await answers('Is it open?');
  const heard = await ann.next('new_message');
  assert.deepEqual(
    [heard.payload.message['id'], heard.payload.message['sender_type'], heard.payload.message['content']],
    [asked, 'customer', 'Is it open?'],
  );
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'From nine to five.' });
  const sent = await ann.next('sent');
  assert.deepEqual([sent.payload.message['user_id'], sent.payload.message['state']], ['ann', 'queued']);
  const seen = await ben.next('new_message', (frame) => frame.payload.message['user_id'] === 'ann');
  assert.equal(seen.payload.message['id'], sent.payload.message['id']);
  ann.send('send', { client_id: '2', conversation_id: conversation, content: 'A dear customer', note: true });
  const note = await ben.next('new_message');
  assert.deepEqual([note.payload.message['note'], note.payload.message['content']], [true, 'A dear customer']);
  ben.send('read_receipt', { message_id: asked });
  const read = await ann.next('message_read');
  assert.deepEqual([read.payload['message_id'], read.payload['user_id']], [asked, null]);
  ben.send('react', { message_id: asked, emoji: '👍', client_id: 'r' });
  assert.equal((await ben.next('done')).payload['client_id'], 'r');
  assert.equal(zoe.events().length, 0);
  for (const socket of [ann, ben, zoe]) socket.ws.close();
});

test('the state of what was said to a customer is told', async () => {
  const { key, conversation, begin, settle } = await withCustomer();
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'Here it is.' });
  const { message } = (await ann.next('sent')).payload;
  const [send] = await begin();
  assert.equal(send?.message_id, message['id']);
  if (send) await settle(send, { kind: 'sent', wamid: 'wamid.sent.1' });
  const told = await ben.next('message_updated');
  assert.deepEqual([told.payload.message['id'], told.payload.message['state']], [message['id'], 'sent']);
  for (const socket of [ann, ben]) socket.ws.close();
});
