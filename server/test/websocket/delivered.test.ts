import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../until.ts';
import { direct, type SocketWorld, socketWorld, type TestInstance } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

test('that a message was delivered is written although the database was away when the device proved it', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  const { transaction } = one.db;
  let refused = 0;
  one.db.transaction = async () => {
    refused++;
    throw new Error('the database is away');
  };
  ann.send('send', { client_id: '1', conversation_id: conversation, content: 'hello' });
  const { payload } = await ben.next('new_message');
  ben.send('ack');
  await until('it could not be written', () => refused > 0);
  one.db.transaction = transaction;
  const delivered = await ann.next('message_delivered');
  assert.deepEqual([delivered.payload['message_id'], delivered.payload['user_id']], [payload.message['id'], 'ben']);
  for (const socket of [ann, ben]) socket.ws.close();
});
