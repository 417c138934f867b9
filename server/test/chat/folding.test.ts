import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import fc from 'fast-check';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { buildChat } from '../../src/boot/chat.ts';
import type { ChatMessage, ConversationRecord, ParticipantRecord, UserId } from '../../src/domain/chat.ts';
import { checkChatMessage } from '../../src/domain/chat-rules.ts';
import { AldisError } from '../../src/domain/errors.ts';
import type { ConversationEvents } from '../../src/domain/event-catalogue.ts';
import { type ContactId, type ConversationId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { findConversation } from '../../src/store/contacts.read.ts';
import { type ConversationEventRow, LOG_START, listEvents } from '../../src/store/events.read.ts';
import { engineWorld, newPhone } from '../engine-world.ts';
import { logReadable } from '../readable-log.ts';
import { assertChatSound } from './chat-soundness.ts';
import { type ChatWorld, chatWorld, groupOf, people, readLog } from './chat-world.ts';

/*
 * Old state + events = a fresh read. Whatever is done, by many at once, on two instances: who folds the log of a tenant has the
 * conversations, participants, messages, reactions and unread counts that a fresh read gives.
 */

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
afterEach(() => assertChatSound(world.db));
after(() => world.close());

interface Folded {
  conversation: ConversationRecord;
  participants: Map<UserId, ParticipantRecord>;
  messages: Map<string, ChatMessage>;
  last: number;
  read: Map<UserId, number>;
}

type Data<Type extends keyof ConversationEvents> = ConversationEvents[Type];

function fold(log: readonly ConversationEventRow[]): Map<ConversationId, Folded> {
  const all = new Map<ConversationId, Folded>();
  const of = (id: ConversationId): Folded => {
    const found = all.get(id);
    assert.ok(found, 'an event comes after the one that made its conversation');
    return found;
  };
  for (const { event_type, data, conversation_id, user_id } of log) {
    if (event_type === 'conversation.created') {
      const { conversation, participants } = data as Data<'conversation.created'>;
      all.set(conversation.id, {
        conversation,
        participants: new Map(participants.map((one) => [one.user_id, one])),
        messages: new Map(),
        last: 0,
        read: new Map(participants.map((one) => [one.user_id, 0])),
      });
      continue;
    }
    const state = of(conversation_id);
    switch (event_type) {
      case 'conversation.updated':
      case 'conversation.closed':
      case 'conversation.opened':
        state.conversation = (data as Data<'conversation.updated'>).conversation;
        break;
      case 'participant.joined': {
        const { participant } = data as Data<'participant.joined'>;
        assert.ok(!state.participants.has(participant.user_id));
        state.participants.set(participant.user_id, participant);
        state.read.set(participant.user_id, state.last);
        break;
      }
      case 'participant.changed': {
        const { participant } = data as Data<'participant.changed'>;
        state.participants.set(participant.user_id, participant);
        break;
      }
      case 'participant.left':
        assert.ok(state.participants.delete((data as Data<'participant.left'>).user_id));
        break;
      case 'chat.created': {
        const { message } = data as Data<'chat.created'>;
        assert.equal(message.seq, state.last + 1, 'numbers have no gaps, and rise along the log');
        assert.equal(state.conversation.closed_at, null, 'nobody speaks after the end');
        const author = message.user_id as UserId;
        assert.ok(state.participants.has(author), 'nobody speaks who has left');
        state.messages.set(message.id, message);
        if (state.read.get(author) === state.last) state.read.set(author, state.last + 1);
        state.last += 1;
        break;
      }
      case 'chat.edited':
      case 'chat.deleted': {
        const { message } = data as Data<'chat.edited'>;
        assert.ok(state.messages.has(message.id));
        state.messages.set(message.id, message);
        break;
      }
      case 'chat.reaction': {
        const { message_id, user_id: user, emoji, at } = data as Data<'chat.reaction'>;
        const message = state.messages.get(message_id) as ChatMessage;
        const others = message.reactions.filter((one) => one.user_id !== user);
        const reactions = emoji === null ? others : [...others, { user_id: user, emoji, at }];
        state.messages.set(message_id, { ...message, reactions });
        break;
      }
      case 'chat.read': {
        const { seq, user_id: reader } = data as Data<'chat.read'>;
        if (reader === user_id) state.read.set(reader, Math.max(seq, state.read.get(reader) ?? 0));
        break;
      }
      default:
        assert.equal(event_type, 'chat.delivered');
    }
  }
  return all;
}

const sorted = (participants: Iterable<ParticipantRecord>) =>
  [...participants].sort((a, b) => (a.user_id < b.user_id ? -1 : 1));

async function assertFolded(tenant: TenantId): Promise<void> {
  const { chat, db } = world;
  const folded = fold(await readLog(db, tenant));
  const { conversations } = await chat.listConversations(tenant, null, { limit: 100 });
  assert.deepEqual(new Set(folded.keys()), new Set(conversations.map(({ conversation }) => conversation.id)));
  for (const [id, state] of folded) {
    const fresh = await chat.conversation(tenant, null, id);
    assert.deepEqual(state.conversation, fresh.conversation);
    assert.deepEqual(sorted(state.participants.values()), sorted(fresh.participants));
    const { messages } = await chat.history(tenant, null, id, { limit: 1000 });
    assert.deepEqual([...state.messages.values()].toReversed(), messages);
    for (const user of state.participants.keys()) {
      const { unread_count } = await chat.conversation(tenant, user, id);
      const read = state.read.get(user) as number;
      const unread = [...state.messages.values()].filter((one) => one.user_id !== user && (one.seq ?? 0) > read);
      assert.equal(unread.length, unread_count, `what ${user} has not read`);
    }
  }
}

const USERS = ['a', 'b', 'c', 'd'];
const user = fc.constantFrom(...USERS);
const nth = fc.nat(3);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), user, nth, reply: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'delivered' as const), user, nth }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('react' as const), user, nth, emoji: fc.constantFrom('👍', '🎉', null) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'remove' as const), user, nth }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), user, by: fc.option(user) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('role' as const),
      user,
      role: fc.constantFrom('owner', 'admin', 'member'),
      can_send_messages: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('close' as const, 'open' as const, 'title' as const),
      user: fc.option(user),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('direct' as const, 'customer' as const),
      user,
      other: user,
      title: fc.option(fc.constantFrom('ours', 'theirs'), { nil: null }),
      external_id: fc.option(fc.constantFrom('x', 'y'), { nil: null }),
      retention_days: fc.option(fc.constantFrom(30, 60), { nil: null }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Of one customer, whose conversation is made again and again. */
const sides = { sender_id: newId<SenderId>(), contact_id: newId<ContactId>() };

test('whatever is done at once on two instances, its events tell', async () => {
  const instances = [buildChat(world), buildChat(world)];
  let done = 0;
  let refused = 0;

  async function run(tenant: TenantId, group: ConversationId, one: Step, place: number): Promise<void> {
    const chat = instances[place % 2] as (typeof instances)[number];
    const last = async (n: number) => {
      const { messages } = await chat.history(tenant, null, group, { limit: 4 });
      return messages[n]?.id ?? '';
    };
    switch (one.do) {
      case 'say': {
        const parent_message_id = one.reply ? await last(one.nth) : null;
        const message = checkChatMessage({ content: `${one.user} ${place}`, parent_message_id });
        await chat.say(tenant, group, one.user, message, null);
        return;
      }
      case 'read':
        await chat.markRead(tenant, [{ user: one.user, message: await last(one.nth) }]);
        return;
      case 'delivered':
        await chat.markDelivered(tenant, [{ user: one.user, message: await last(one.nth) }]);
        return;
      case 'react':
        await chat.react(tenant, one.user, await last(one.nth), one.emoji);
        return;
      case 'edit':
        await chat.edit(tenant, one.user, await last(one.nth), { content: `edit ${place}`, mentions: [] });
        return;
      case 'remove':
        await chat.remove(tenant, one.user, await last(one.nth));
        return;
      case 'join':
        await chat.addParticipants(tenant, one.by, group, people(one.user));
        return;
      case 'leave':
        await chat.removeParticipant(tenant, one.by, group, one.user);
        return;
      case 'role':
        await chat.changeParticipant(tenant, null, group, one.user, one);
        return;
      case 'close':
      case 'open':
        await chat.change(tenant, one.user, group, { closed: one.do === 'close' });
        return;
      case 'title':
        await chat.change(tenant, one.user, group, { title: `${place}`, metadata: { place } });
        return;
      case 'direct':
        await chat.create(tenant, one.user, { ...one, type: 'direct', participants: people(one.other) });
        return;
      case 'customer':
        await chat.create(tenant, null, { ...one, type: 'customer', participants: people(one.user), sides });
    }
  }

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 3, maxLength: 8 }),
      async (rounds) => {
        const tenant = await world.tenant();
        const group = await groupOf(world, tenant, 'a', 'b', 'c');
        for (const round of rounds) {
          await Promise.all(
            round.map((one, place) =>
              run(tenant, group, one, place).then(
                () => void done++,
                (error: unknown) => {
                  assert.ok(error instanceof AldisError, String(error));
                  refused++;
                },
              ),
            ),
          );
        }
        await assertFolded(tenant);
      },
    ),
    { numRuns: 12 },
  );
  assert.ok(done > refused / 3, `${done} were done, ${refused} refused`);
});

test('conversations that messages make and name: a message of one that is not known tells of it, the rest is told whole', async () => {
  const engine = await engineWorld();
  try {
    const { db, signals } = engine;
    const { tenant, sender, accept } = await engine.tenant();
    const chat = buildChat({ db, signals });
    const list = new Map<ConversationId, ConversationRecord>();
    let place = LOG_START;
    let told = 0;

    /** Folds what came since into the list, which then has to be that of a fresh read. */
    async function follow(): Promise<void> {
      await logReadable(db);
      for (const row of await listEvents(db, tenant, place, 1000)) {
        place = { xid: row.xid, id: row.event_id };
        const id = row.conversation_id;
        if (row.id === null && 'conversation' in row.data) {
          list.set(id, row.data.conversation);
          told++;
        } else if (!list.has(id)) list.set(id, (await chat.conversation(tenant, null, id)).conversation);
      }
      const { conversations } = await chat.listConversations(tenant, null, { limit: 100 });
      const fresh = conversations.map(({ conversation }) => conversation);
      assert.deepEqual(
        [...list.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
        fresh,
      );
    }

    const said = { type: 'text', content: { text: 'Hi' }, name: 'Ana', replyTo: null, userId: null, at: Date.now() };
    const customer = newPhone();
    await receiveMessages(db, signals, [{ tenant, sender, wamid: 'wamid.first', phone: customer, ...said }], 0);
    await follow();
    const [address, closed, named] = [newPhone(), newPhone(), newPhone()];
    await accept({ address });
    await accept({ address: closed });
    await accept({ address: named, conversation_name: 'named when made' });
    await follow();
    assert.equal(list.size, 4);
    assert.equal(told, 0, 'what a message makes has no event of its own');

    for (const { id } of list.values()) {
      await chat.change(tenant, null, id, { title: id, metadata: { nested: [1, null] }, retention_days: 30 });
    }
    const closing = (await findConversation(db, tenant, 'named when made'))?.id as ConversationId;
    await chat.change(tenant, null, closing, { closed: true });
    await follow();
    told = 0;
    await accept({ address: customer, conversation_name: 'the first' });
    await accept({ address, conversation_name: 'the second', said: true, author_id: 'ana' });
    await accept({ address: named, conversation_name: 'named again' });
    await accept({ address: closed });
    await follow();
    assert.equal(told, 3);
    assert.deepEqual(
      [...list.values()].map((one) => one.external_id),
      ['the first', 'the second', null, 'named again'],
    );
    assert.notEqual(list.get(closing)?.closed_at, null);
  } finally {
    await engine.close();
  }
});
