import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { type FaultProxy, startFaultProxy } from '../../bench/src/fault-proxy.ts';
import { beatInstance } from '../../server/src/store/lanes.write.ts';
import { until } from '../../server/test/until.ts';
import {
  direct,
  group,
  type SocketWorld,
  socketWorld,
  type TestInstance,
} from '../../server/test/websocket/socket-world.ts';
import type { ServerFrame } from '../src/frames.ts';
import { type Gap, openSocket, type SocketOptions } from '../src/socket.ts';

/* The client on the real server, over connections that are cut. */

let world: SocketWorld;
let one: TestInstance;
let other: TestInstance;
let proxy: FaultProxy;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
  other = await world.instance();
  proxy = await startFaultProxy(portOf(one));
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await world.close();
});

function portOf({ url }: TestInstance): number {
  return Number(new URL(url).port);
}

async function people(t: TestContext) {
  const { tenant } = await world.tenant();
  // To make a tenant ends all other instances: ours live on.
  for (const { db, id } of [one, other]) await beatInstance(db, id, 60_000, 'test');
  const { key } = await world.key(tenant);
  /** A socket of a user, through the proxy unless told. */
  const open = (user: string | null, options: Partial<SocketOptions> = {}) => {
    const gaps: Gap[] = [];
    const errors: unknown[] = [];
    const events: ServerFrame<'new_message'>[] = [];
    const headers: Record<string, string> = { authorization: `Bearer ${key}` };
    if (user !== null) headers['x-user-id'] = user;
    const socket = openSocket({
      url: `http://127.0.0.1:${proxy.port}`,
      headers,
      timing: { first: 5, most: 40 },
      onGap: (gap) => gaps.push(gap),
      onError: (error) => errors.push(error),
      ...options,
    });
    t.after(() => socket.close());
    socket.on('new_message', (_, frame) => events.push(frame));
    const texts = () => events.map(({ payload }) => payload.message.content);
    return { socket, gaps, errors, events, texts };
  };
  return { tenant, key, open };
}

test('what is said over connections that are cut again and again is stored once, in order, and comes to all once', async (t) => {
  const { tenant, open } = await people(t);
  const conversation = await group(one, tenant, ['ann', 'ben', 'cleo']);
  const ann = open('ann');
  const ben = open('ben', { url: one.url });
  const cleo = open('cleo', { url: other.url.replace('ws:', 'http:'), WebSocket });
  const all = [ann, ben, cleo];
  await until('all are live', () => all.every(({ socket }) => socket.state === 'live'));
  const wanted = Array.from({ length: 60 }, (_, n) => `text ${n}`);
  let cuts = 0;
  const said = wanted.map(async (content, n) => {
    const { id } = await ann.socket.send({ conversation_id: conversation, content });
    if (n % 6 === 3) cuts += proxy.cut();
    return id;
  });
  const ids = await Promise.all(said);
  assert.ok(cuts >= 5, `${cuts} cuts`);
  assert.equal(new Set(ids).size, wanted.length);
  await until('all came to all', () => all.every(({ events }) => events.length >= wanted.length));
  for (const { texts, gaps, events, errors } of all) {
    assert.deepEqual(texts(), wanted);
    assert.equal(new Set(events.map(({ id }) => id)).size, wanted.length);
    assert.deepEqual([gaps, errors], [[], []]);
  }
  const { messages } = await one.chat.history(tenant, 'ben', conversation, { limit: 100 });
  assert.equal(messages.length, wanted.length);
});

test('a connection that dies in silence is noticed, and nothing of what it lost is missing', async (t) => {
  const { tenant, open } = await people(t);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = open('ann', { url: one.url });
  const ben = open('ben', { timing: { first: 5, most: 40, quiet: 150, answer: 150 } });
  await until('both are live', () => ann.socket.state === 'live' && ben.socket.state === 'live');
  await ann.socket.send({ conversation_id: conversation, content: 'before' });
  await until('it came', () => ben.events.length === 1);
  assert.ok(proxy.strand() > 0);
  await ann.socket.send({ conversation_id: conversation, content: 'after' });
  await until('the other came too', () => ben.events.length === 2);
  assert.deepEqual(ben.texts(), ['before', 'after']);
});

test('messages are edited, deleted, reacted to and read; what is not allowed is told', async (t) => {
  const { tenant, open } = await people(t);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = open('ann');
  const ben = open('ben');
  const told: ServerFrame[] = [];
  for (const type of ['message_edited', 'reaction', 'message_deleted', 'message_read', 'typing'] as const) {
    ann.socket.on(type, (_, frame) => told.push(frame));
  }
  const types = () => told.map(({ type }) => type);
  const { id, seq } = await ann.socket.send({ conversation_id: conversation, content: 'hello' });
  assert.equal(seq, 1);
  await until('ben got it', () => ben.events.length === 1);
  ben.socket.typing(conversation);
  await until('typing was told', () => types().includes('typing'));
  ben.socket.read(conversation, id);
  await until('it was read', () => types().includes('message_read'));
  await ben.socket.react(id, '👍');
  await assert.rejects(ben.socket.edit(id, 'mine'), { code: 'not_yours' });
  await ann.socket.edit(id, 'hello you');
  await ann.socket.remove(id);
  await until('all was told', () => told.length === 5);
  assert.deepEqual(types(), ['typing', 'message_read', 'reaction', 'message_edited', 'message_deleted']);
  await assert.rejects(ben.socket.send({ conversation_id: 'none', content: 'x' }), { code: 'not_found' });
  assert.deepEqual([ann.errors, ben.errors], [[], []]);
});

test('presence that was asked for is told after a cut too', async (t) => {
  const { tenant, open } = await people(t);
  await direct(one, tenant, 'ann', 'ben');
  const ann = open('ann');
  const ben = open('ben', { url: one.url });
  const seen: boolean[] = [];
  ann.socket.on('presence', ({ user_id, online }) => {
    if (user_id === 'ben') seen.push(online);
  });
  await until('both are live', () => ann.socket.state === 'live' && ben.socket.state === 'live');
  await ann.socket.subscribe({ users: ['ben'] });
  await until('he is there', () => seen.includes(true));
  proxy.cut();
  const before = seen.length;
  await until('it was told again', () => seen.length > before && seen.at(-1) === true);
  ben.socket.close();
  await until('he is gone', () => seen.at(-1) === false);
  await assert.rejects(ann.socket.subscribe({ users: ['a stranger'] }), { code: 'forbidden' });
});

test('software sees every event, or those that it asks for', async (t) => {
  const { tenant, open } = await people(t);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const software = open(null);
  const ann = open('ann');
  await until('both are live', () => software.socket.state === 'live' && ann.socket.state === 'live');
  await software.socket.subscribe({ types: ['chat.created'] });
  const { id } = await ann.socket.send({ conversation_id: conversation, content: 'hello' });
  await until('it came', () => software.events.length === 1);
  assert.equal(software.events[0]?.payload.message.id, id);
});

test('it goes on behind a cursor of its own; behind one that is none it begins anew, and says so', async (t) => {
  const { tenant, open } = await people(t);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const first = open('ben');
  await until('it is live', () => first.socket.state === 'live');
  const { cursor } = first.socket;
  first.socket.close();
  const ann = open('ann');
  await ann.socket.send({ conversation_id: conversation, content: 'while he was away' });
  const again = open('ben', { ...(cursor !== null && { after: cursor }) });
  await until('it came', () => again.events.length === 1);
  assert.deepEqual(again.gaps, []);
  const lost = open('ben', { after: 'nobodys', device: { id: 'another' } });
  await until('it was told', () => lost.gaps.length === 1);
  assert.deepEqual(lost.gaps, [{ after: 'nobodys', code: 4202 }]);
  await ann.socket.send({ conversation_id: conversation, content: 'from now on' });
  await until('that came', () => lost.events.length === 1);
});

test('a device that connects twice is one: the older socket is closed for good', async (t) => {
  const { tenant, open } = await people(t);
  await direct(one, tenant, 'ann', 'ben');
  const older = open('ann', { device: { id: 'phone' } });
  await until('it is live', () => older.socket.state === 'live');
  const newer = open('ann', { device: { id: 'phone' } });
  assert.equal((await older.socket.closed).code, 4501);
  await until('the newer is live', () => newer.socket.state === 'live');
});
