import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { directKey } from '../../src/domain/chat-rules.ts';
import type { ChatMessageId, ContactId, ConversationId, EventId, SenderId, TenantId } from '../../src/domain/ids.ts';
import { newId } from '../../src/domain/ids.ts';
import {
  findConversationBy,
  findCustomerConversation,
  findListedConversation,
  findStanding,
  listRetainedConversations,
  listTenantsConversations,
  listUsersConversations,
} from '../../src/store/chat-conversations.read.ts';
import {
  pruneConversationMessages,
  pruneTenantMessages,
  updateConversation,
} from '../../src/store/chat-conversations.write.ts';
import {
  findChatMessages,
  findPlacedMessage,
  listChatEdits,
  listChatMessages,
  listNotes,
} from '../../src/store/chat-messages.read.ts';
import {
  type ChatRow,
  editChatMessage,
  emptyChatMessage,
  insertChatMessages,
  writeChatReactions,
} from '../../src/store/chat-messages.write.ts';
import { findMarks } from '../../src/store/chat-receipts.read.ts';
import { moveMarks } from '../../src/store/chat-receipts.write.ts';
import { listParticipants } from '../../src/store/participants.read.ts';
import { endParticipation, updateParticipant } from '../../src/store/participants.write.ts';
import { assertCheap } from '../store/cheap-plans.ts';
import { type ChatWorld, chatWorld, people } from './chat-world.ts';

/* Each statement must find what it works on by an index: among thousands of conversations and a long one it looks at few rows. */

let world: ChatWorld;
let tenant: TenantId;
let long: ConversationId;
let message: ChatMessageId;

before(async () => {
  world = await chatWorld();
  const { db, chat } = world;
  tenant = await world.tenant();
  long = (await chat.create(tenant, null, { type: 'group', participants: people('me', 'you', 'u1') })).conversation.id;
  // 4,000 conversations, most with customers; 20 of them mine. 30,000 messages in the long one, a note in each with a customer.
  await db.script(`
    insert into conversations (tenant_id, id, type, sender_id, contact_id, direct_key, retention_days, closed_at, last_seq)
    select '${tenant}', gen_random_uuid(), case when i % 10 = 0 then 'direct' else 'customer' end,
      case when i % 10 > 0 then gen_random_uuid() end, case when i % 10 > 0 then gen_random_uuid() end,
      case when i % 10 = 0 then i::text end, case when i % 500 = 1 then 30 end, case when i % 400 = 1 then now() end, 1
    from generate_series(1, 4000) i;
    insert into participants (tenant_id, conversation_id, user_id, list, slot)
    select v.tenant_id, v.id, case when v.n <= 20 then 'me' else 'user ' || v.n end,
      conversation_list(v.type, v.closed_at, v.last_message_at), conversation_slot(v.last_message_at, v.created_at)
    from (select *, row_number() over (order by id) as n from conversations) v where v.id <> '${long}';
    insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, content, parent_id, note, created_at)
    select '${tenant}', gen_random_uuid(), '${long}', i, 'u' || i % 3, 'user', 'text', 'x', null, false, now()
    from generate_series(1, 30000) i;
    update chat_messages set parent_id = (select id from chat_messages where seq = 17 and conversation_id = '${long}') where seq between 100 and 120;
    insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, content, note, created_at)
    select tenant_id, gen_random_uuid(), id, 1, 'agent', 'agent', 'text', 'x', true, now() from conversations where type = 'customer';
    update conversations set last_seq = 30000 where id = '${long}';
    analyze conversations, participants, chat_messages, chat_edits, events, messages;`);
  const [row] = await db.query<{ id: ChatMessageId }>(
    { name: 'test_root', text: 'select id from chat_messages where conversation_id = $1 and seq = 17' },
    [long],
  );
  message = row?.id as ChatMessageId;
});
after(() => world.close());

const cheap = (most: number, ask: Parameters<typeof assertCheap>[2]) => assertCheap(world.db, most, ask);

test('reading conversations', async () => {
  await cheap(1, (tx) => findConversationBy(tx, tenant, 'id', long));
  await cheap(1, (tx) => findConversationBy(tx, tenant, 'external', 'x'));
  await cheap(1, (tx) => findConversationBy(tx, tenant, 'direct', directKey('a', 'b')));
  await cheap(1, (tx) => findCustomerConversation(tx, tenant, newId<ContactId>(), newId<SenderId>()));
  await cheap(1, (tx) => findStanding(tx, tenant, long, 'me'));
  await cheap(3, (tx) => findListedConversation(tx, tenant, long, 'me'));
  await cheap(3, (tx) => findListedConversation(tx, tenant, long, null));
  await cheap(3, (tx) => listParticipants(tx, tenant, long));
  const all = { type: null, open: null, limit: 10 };
  await cheap(50, (tx) => listUsersConversations(tx, tenant, 'me', all, null));
  await cheap(50, (tx) =>
    listUsersConversations(tx, tenant, 'me', { ...all, open: true }, { activity: 1e15, id: long }),
  );
  await cheap(50, (tx) => listTenantsConversations(tx, tenant, all, null));
  await cheap(50, (tx) => listTenantsConversations(tx, tenant, { ...all, type: 'group' }, null));
  await cheap(50, (tx) => listTenantsConversations(tx, tenant, { ...all, open: false }, null));
  await cheap(50, (tx) => listTenantsConversations(tx, tenant, { ...all, type: 'customer', open: true }, long));
  const first = { tenant_id: '00000000-0000-0000-0000-000000000000' as TenantId, id: newId<ConversationId>() };
  await cheap(10, (tx) => listRetainedConversations(tx, first, 100));
});

test('reading messages', async () => {
  await cheap(1, (tx) => findPlacedMessage(tx, tenant, message, 'me'));
  await cheap(2, (tx) => findChatMessages(tx, tenant, [message, newId<ChatMessageId>()]));
  await cheap(50, (tx) =>
    listChatMessages(tx, tenant, { conversation: long }, { direction: 'before', seq: 9000, limit: 50 }),
  );
  await cheap(50, (tx) =>
    listChatMessages(tx, tenant, { conversation: long }, { direction: 'after', seq: 9000, limit: 50 }),
  );
  await cheap(21, (tx) => listChatMessages(tx, tenant, { parent: message }, { direction: 'after', seq: 0, limit: 50 }));
  await cheap(21, (tx) =>
    listChatMessages(tx, tenant, { parent: message }, { direction: 'before', seq: 9e9, limit: 50 }),
  );
  await cheap(50, (tx) => listNotes(tx, tenant, long, { before: null }, 50));
  await cheap(50, (tx) => listNotes(tx, tenant, long, { after: message }, 50));
  await cheap(1, (tx) => listChatEdits(tx, tenant, message));
});

test('what is written finds its rows', async () => {
  const row: ChatRow = {
    tenant,
    conversation: long,
    author: 'me',
    id: newId<ChatMessageId>(),
    event: newId<EventId>(),
    message: {
      sender_type: 'user',
      message_type: 'text',
      content: 'x',
      mentions: [],
      parent_message_id: message,
      metadata: null,
      note: false,
    },
    key: 'k',
    hash: Buffer.alloc(32),
  };
  await cheap(2, (tx) => insertChatMessages(tx, [row]));
  await cheap(1, (tx) => editChatMessage(tx, tenant, message, { content: 'y', mentions: [], at: new Date() }));
  await cheap(1, (tx) => writeChatReactions(tx, tenant, message, []));
  await cheap(1, (tx) => emptyChatMessage(tx, tenant, message, new Date()));
  const found = await findConversationBy(world.db, tenant, 'id', long);
  assert.ok(found);
  await cheap(1, (tx) => updateConversation(tx, tenant, found.conversation));
  const you = { user_id: 'you', role: 'member', can_send_messages: true, joined_at: '' } as const;
  await cheap(1, (tx) => updateParticipant(tx, tenant, long, you));
  await cheap(1, (tx) => endParticipation(tx, tenant, long, 'you', new Date()));
  // A mark from the beginning passes over a thousand messages at most.
  await cheap(1001, (tx) => findMarks(tx, [{ tenant, user: 'u1', message, read: true }]));
  await cheap(1, (tx) =>
    moveMarks(tx, [{ tenant, conversation: long, user: 'u1', delivered: 9, read: 9, ownAhead: 0 }]),
  );
  await cheap(20, (tx) => pruneConversationMessages(tx, tenant, long, 10));
  const from = { after: newId<ChatMessageId>(0), before: newId<ChatMessageId>(), limit: 10 };
  await cheap(20, (tx) => pruneTenantMessages(tx, tenant, from));
});
