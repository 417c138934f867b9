import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { NewConversation } from '../../src/actions/chat.ts';
import type { ParticipantRecord } from '../../src/domain/chat.ts';
import { type ContactId, type ConversationId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { engineWorld } from '../engine-world.ts';
import { assertChatSound } from './chat-soundness.ts';
import { assertRefused, type ChatWorld, chatWorld, customerOf, groupOf, people, readLog, say } from './chat-world.ts';

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
afterEach(() => assertChatSound(world.db));
after(() => world.close());

const roles = (participants: readonly ParticipantRecord[]) =>
  participants.map(({ user_id, role }) => `${user_id} ${role}`).sort();
const types = async (tenant: TenantId) => (await readLog(world.db, tenant)).map(({ event_type }) => event_type);

test('a group is made with its participants, and told of whole', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const made = await chat.create(tenant, 'a', {
    type: 'group',
    participants: [{ user_id: 'b', role: 'admin', can_send_messages: false }, { user_id: 'c' }],
    title: 'Friday',
    metadata: { color: 'red' },
    external_id: 'room-1',
    retention_days: 30,
  });
  const { conversation, participants } = made;
  assert.deepEqual(conversation, {
    id: conversation.id,
    type: 'group',
    title: 'Friday',
    metadata: { color: 'red' },
    sender_id: null,
    contact_id: null,
    external_id: 'room-1',
    created_by: 'a',
    created_at: conversation.created_at,
    closed_at: null,
    retention_days: 30,
  });
  assert.equal(made.existing, false);
  const joined_at = conversation.created_at;
  assert.deepEqual(participants, [
    { user_id: 'a', role: 'owner', can_send_messages: true, joined_at },
    { user_id: 'b', role: 'admin', can_send_messages: false, joined_at },
    { user_id: 'c', role: 'member', can_send_messages: true, joined_at },
  ]);
  const [event, ...more] = await readLog(db, tenant);
  assert.equal(event?.event_type, 'conversation.created');
  assert.deepEqual(event?.data, { conversation, participants });
  assert.deepEqual(more, []);
  const read = await chat.conversation(tenant, 'b', conversation.id);
  assert.deepEqual([read.conversation, read.participants, read.role], [conversation, participants, 'admin']);
  await assertRefused(
    'already_exists',
    chat.create(tenant, null, { type: 'group', participants: people('x'), external_id: 'room-1' }),
  );
  const elsewhere = await world.tenant();
  await chat.create(elsewhere, null, { type: 'group', participants: people('x'), external_id: 'room-1' });
});

test('what cannot be made is refused', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const direct = (users: string[], asker: string | null = null) =>
    chat.create(tenant, asker, { type: 'direct', participants: people(...users) });
  const bad: (() => Promise<unknown>)[] = [
    () => direct([]),
    () => direct(['a']),
    () => direct(['a', 'a']),
    () => direct(['a', 'b', 'c']),
    () => direct(['b', 'c'], 'a'),
    () => direct(['a'], 'a'),
    () => chat.create(tenant, null, { type: 'group', participants: [] }),
    () =>
      chat.create(tenant, 'a', {
        type: 'group',
        participants: people(...Array.from({ length: 1024 }, (_, i) => `u${i}`)),
      }),
    () => chat.create(tenant, null, { type: 'customer', participants: [] }),
    () => chat.create(tenant, null, { type: 'group', participants: people('a'), title: '' }),
    () => chat.create(tenant, null, { type: 'group', participants: people('') }),
  ];
  for (const ask of bad) await assertRefused('invalid_field', ask);
  assert.deepEqual(await types(tenant), []);
});

test('two users have one direct conversation, whoever begins and however often', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const made = await Promise.all([
    chat.create(tenant, 'a', { type: 'direct', participants: people('b') }),
    chat.create(tenant, 'b', { type: 'direct', participants: people('a', 'b') }),
    chat.create(tenant, null, { type: 'direct', participants: people('b', 'a') }),
  ]);
  assert.equal(new Set(made.map(({ conversation }) => conversation.id)).size, 1);
  assert.equal(made.filter(({ existing }) => !existing).length, 1);
  assert.deepEqual(await types(tenant), ['conversation.created']);
  const id = made[0].conversation.id;
  await assertRefused('fixed_participants', chat.addParticipants(tenant, null, id, people('c')));
  await assertRefused('fixed_participants', chat.removeParticipant(tenant, 'a', id, 'a'));
  await assertRefused(
    'not_conversation_admin',
    chat.changeParticipant(tenant, 'a', id, 'b', { can_send_messages: false }),
  );
  assert.equal((await chat.change(tenant, 'a', id, { title: 'us' })).title, 'us');
  await assertRefused('not_conversation_admin', chat.change(tenant, 'a', id, { retention_days: 1 }));
  await assertRefused('not_participant', chat.conversation(tenant, 'c', id));
  const elsewhere = await chat.create(await world.tenant(), 'a', { type: 'direct', participants: people('b') });
  assert.equal(elsewhere.existing, false);
});

test('a conversation that is there takes what it has not, keeps what it has, and has one external id', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const sides = { sender_id: newId<SenderId>(), contact_id: newId<ContactId>() };
  const kinds: ((asked: Partial<NewConversation>) => ReturnType<typeof chat.create>)[] = [
    (asked) => chat.create(tenant, 'a', { type: 'direct', participants: people('b'), ...asked }),
    (asked) => chat.create(tenant, null, { type: 'customer', participants: people('a'), sides, ...asked }),
  ];
  const other = await groupOf(world, tenant, 'a');
  for (const [i, ask] of kinds.entries()) {
    const { conversation: made } = await ask({});
    const metadata = { b: 1, a: 2 };
    const named = await ask({ external_id: `case ${i}`, title: 'one', metadata });
    assert.deepEqual(named.conversation, { ...made, external_id: `case ${i}`, title: 'one', metadata });
    assert.equal(named.existing, true);
    const again = await ask({ external_id: `case ${i}`, title: 'other', metadata: { c: 3 } });
    assert.deepEqual(again.conversation, named.conversation, 'what it has stays');
    assert.deepEqual((await ask({})).conversation, named.conversation);
    const log = await readLog(world.db, tenant);
    await assertRefused('already_exists', ask({ external_id: 'another' }), new RegExp(`external_id is case ${i}\\.$`));
    const refused: unknown = await ask({ external_id: 'another' }).catch((error: unknown) => error);
    assert.deepEqual((refused as { details?: object }).details, { conversation_id: made.id, external_id: `case ${i}` });
    assert.deepEqual(await readLog(world.db, tenant), log);
    const found = log.filter(({ conversation_id }) => conversation_id === made.id);
    assert.deepEqual(
      found.map(({ event_type }) => event_type),
      ['conversation.created', 'conversation.updated'],
    );
    assert.deepEqual(found.at(-1)?.data, { conversation: named.conversation });
  }
  assert.equal((await chat.conversation(tenant, null, other)).conversation.external_id, null);
});

test('who makes it again gets no more rights by that', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const sides = { sender_id: newId<SenderId>(), contact_id: newId<ContactId>() };
  const asks = [
    { type: 'direct', participants: people('agent', 'b') },
    { type: 'customer', participants: people('agent'), sides },
  ] as const;
  for (const asked of asks) {
    const { id } = (await chat.create(tenant, null, asked)).conversation;
    // How long it is kept goes with who is in it: not by changing it, nor by making it again.
    await assertRefused('not_conversation_admin', chat.change(tenant, 'agent', id, { retention_days: 1 }));
    await assertRefused('not_conversation_admin', chat.create(tenant, 'agent', { ...asked, retention_days: 1 }));
    assert.equal((await chat.conversation(tenant, null, id)).conversation.retention_days, null);
    assert.equal((await chat.create(tenant, null, { ...asked, retention_days: 9 })).conversation.retention_days, 9);
    assert.equal((await chat.create(tenant, 'agent', { ...asked, retention_days: 9 })).conversation.retention_days, 9);
  }
});

test('what is not changed is not told of, in whatever order its keys come', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  const change = { title: 'x', metadata: { team: 'b', a: { d: 1, c: [2] } } };
  await chat.change(tenant, 'a', group, change);
  assert.deepEqual((await chat.change(tenant, 'a', group, change)).metadata, change.metadata);
  assert.deepEqual(await types(tenant), ['conversation.created', 'conversation.updated']);
});

test('a customer has one conversation with a sender; what it lacks is added, and no user lets himself in', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const sides = { sender_id: newId<SenderId>(), contact_id: newId<ContactId>() };
  const ask = (asker: string | null, users: string[], title?: string) =>
    chat.create(tenant, asker, { type: 'customer', sides, participants: people(...users), ...(title && { title }) });
  const [one, other] = await Promise.all([ask(null, []), ask(null, [])]);
  assert.equal(one.conversation.id, other.conversation.id);
  await assertRefused('not_participant', ask('agent', []));
  const completed = await ask(null, ['agent'], 'VIP');
  assert.deepEqual([completed.existing, completed.conversation.title], [true, 'VIP']);
  assert.deepEqual(roles(completed.participants), ['agent member']);
  await assertRefused('not_conversation_admin', ask('agent', ['friend']));
  const again = await ask('agent', [], 'another title');
  assert.equal(again.conversation.title, 'VIP', 'what is there stays');
  assert.deepEqual(await types(tenant), ['conversation.created', 'conversation.updated', 'participant.joined']);
  assert.equal((await chat.change(tenant, 'agent', one.conversation.id, { closed: true })).closed_at !== null, true);
  const mine = await chat.create(tenant, 'agent', {
    type: 'customer',
    participants: [],
    sides: { ...sides, contact_id: newId<ContactId>() },
  });
  assert.deepEqual(roles(mine.participants), ['agent owner']);
});

test('a conversation that a message made is taken up as it is', async () => {
  const engine = await engineWorld();
  try {
    const own = await engine.tenant();
    const message = await own.read(await own.accept());
    const { buildChat } = await import('../../src/boot/chat.ts');
    const chat = buildChat(engine);
    const sides = { sender_id: own.sender, contact_id: message.contact_id };
    const taken = await chat.create(own.tenant, null, { type: 'customer', sides, participants: people('agent') });
    assert.deepEqual([taken.existing, taken.conversation.id], [true, message.conversation_id]);
    const listed = await chat.listConversations(own.tenant, 'agent', { limit: 10 });
    assert.deepEqual(
      listed.conversations.map(({ last_whatsapp_id }) => last_whatsapp_id),
      [message.id],
    );
  } finally {
    await engine.close();
  }
});

test('what it is called, how long it is kept, open and closed', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'owner', 'member');
  await assertRefused('not_conversation_admin', chat.change(tenant, 'member', group, { title: 'x' }));
  await assertRefused('not_conversation_admin', chat.change(tenant, 'member', group, { closed: true }));
  await assertRefused('not_participant', chat.change(tenant, 'other', group, { title: 'x' }));
  await assertRefused('not_found', chat.change(tenant, null, newId<ConversationId>(), { title: 'x' }));
  await assertRefused('not_found', chat.change(await world.tenant(), null, group, { title: 'x' }));
  await assertRefused('invalid_field', async () => chat.change(tenant, null, group, { title: '' }), /^title/);
  const changed = await chat.change(tenant, 'owner', group, {
    title: 'x',
    metadata: { a: 1 },
    retention_days: 7,
    closed: true,
  });
  assert.deepEqual([changed.title, changed.metadata, changed.retention_days], ['x', { a: 1 }, 7]);
  assert.ok(changed.closed_at);
  assert.deepEqual(await chat.change(tenant, 'owner', group, { closed: true, title: 'x' }), changed, 'again');
  const cleared = await chat.change(tenant, null, group, {
    title: null,
    metadata: null,
    retention_days: null,
    closed: false,
  });
  assert.deepEqual(
    [cleared.title, cleared.metadata, cleared.retention_days, cleared.closed_at],
    [null, null, null, null],
  );
  const both = ['conversation.updated', 'conversation.closed', 'conversation.updated', 'conversation.opened'];
  assert.deepEqual(await types(tenant), ['conversation.created', ...both]);
  assert.deepEqual((await chat.conversation(tenant, 'owner', group)).conversation, cleared);
});

test('participants come, change and go, by whom it is allowed to', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'owner', 'member');
  const refused = (asked: Promise<unknown>) => assertRefused('not_conversation_admin', asked);
  await refused(chat.addParticipants(tenant, 'member', group, people('x')));
  await refused(chat.changeParticipant(tenant, 'member', group, 'member', { role: 'owner' }));
  await refused(chat.removeParticipant(tenant, 'member', group, 'owner'));
  await assertRefused('not_participant', chat.addParticipants(tenant, 'x', group, people('x')));
  await chat.changeParticipant(tenant, 'owner', group, 'member', { role: 'admin' });
  await refused(chat.addParticipants(tenant, 'member', group, [{ user_id: 'x', role: 'owner' }]));
  await refused(chat.changeParticipant(tenant, 'member', group, 'member', { role: 'owner' }));
  await refused(chat.changeParticipant(tenant, 'member', group, 'owner', { role: 'member' }));
  await refused(chat.removeParticipant(tenant, 'member', group, 'owner'));
  await assertRefused(
    'invalid_field',
    chat.changeParticipant(tenant, 'owner', group, 'owner', { role: 'member' }),
    /^role/,
  );
  await assertRefused('not_found', chat.changeParticipant(tenant, null, group, 'x', { role: 'member' }));
  await assertRefused('not_found', chat.removeParticipant(tenant, null, group, 'x'));
  assert.deepEqual(roles(await chat.addParticipants(tenant, 'member', group, people('x', 'member'))), [
    'member admin',
    'owner owner',
    'x member',
  ]);
  const told = ['conversation.created', 'participant.changed', 'participant.joined'];
  assert.deepEqual(await types(tenant), told);
  await chat.addParticipants(tenant, 'member', group, people('x'));
  assert.deepEqual(await types(tenant), told, 'who is in it does not join again');

  await chat.removeParticipant(tenant, 'owner', group, 'owner');
  assert.deepEqual(
    roles(await chat.participants(tenant, 'x', group)),
    ['member owner', 'x member'],
    'an admin inherits',
  );
  await assertRefused('not_participant', chat.participants(tenant, 'owner', group));
  await chat.removeParticipant(tenant, null, group, 'member');
  assert.deepEqual(roles(await chat.participants(tenant, null, group)), ['x owner']);
  await chat.removeParticipant(tenant, 'x', group, 'x');
  assert.deepEqual(await chat.participants(tenant, null, group), []);
  const left = [
    'participant.left',
    'participant.changed',
    'participant.left',
    'participant.changed',
    'participant.left',
  ];
  assert.deepEqual(await types(tenant), [...told, ...left]);
});

test('a group has at most 1,024, and a large one works', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const users = Array.from({ length: 1023 }, (_, i) => `u${i}`);
  const group = await groupOf(world, tenant, ...users);
  const joined = await chat.addParticipants(tenant, 'u0', group, people('last', 'u1'));
  assert.equal(joined.length, 1024);
  await assertRefused('invalid_field', chat.addParticipants(tenant, 'u0', group, people('more')), /1024/);
  await say(world, tenant, group, 'u7', 'all of you');
  assert.equal((await chat.conversation(tenant, 'u900', group)).unread_count, 1);
});

test('who joins has read what was said before; who comes back as well', async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  await say(world, tenant, group, 'a', '1');
  await chat.addParticipants(tenant, 'a', group, people('c'));
  await say(world, tenant, group, 'a', '2');
  const unread = async (user: string) => (await chat.conversation(tenant, user, group)).unread_count;
  assert.deepEqual([await unread('a'), await unread('b'), await unread('c')], [0, 2, 1]);
  await chat.removeParticipant(tenant, 'b', group, 'b');
  await assertRefused('not_participant', chat.history(tenant, 'b', group, { limit: 1 }));
  await say(world, tenant, group, 'a', '3');
  await chat.addParticipants(tenant, 'a', group, [{ user_id: 'b', role: 'admin' }]);
  assert.equal(await unread('b'), 0);
  const [row] = await world.db.query<{ yes: boolean }>(
    {
      name: 'test_rejoined',
      text: `select left_at is null and left_xid is null and role = 'admin' and joined_xid = (
        select max(xid) from events where tenant_id = $1 and type = 'participant.joined') as yes
        from participants where tenant_id = $1 and user_id = 'b'`,
    },
    [tenant],
  );
  assert.equal(row?.yes, true);
});

test("a user's list: newest activity first, by pages, with last message and unread count", async () => {
  const { chat } = world;
  const tenant = await world.tenant();
  const groups: ConversationId[] = [];
  for (let i = 0; i < 5; i++) groups.push(await groupOf(world, tenant, 'a', 'b'));
  await groupOf(world, tenant, 'b');
  const direct = (await chat.create(tenant, 'a', { type: 'direct', participants: people('b') })).conversation.id;
  const customer = await customerOf(world, tenant, 'a');
  const last = await say(world, tenant, groups[0] as ConversationId, 'b', 'new');
  await chat.change(tenant, 'a', groups[1] as ConversationId, { closed: true });
  const list = async (asked: Partial<Parameters<typeof chat.listConversations>[2]> = {}, user: string | null = 'a') =>
    chat.listConversations(tenant, user, { limit: 100, ...asked });
  const ids = async (...asked: Parameters<typeof list>) =>
    (await list(...asked)).conversations.map(({ conversation }) => conversation.id);
  const [first] = (await list()).conversations;
  assert.deepEqual(first?.last_message, last);
  assert.deepEqual([first?.unread_count, first?.participant_count, first?.role], [1, 2, 'owner']);
  assert.equal(first?.last_message_at, last.created_at);
  const order = [groups[0], customer, direct, groups[4], groups[3], groups[2], groups[1]];
  assert.deepEqual(await ids(), order);
  assert.deepEqual(await ids({ type: 'direct' }), [direct]);
  assert.deepEqual(await ids({ type: 'customer' }), [customer]);
  assert.deepEqual(await ids({ open: false }), [groups[1]]);
  assert.equal((await ids({ open: true, type: 'group' })).length, 4);
  assert.deepEqual(await ids({}, 'nobody'), []);
  const walked: (ConversationId | undefined)[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await list({ limit: 2, cursor: cursor ?? undefined });
    walked.push(...page.conversations.map(({ conversation }) => conversation.id));
    cursor = page.next_cursor;
  }
  assert.deepEqual(walked, order);

  const all = await list({ limit: 3 }, null);
  assert.deepEqual(
    all.conversations.map(({ conversation, unread_count, role }) => [conversation.id, unread_count, role]),
    [customer, direct].map((id) => [id, 0, null]).concat([[(await ids({}, null))[2] ?? null, 0, null]]),
  );
  assert.equal((await ids({ cursor: all.next_cursor ?? undefined }, null)).length, 5);
  assert.deepEqual(await ids({ open: false }, null), [groups[1]]);
  assert.equal((await ids({ type: 'group' }, null)).length, 6);
  assert.deepEqual(await ids({ type: 'customer' }, null), [customer]);
  for (const cursor of ['', 'x', 'W10', all.next_cursor ?? '', Buffer.from('["a",1]').toString('base64url')]) {
    await assertRefused('invalid_cursor', list({ cursor }));
  }
  await assertRefused('invalid_cursor', list({ cursor: (await list({ limit: 1 })).next_cursor ?? '' }, null));
});
