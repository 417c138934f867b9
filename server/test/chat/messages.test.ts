import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import type { Idempotency } from '../../src/actions/accepted.ts';
import { buildChat } from '../../src/boot/chat.ts';
import { BatcherFull } from '../../src/db/batcher.ts';
import type { ChatMessage } from '../../src/domain/chat.ts';
import { checkChatMessage } from '../../src/domain/chat-rules.ts';
import { type ConversationId, newId } from '../../src/domain/ids.ts';
import { listNotes } from '../../src/store/chat-messages.read.ts';
import { assertChatSound } from './chat-soundness.ts';
import { assertRefused, type ChatWorld, chatWorld, customerOf, groupOf, readLog, say } from './chat-world.ts';

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
afterEach(() => assertChatSound(world.db));
after(() => world.close());

const text = (content: string) => checkChatMessage({ content });
const keyed = (key: string, body = 'body'): Idempotency => ({ key, hash: createHash('sha256').update(body).digest() });

test('what is said is numbered, stored, told of in one event, and given back as everybody reads it', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const notices: string[] = [];
  const stop = world.signals.listen(`events:${tenant}`, () => notices.push('events'));
  const first = await say(world, tenant, group, 'a', 'Hello');
  const mentions = [{ user_id: 'a', offset: 0, length: 2 }];
  const metadata = { media_url: 'https://a.example/b', duration: 120 };
  const rich = { message_type: 'audio', content: '@a', mentions, metadata, parent_message_id: first.id } as const;
  const second = await say(world, tenant, group, 'b', { ...rich, sender_type: 'agent' });
  stop();
  assert.deepEqual(notices, ['events', 'events']);
  assert.deepEqual([first.seq, second.seq], [1, 2]);
  assert.deepEqual(second, {
    id: second.id,
    conversation_id: group,
    seq: 2,
    user_id: 'b',
    sender_type: 'agent',
    content: '@a',
    message_type: 'audio',
    mentions,
    parent_message_id: first.id,
    metadata,
    note: false,
    reactions: [],
    created_at: second.created_at,
    edited_at: null,
    deleted_at: null,
  });
  assert.match(second.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(await world.chat.message(tenant, 'a', second.id), second);
  const created = (await readLog(world.db, tenant)).filter((event) => event.event_type === 'chat.created');
  assert.deepEqual(
    created.map(({ data, conversation_id, user_id }) => ({ data, conversation_id, user_id })),
    [first, second].map((message) => ({ data: { message }, conversation_id: group, user_id: null })),
  );
  assert.deepEqual((await world.chat.history(tenant, 'a', group, { limit: 50 })).messages, [second, first]);
});

test('whoever may not write is told why, and nothing is stored', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b', 'mute');
  const other = await groupOf(world, tenant, 'a', 'c');
  const customer = await customerOf(world, tenant, 'agent');
  const elsewhere = await say(world, tenant, other, 'a', 'elsewhere');
  await chat.changeParticipant(tenant, 'a', group, 'mute', { can_send_messages: false });
  const before = await readLog(world.db, tenant);
  const to = (conversation: ConversationId, author: string, said = text('x'), as = tenant) =>
    chat.say(as, conversation, author, said, null);
  await assertRefused('not_found', to(newId<ConversationId>(), 'a'));
  await assertRefused('not_found', to('no id' as ConversationId, 'a'));
  await assertRefused('not_found', to(group, 'a', text('x'), await world.tenant()));
  await assertRefused('not_participant', to(group, 'c'));
  await assertRefused('cannot_send_messages', to(group, 'mute'));
  for (const parent of [elsewhere.id, newId(), 'no id']) {
    await assertRefused(
      'invalid_field',
      to(group, 'a', { ...text('x'), parent_message_id: parent }),
      /^parent_message_id/,
    );
  }
  await assertRefused('invalid_field', to(group, 'a', { ...text('x'), note: true }), /^note/);
  await assertRefused('invalid_field', to(customer, 'agent'), /^note/);
  assert.deepEqual(await readLog(world.db, tenant), before);

  assert.equal(await chat.mayWrite(tenant, group, 'mute'), 'cannot_send_messages');
  assert.equal(await chat.mayWrite(tenant, group, null), 'not_participant');
  assert.equal(await chat.mayWrite(tenant, customer, null), 'ok');
  assert.equal(await chat.mayWrite(tenant, newId<ConversationId>(), 'a'), 'not_found');
  await chat.change(tenant, 'a', group, { closed: true });
  await assertRefused('conversation_closed', to(group, 'a'));
  assert.equal(await chat.mayWrite(tenant, group, 'a'), 'conversation_closed');
  await chat.change(tenant, 'a', group, { closed: false });
  assert.equal((await say(world, tenant, group, 'a', 'again')).seq, 1);
});

test('one of many that spoils a batch is refused alone', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  const said = await Promise.allSettled(
    ['one', 'two\0', 'three'].map((content) => world.chat.say(tenant, group, 'a', { ...text('x'), content }, null)),
  );
  assert.deepEqual(
    said.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const { messages } = await world.chat.history(tenant, 'a', group, { limit: 10 });
  assert.deepEqual(
    messages.map(({ content, seq }) => [content, seq]),
    [
      ['three', 2],
      ['one', 1],
    ],
  );
});

test('a key is answered as the first time, or refused for another request', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const twice = await Promise.all([1, 2].map(() => chat.say(tenant, group, 'a', text('once'), keyed('k'))));
  const again = await chat.say(tenant, group, 'a', text('once'), keyed('k'));
  assert.deepEqual(
    [...twice, again].map((one) => one.kind === 'said' && one.replayed),
    [false, true, true],
  );
  assert.equal(new Set([...twice, again].map((one) => one.kind === 'said' && one.message.id)).size, 1);
  assert.deepEqual(await chat.say(tenant, group, 'a', text('once'), keyed('k', 'other')), { kind: 'mismatch' });
  assert.equal((await chat.history(tenant, 'a', group, { limit: 10 })).messages.length, 1);
  await assertRefused('not_participant', chat.say(tenant, group, 'c', text('x'), keyed('unused')));
  const fresh = await chat.say(tenant, group, 'a', text('x'), keyed('unused'));
  assert.equal(fresh.kind === 'said' && fresh.replayed, false, 'what is refused uses no key');
});

test('only who wrote a message edits it, and what it said before is kept', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const mentions = [{ user_id: 'b', offset: 0, length: 2 }];
  const message = await say(world, tenant, group, 'a', { content: '@b', mentions });
  await assertRefused('not_yours', chat.edit(tenant, 'b', message.id, { content: 'x', mentions: [] }));
  await assertRefused('not_participant', chat.edit(tenant, 'c', message.id, { content: 'x', mentions: [] }));
  await assertRefused('not_found', chat.edit(await world.tenant(), 'a', message.id, { content: 'x', mentions: [] }));
  await assertRefused('not_found', chat.edit(tenant, 'a', newId(), { content: 'x', mentions: [] }));
  const edited = await chat.edit(tenant, 'a', message.id, { content: 'second', mentions: [] });
  assert.deepEqual(edited, { ...message, content: 'second', mentions: [], edited_at: edited.edited_at });
  assert.deepEqual(
    await chat.edit(tenant, 'a', message.id, { content: 'second', mentions: [] }),
    edited,
    'nothing changed',
  );
  await chat.edit(tenant, 'a', message.id, { content: 'third', mentions: [] });
  assert.deepEqual(
    (await chat.listEdits(tenant, 'b', message.id)).map(({ edit, content, mentions }) => ({ edit, content, mentions })),
    [
      { edit: 1, content: '@b', mentions },
      { edit: 2, content: 'second', mentions: [] },
    ],
  );
  await assertRefused('not_participant', chat.listEdits(tenant, 'c', message.id));
  await chat.changeParticipant(tenant, null, group, 'a', { can_send_messages: false });
  await assertRefused('cannot_send_messages', chat.edit(tenant, 'a', message.id, { content: 'x', mentions: [] }));
  await chat.change(tenant, null, group, { closed: true });
  await assertRefused('conversation_closed', chat.react(tenant, 'b', message.id, '👍'));
});

test('an edit that says the same once more is none, with mentions too', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const { id } = await say(world, tenant, group, 'a', 'Ben?');
  const change = { content: '@b', mentions: [{ user_id: 'b', offset: 0, length: 2 }] };
  const edited = await chat.edit(tenant, 'a', id, change);
  const told = (await readLog(world.db, tenant)).length;
  assert.deepEqual(await chat.edit(tenant, 'a', id, change), edited);
  assert.equal((await chat.listEdits(tenant, 'a', id)).length, 1);
  assert.equal((await readLog(world.db, tenant)).length, told);
  assert.notEqual((await chat.edit(tenant, 'a', id, { ...change, mentions: [] })).edited_at, null);
  assert.equal((await chat.listEdits(tenant, 'a', id)).length, 2);
});

test('a message is edited a hundred times at most', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  const message = await say(world, tenant, group, 'a', 'x');
  await db.query({ name: 'test_edits', text: 'update chat_messages set edits = 100 where id = $1' }, [message.id]);
  await assertRefused('too_many_edits', chat.edit(tenant, 'a', message.id, { content: 'y', mentions: [] }));
});

test('what is deleted is gone but for its place', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const message = await say(world, tenant, group, 'a', { content: 'secret', metadata: { a: 1 } });
  await chat.edit(tenant, 'a', message.id, { content: 'secret too', mentions: [] });
  await chat.react(tenant, 'b', message.id, '👍');
  await assertRefused('not_yours', chat.remove(tenant, 'b', message.id));
  const deleted = await chat.remove(tenant, 'a', message.id);
  const { edited_at, deleted_at } = deleted;
  assert.deepEqual(deleted, { ...message, content: null, metadata: null, edited_at, deleted_at });
  assert.ok(deleted_at);
  const log = await readLog(db, tenant);
  assert.deepEqual(log.at(-1)?.data, { message: deleted });
  assert.deepEqual(await chat.remove(tenant, 'a', message.id), deleted);
  assert.equal((await readLog(db, tenant)).length, log.length, 'it is deleted once');
  assert.deepEqual(await chat.listEdits(tenant, 'a', message.id), []);
  await assertRefused('message_deleted', chat.edit(tenant, 'a', message.id, { content: 'x', mentions: [] }));
  await assertRefused('message_deleted', chat.react(tenant, 'b', message.id, '👍'));
  assert.equal((await say(world, tenant, group, 'b', { content: 'why?', parent_message_id: message.id })).seq, 2);
});

test('each user has one reaction, the last', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const message = await say(world, tenant, group, 'a', 'x');
  await assertRefused('not_participant', chat.react(tenant, 'c', message.id, '👍'));
  await Promise.all([chat.react(tenant, 'a', message.id, '👍'), chat.react(tenant, 'b', message.id, '🎉')]);
  const own = async () =>
    (await chat.message(tenant, null, message.id)).reactions.map(({ user_id, emoji }) => `${user_id} ${emoji}`).sort();
  assert.deepEqual(await own(), ['a 👍', 'b 🎉']);
  await chat.react(tenant, 'a', message.id, '❤️');
  assert.deepEqual(await own(), ['a ❤️', 'b 🎉']);
  await chat.react(tenant, 'a', message.id, null);
  await chat.react(tenant, 'a', message.id, null);
  assert.deepEqual(await own(), ['b 🎉']);
  const told = (await readLog(world.db, tenant)).filter(({ event_type }) => event_type === 'chat.reaction');
  assert.equal(told.length, 4);
  const { at, ...last } = { at: '', ...told.at(-1)?.data };
  assert.deepEqual(last, { conversation_id: group, message_id: message.id, user_id: 'a', emoji: null });
  assert.ok(Date.parse(at) > 0);
});

test('history goes by pages in both directions, and so do the answers to a message', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const other = await groupOf(world, tenant, 'a');
  const all = await Promise.all(Array.from({ length: 25 }, (_, i) => say(world, tenant, group, 'a', `m${i}`)));
  const ids = all.map(({ id }) => id);
  const root = ids[3] as string;
  const answers: ChatMessage[] = [];
  for (let i = 0; i < 5; i++)
    answers.push(await say(world, tenant, group, 'b', { content: 'r', parent_message_id: root }));
  const numbers = (page: { messages: { seq: number | null }[] }) => page.messages.map(({ seq }) => seq);
  const newest = await chat.history(tenant, 'a', group, { limit: 10 });
  assert.deepEqual(numbers(newest), [30, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
  assert.equal(newest.more, true);
  const before = { before_id: newest.messages.at(-1)?.id, limit: 20 };
  const older = await chat.history(tenant, 'a', group, before);
  assert.deepEqual([numbers(older).at(0), numbers(older).at(-1), older.more], [20, 1, false]);
  const after = await chat.history(tenant, null, group, { after_id: ids[9], limit: 3 });
  assert.deepEqual([numbers(after), after.more], [[11, 12, 13], true]);
  const thread = await chat.thread(tenant, 'a', root, { limit: 3 });
  assert.deepEqual([numbers(thread), thread.more], [[26, 27, 28], true]);
  const rest = await chat.thread(tenant, 'a', root, { after_id: thread.messages.at(-1)?.id, limit: 3 });
  assert.deepEqual([numbers(rest), rest.more], [[29, 30], false]);
  const last = await chat.thread(tenant, 'a', root, { before_id: answers[2]?.id, limit: 3 });
  assert.deepEqual(numbers(last), [27, 26]);

  const foreign = (await say(world, tenant, other, 'a', 'x')).id;
  for (const cursor of [foreign, newId(), 'no id']) {
    await assertRefused(
      'invalid_cursor',
      chat.history(tenant, 'a', group, { before_id: cursor, limit: 3 }),
      /^before_id/,
    );
    await assertRefused(
      'invalid_cursor',
      chat.history(tenant, 'a', group, { after_id: cursor, limit: 3 }),
      /^after_id/,
    );
  }
  await assertRefused('not_participant', chat.history(tenant, 'b', other, { limit: 3 }));
  await assertRefused('not_found', chat.history(await world.tenant(), 'a', group, { limit: 3 }));
  await assertRefused('not_participant', chat.thread(tenant, 'c', root, { limit: 3 }));
  const replies = { name: 'test_replies', text: 'select replies from chat_messages where id = $1' };
  assert.deepEqual(await world.db.query(replies, [root]), [{ replies: 5 }]);
});

test('notes are read by id, as the WhatsApp messages beside them', async () => {
  const { db } = world;
  const tenant = await world.tenant();
  const customer = await customerOf(world, tenant, 'agent');
  const notes: ChatMessage[] = [];
  for (let i = 0; i < 4; i++) notes.push(await say(world, tenant, customer, 'agent', { content: `n${i}`, note: true }));
  const ids = notes.map(({ id }) => id as string);
  const read = async (from: Parameters<typeof listNotes>[3], limit = 10) =>
    (await listNotes(db, tenant, customer, from, limit)).map(({ id }) => ids.indexOf(id));
  assert.deepEqual(await read({ before: null }, 3), [3, 2, 1]);
  assert.deepEqual(await read({ before: ids[2] ?? '' }), [1, 0]);
  assert.deepEqual(await read({ after: ids[1] ?? '' }), [2, 3]);
  assert.deepEqual(await read({ after: newId() }), []);
});

test('what is more than can wait is refused', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  let counted = 0;
  const count = (messages: number) => {
    counted += messages;
  };
  const chat = buildChat({ ...world, metrics: { chatMessages: { add: count } } });
  const said = await Promise.allSettled(
    Array.from({ length: 11_000 }, () => chat.say(tenant, group, 'a', text('x'), null)),
  );
  const refused = said.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  assert.ok(refused.length > 0 && refused.every((error) => error instanceof BatcherFull));
  const last = await chat.history(tenant, 'a', group, { limit: 1 });
  assert.equal(last.messages[0]?.seq, said.length - refused.length);
  assert.equal(counted, said.length - refused.length);
});
