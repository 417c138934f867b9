import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../until.ts';
import { direct, type SocketWorld, socketWorld, TEXT, type TestInstance, type TestSocket } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance({ 'ws.max_connections': 30 });
});
after(() => world.close());

/** A place for which the database has to be asked: an instance that comes later keeps nothing of it. */
async function olderPlace() {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const socket = one.connect({ key, user: 'ann' });
  const hello = await socket.next('hello');
  await one.chat.say(tenant, conversation, 'ben', { ...TEXT, content: 'hello' }, null);
  await socket.next('new_message');
  socket.ws.close();
  return { key, query: `?after=${hello.payload['cursor']}` };
}

/** How many of them were let in, and how the others were answered. */
async function outcomeOf(sockets: readonly TestSocket[]) {
  const answers = sockets.map((socket) =>
    Promise.race([socket.opened().then(() => 101), socket.refused().then(({ status }) => status)]),
  );
  const statuses = await Promise.all(answers);
  return { open: statuses.filter((status) => status === 101).length, statuses };
}

test('who opens many sockets at the same time gets no more of them than one after the other', async () => {
  const { key, query } = await olderPlace();
  const other = await world.instance();
  const sockets = Array.from({ length: 40 }, (_, n) => other.connect({ key, user: 'ann', device: `d${n}`, query }));
  const { open, statuses } = await outcomeOf(sockets);
  assert.equal(open, 20);
  assert.equal(statuses.filter((status) => status === 429).length, 20);
  await other.stop();
});

test('nor does an instance take more than it may when many come at the same time', async () => {
  const { key, query } = await olderPlace();
  const other = await world.instance({ 'ws.max_connections': 10 });
  const sockets = Array.from({ length: 40 }, (_, n) => other.connect({ key, user: `u${n}`, query }));
  const { open, statuses } = await outcomeOf(sockets);
  assert.equal(open, 10);
  assert.equal(statuses.filter((status) => status === 503).length, 30);
  await other.stop();
});

test('a device that comes again takes the place of its older socket also when its user has no other one left', async () => {
  const { key } = await world.people();
  const other = await world.instance();
  const many = Array.from({ length: 20 }, (_, n) => other.connect({ key, user: 'ann', device: `d${n}` }));
  await Promise.all(many.map((socket) => socket.next('hello')));
  const again = other.connect({ key, user: 'ann', device: 'd7' });
  await again.next('hello');
  assert.deepEqual(await many[7]?.closed(), { code: 4501, reason: 'replaced' });
  const refused = await other.connect({ key, user: 'ann', device: 'd20' }).refused();
  assert.equal(refused.status, 429);
  await until('twenty are left', async () => /^aldis_sockets 20$/m.test(await other.metrics()));
  await other.stop();
});
