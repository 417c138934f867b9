import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { UserId } from '../../src/domain/chat.ts';
import { type ConversationId, newId, type TenantId } from '../../src/domain/ids.ts';
import { assertChatSound } from './chat-soundness.ts';
import { type ChatWorld, chatWorld, customerOf, groupOf, people, readLog, say } from './chat-world.ts';

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
afterEach(() => assertChatSound(world.db));
after(() => world.close());

/** Who is told what of whom, in the log's order; those of one change in a fixed one. */
async function receipts(tenant: TenantId): Promise<string[]> {
  const log = (await readLog(world.db, tenant)).filter(({ event_type }) => /delivered|read/.test(event_type));
  return log
    .map(({ event_type, user_id, data, xid }) => {
      const { seq, user_id: who } = data as { seq: number; user_id: UserId };
      return { xid, text: `${user_id} < ${event_type.slice(5)} ${seq} by ${who}` };
    })
    .sort((a, b) => (a.xid === b.xid ? (a.text < b.text ? -1 : 1) : 0))
    .map(({ text }) => text);
}

async function marks(tenant: TenantId, conversation: ConversationId): Promise<Record<UserId, string>> {
  const rows = await world.db.query<{ user_id: UserId; marks: string }>(
    {
      name: 'test_marks',
      text: `select user_id, delivered_seq || '/' || read_seq as marks from participants where tenant_id = $1 and conversation_id = $2`,
    },
    [tenant, conversation],
  );
  return Object.fromEntries(rows.map((row) => [row.user_id, row.marks]));
}

test('marks grow, and each author is told of his latest message that they pass', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b', 'c');
  const ids: string[] = [];
  for (const content of ['1', '2']) ids.push((await say(world, tenant, group, 'a', content)).id);
  assert.deepEqual(await marks(tenant, group), { a: '2/2', b: '0/0', c: '0/0' });
  assert.deepEqual(await chat.markDelivered(tenant, [{ user: 'b', message: ids[1] ?? '' }]), ['advanced']);
  assert.deepEqual(await chat.markDelivered(tenant, [{ user: 'b', message: ids[0] ?? '' }]), ['already']);
  assert.deepEqual(await chat.markRead(tenant, [{ user: 'b', message: ids[0] ?? '' }]), ['advanced']);
  assert.deepEqual(await marks(tenant, group), { a: '2/2', b: '2/1', c: '0/0' });
  assert.deepEqual(await receipts(tenant), ['a < delivered 2 by b', 'a < read 1 by b', 'b < read 1 by b']);

  ids.push((await say(world, tenant, group, 'b', '3')).id, (await say(world, tenant, group, 'b', '4')).id);
  const unread = async (user: string) => (await chat.conversation(tenant, user, group)).unread_count;
  assert.deepEqual(
    await marks(tenant, group),
    { a: '2/2', b: '2/1', c: '0/0' },
    'what b says does not tell what he has read',
  );
  assert.deepEqual([await unread('a'), await unread('b'), await unread('c')], [2, 1, 4]);
  await chat.markRead(tenant, [{ user: 'b', message: ids[1] ?? '' }]);
  assert.deepEqual([await unread('a'), await unread('b'), await unread('c')], [2, 0, 4]);
  assert.deepEqual(
    await chat.markRead(tenant, [
      { user: 'c', message: ids[1] ?? '' },
      { user: 'c', message: ids[3] ?? '' },
    ]),
    ['advanced', 'advanced'],
  );
  assert.deepEqual((await receipts(tenant)).slice(3), [
    'a < read 2 by b',
    'b < read 2 by b',
    'a < read 2 by c',
    'b < read 4 by c',
    'c < read 4 by c',
  ]);
  assert.equal(await unread('c'), 0);
});

test('what is read needs no receipt of its delivery; what only came does', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b', 'c');
  const first = await say(world, tenant, group, 'a', '1');
  const second = await say(world, tenant, group, 'c', '2');
  const before = (await receipts(tenant)).length;
  await Promise.all([
    chat.markDelivered(tenant, [{ user: 'b', message: second.id }]),
    chat.markRead(tenant, [{ user: 'b', message: first.id }]),
  ]);
  assert.deepEqual((await receipts(tenant)).slice(before), [
    'a < read 1 by b',
    'b < read 1 by b',
    'c < delivered 2 by b',
  ]);
  assert.equal((await marks(tenant, group))['b'], '2/1');
});

test('a mark that cannot be set says so, and changes nothing', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const message = (await say(world, tenant, group, 'a', '1')).id;
  const before = await readLog(world.db, tenant);
  const ask = [
    { user: 'x', message },
    { user: 'b', message: newId() },
    { user: 'b', message: 'no id' },
    { user: 'a', message },
  ];
  const expected = ['not_participant', 'not_found', 'not_found', 'already'];
  assert.deepEqual(await chat.markRead(tenant, ask), expected);
  assert.deepEqual(await chat.markDelivered(tenant, ask), expected);
  assert.deepEqual(await chat.markRead(await world.tenant(), [{ user: 'b', message }]), ['not_found']);
  await chat.removeParticipant(tenant, null, group, 'b');
  assert.deepEqual(await chat.markRead(tenant, [{ user: 'b', message }]), ['not_participant']);
  const log = await readLog(world.db, tenant);
  assert.deepEqual(
    log.slice(before.length).map(({ event_type }) => event_type),
    ['participant.left'],
  );
});

test('notes are nobody’s to be told of; the reader himself is', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const customer = await customerOf(world, tenant, 'a', 'b');
  const note = await say(world, tenant, customer, 'a', { content: 'careful', note: true });
  await chat.markDelivered(tenant, [{ user: 'b', message: note.id }]);
  assert.deepEqual(await receipts(tenant), []);
  assert.equal((await chat.conversation(tenant, 'b', customer)).unread_count, 1);
  await chat.markRead(tenant, [{ user: 'b', message: note.id }]);
  assert.deepEqual(await receipts(tenant), ['b < read 1 by b']);
  assert.equal((await chat.conversation(tenant, 'b', customer)).unread_count, 0);
});

test('many marks of many users at once are all set, and the furthest counts', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const users = Array.from({ length: 60 }, (_, i) => `u${i}`);
  const group = await groupOf(world, tenant, 'author', ...users);
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) ids.push((await say(world, tenant, group, 'author', `${i}`)).id);
  const all = users.flatMap((user) => ids.map((message) => ({ user, message })));
  await Promise.all([
    chat.markDelivered(tenant, all),
    chat.markRead(tenant, all),
    chat.markRead(tenant, all.toReversed()),
  ]);
  const set = await marks(tenant, group);
  assert.deepEqual([...new Set(Object.values(set))], ['10/10']);
  const told = await receipts(tenant);
  assert.equal(told.filter((text) => /^author < read 10 /.test(text)).length, users.length);
});

test('authors are told up to a hundred, of the latest thousand messages', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const users = Array.from({ length: 105 }, (_, i) => `u${String(i).padStart(3, '0')}`);
  const group = (await chat.create(tenant, null, { type: 'group', participants: people('reader', ...users) }))
    .conversation.id;
  const said = await Promise.all(users.map((user) => say(world, tenant, group, user, 'x')));
  const before = (await readLog(world.db, tenant)).length;
  const last = said.reduce((a, b) => ((a.seq ?? 0) > (b.seq ?? 0) ? a : b));
  await chat.markRead(tenant, [{ user: 'reader', message: last.id }]);
  assert.equal((await readLog(world.db, tenant)).length - before, 101);
});
