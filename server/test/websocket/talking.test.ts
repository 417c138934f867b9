import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../until.ts';
import {
  chainFlaw,
  direct,
  group,
  type SocketWorld,
  socketWorld,
  TEXT,
  type TestInstance,
  type TestSocket,
} from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

test('what one says comes to all devices of all who are in the conversation, in one unbroken chain', async () => {
  const { tenant, key } = await world.people();
  const conversation = await group(one, tenant, ['ann', 'ben', 'cem']);
  const ann = one.connect({ key, user: 'ann' });
  const phone = one.connect({ key, user: 'ben', device: 'phone' });
  const desk = one.connect({ key, user: 'ben', device: 'desk' });
  const stranger = one.connect({ key, user: 'zoe' });
  const hello = await phone.next('hello');
  assert.deepEqual(
    [hello.payload['user_id'], hello.payload['device_id'], typeof hello.payload['cursor']],
    ['ben', 'phone', 'string'],
  );
  await Promise.all([ann.next('hello'), desk.next('hello'), stranger.next('hello')]);
  for (let n = 0; n < 5; n++)
    ann.send('send', { client_id: `c${n}`, conversation_id: conversation, content: `text ${n}` });
  const sent = await ann.next('sent');
  assert.equal(sent.payload['client_id'], 'c0');
  assert.equal(sent.payload.message['content'], 'text 0');
  for (const socket of [ann, phone, desk]) {
    for (let n = 0; n < 5; n++) {
      const frame = await socket.next('new_message');
      assert.equal(frame.payload['type'], 'new_message');
      assert.deepEqual(
        [frame.payload.message['content'], frame.payload.message['user_id'], frame.payload.message['seq']],
        [`text ${n}`, 'ann', n + 1],
      );
      assert.match(String(frame.payload['timestamp']), /^\d{4}-.*Z$/);
    }
  }
  assert.equal(chainFlaw(phone.events(), String(hello.payload['cursor'])), null);
  assert.equal(stranger.events().length, 0);
  for (const socket of [ann, phone, desk, stranger]) socket.ws.close();
});

test('the same client_id is answered with the same message, and a changed body refused', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  await ann.next('hello');
  const said = { client_id: 'x', conversation_id: conversation, content: 'once' };
  ann.send('send', said);
  ann.send('send', said);
  ann.send('send', { ...said, content: 'other' });
  const first = await ann.next('sent');
  const second = await ann.next('sent');
  assert.equal(first.payload.message['id'], second.payload.message['id']);
  const error = await ann.next('error');
  assert.deepEqual([error.payload['code'], error.payload['client_id']], ['idempotency_mismatch', 'x']);
  ann.ws.close();
});

test('editing, deleting, reacting and reading are told, and answered', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'first' });
  const said = await ben.next('new_message');
  const message_id = said.payload.message['id'];
  ben.send('read_receipt', { message_id });
  const read = await ann.next('message_read');
  assert.deepEqual([read.payload['message_id'], read.payload['user_id']], [message_id, 'ben']);
  ben.send('react', { message_id, emoji: '👍', client_id: 'r' });
  assert.deepEqual((await ben.next('done')).payload, { client_id: 'r', type: 'react' });
  const reaction = await ann.next('reaction');
  assert.deepEqual([reaction.payload['emoji'], reaction.payload['user_id']], ['👍', 'ben']);
  ann.send('edit', { message_id, content: 'second' });
  assert.equal((await ben.next('message_edited')).payload.message['content'], 'second');
  ann.send('delete', { message_id });
  const deleted = await ben.next('message_deleted');
  assert.equal(deleted.payload.message['content'], null);
  for (const socket of [ann, ben]) socket.ws.close();
});

test('a message is delivered when the device proves that it came, and not before', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'first' });
  const first = await ben.next('new_message');
  ben.send('ack');
  const delivered = await ann.next('message_delivered');
  assert.equal(delivered.payload['message_id'], first.payload.message['id']);
  assert.equal(delivered.payload['user_id'], 'ben');
  // The client of `ws` answers pings by itself: without a frame of his the server asks.
  ann.send('send', { client_id: '2', conversation_id: conversation, content: 'second' });
  const second = await ben.next('new_message');
  const later = await ann.next('message_delivered');
  assert.equal(later.payload['message_id'], second.payload.message['id']);
  for (const socket of [ann, ben]) socket.ws.close();
});

test('typing is told to the others, ends by itself, and ends when something is said', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  ann.send('typing', { conversation_id: conversation, is_typing: true });
  const typing = await ben.next('typing');
  assert.deepEqual(
    [typing.payload['user_id'], typing.payload['conversation_id'], typing.payload['is_typing']],
    ['ann', conversation, true],
  );
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'said' });
  assert.equal((await ben.next('typing')).payload['is_typing'], false);
  await ben.next('new_message');
  assert.equal(ann.frames.filter((frame) => frame.type === 'typing').length, 0);
  ann.send('typing', { conversation_id: conversation, is_typing: true });
  assert.equal((await ben.next('typing')).payload['is_typing'], true);
  one.pass(6000);
  assert.equal((await ben.next('typing')).payload['is_typing'], false);
  await one.chat.change(tenant, null, conversation, { closed: true });
  await ben.next('conversation', (frame) => frame.payload['action'] === 'closed');
  ann.send('typing', { conversation_id: conversation, is_typing: true });
  assert.equal((await ann.next('error')).payload['code'], 'conversation_closed');
  for (const socket of [ann, ben]) socket.ws.close();
});

test('what is said on one instance comes to the sockets of another that no signal reaches', async () => {
  const other = await world.instance();
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = other.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  for (let n = 0; n < 3; n++) ann.send('send', { client_id: `${n}`, conversation_id: conversation, content: `${n}` });
  for (let n = 0; n < 3; n++) assert.equal((await ben.next('new_message')).payload.message['content'], String(n));
  for (const socket of [ann, ben]) socket.ws.close();
});

test('a user who leaves sees that he left, and nothing after it; one who joins sees what comes from then on', async () => {
  const { tenant, key } = await world.people();
  const conversation = await group(one, tenant, ['ann', 'ben']);
  const ben = one.connect({ key, user: 'ben' });
  const cem = one.connect({ key, user: 'cem' });
  await Promise.all([ben.next('hello'), cem.next('hello')]);
  const say = (content: string) => one.chat.say(tenant, conversation, 'ann', { ...TEXT, content }, null);
  await say('before');
  await one.chat.removeParticipant(tenant, 'ann', conversation, 'ben');
  await one.chat.addParticipants(tenant, 'ann', conversation, [{ user_id: 'cem' }]);
  await say('after');
  assert.equal((await cem.next('new_message')).payload.message['content'], 'after');
  await ben.next('participant', (frame) => frame.payload['action'] === 'left' && frame.payload['user_id'] === 'ben');
  assert.deepEqual(
    sinceMade(ben).map((frame) => frame.payload.message?.['content'] ?? frame.payload['action']),
    ['before', 'left'],
  );
  for (const socket of [ben, cem]) socket.ws.close();
});

/** Without that the conversation was made: whether that comes depends on how soon after it the socket was opened. */
const sinceMade = (socket: TestSocket) => socket.events().filter((frame) => frame.payload['action'] !== 'created');

test('software sees every event of its tenant, or those that it asks for', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const all = one.connect({ key });
  const some = one.connect({ key });
  await Promise.all([all.next('hello'), some.next('hello')]);
  some.send('subscribe', { types: ['chat.edited', 'conversation.*'], client_id: 's' });
  assert.deepEqual((await some.next('subscribed')).payload, { client_id: 's' });
  const said = await one.chat.say(tenant, conversation, 'ann', { ...TEXT, content: 'hi' }, null);
  assert.equal(said.kind, 'said');
  if (said.kind !== 'said') return;
  await one.chat.edit(tenant, 'ann', said.message.id, { content: 'ho', mentions: [] });
  await one.chat.change(tenant, null, conversation, { closed: true });
  await all.next('conversation', (frame) => frame.payload['action'] === 'closed');
  await some.next('conversation', (frame) => frame.payload['action'] === 'closed');
  assert.deepEqual(
    sinceMade(some).map((frame) => frame.type),
    ['message_edited', 'conversation'],
  );
  assert.deepEqual(
    sinceMade(all).map((frame) => frame.type),
    ['new_message', 'message_edited', 'conversation'],
  );
  assert.equal(chainFlaw(some.events(), String(some.frames[0]?.payload['cursor'])), null);
  all.send('send', { client_id: 'n', conversation_id: conversation, content: 'by nobody' });
  const error = await all.next('error');
  assert.deepEqual([error.payload['code'], error.payload['details']], ['missing_field', { field: 'X-User-ID' }]);
  for (const socket of [all, some]) socket.ws.close();
});

test('presence is told to those who share a conversation, with last seen', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  await ann.next('hello');
  ann.send('subscribe', { users: ['ben'] });
  const before = await ann.next('presence');
  assert.deepEqual(before.payload, { user_id: 'ben', online: false, last_seen: null } as never);
  const ben = one.connect({ key, user: 'ben' });
  assert.equal((await ann.next('presence')).payload['online'], true);
  ben.ws.close();
  const gone = await ann.next('presence');
  assert.equal(gone.payload['online'], false);
  assert.match(String(gone.payload['last_seen']), /^\d{4}-/);
  ann.send('subscribe', { users: ['zoe'] });
  assert.equal((await ann.next('error')).payload['code'], 'forbidden');
  ann.ws.close();
  await until('the row of ann is gone', async () => {
    const rows = await world.db.query({ name: 'test_devices', text: 'select 1 from devices where tenant_id = $1' }, [
      tenant,
    ]);
    return rows.length === 0;
  });
});
