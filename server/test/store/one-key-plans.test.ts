import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import {
  type BatchId,
  type ContactId,
  type ConversationId,
  type MessageId,
  newId,
  type SenderId,
} from '../../src/domain/ids.ts';
import { listTenantsConversations, listUsersConversations } from '../../src/store/chat-conversations.read.ts';
import { listNotes } from '../../src/store/chat-messages.read.ts';
import { listConsents } from '../../src/store/consents.read.ts';
import { findConversation } from '../../src/store/contacts.read.ts';
import { findLastInbound, listSaidMessages } from '../../src/store/customer-history.read.ts';
import { findDeadLetterGroups, walkDeadLetters } from '../../src/store/dead-letters.read.ts';
import { findExplained } from '../../src/store/explanations.read.ts';
import { findRecentPairs } from '../../src/store/handover.read.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/*
 * A tenant with one busy number, and another that has hardly sent anything; and the same of conversations, contacts, reasons and types. The statistics
 * know the busy ones only. What is read of a quiet one costs what it has, and not what the tenant has.
 */

const MANY = 20_000;
const LIMIT = 50;
let world: EngineWorld;
let own: TenantWorld;
const contact = newId<ContactId>();
const batch = newId<BatchId>();
const busy = {
  sender: newId<SenderId>(),
  contact: newId<ContactId>(),
  reason: { error: 'send_failed', error_code: 131_000 },
};
const FIRST = '00000000-0000-0000-0000-000000000000' as MessageId;
const MIDDLE = '80000000-0000-4000-8000-000000000000' as MessageId;
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const [loud, quiet, empty] = [newId<ConversationId>(), newId<ConversationId>(), newId<ConversationId>()];

/** Of each table so many rows of one key. */
function fill(
  count: number,
  keys: { sender: string; contact: string; conversation: string; batch: string; code: number; type: string },
) {
  const { tenant } = own;
  return `
    with m as (
      insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, batch_id, batch_index, direction, state, state_before, type, category,
        priority, address, attempt, created_at, failed_at, error)
      select '${tenant}', gen_random_uuid(), '${keys.sender}', '${keys.contact}', '${keys.conversation}', '${keys.batch}', i, 'outbound', 'failed', 'queued',
        'text', 'service', 1, '+1', 1, now(), now(), jsonb_build_object('error', 'send_failed', 'code', ${keys.code})
      from generate_series(1, ${count}) i returning tenant_id, id, sender_id
    )
    insert into dead_letters select tenant_id, id, sender_id, null, 'send_failed', ${keys.code}, false, now() from m;
    insert into consents (tenant_id, contact_id, id, scope, state, source, at)
    select '${tenant}', '${keys.contact}', gen_random_uuid(), 'marketing', 'out', 'import', now() from generate_series(1, ${count});
    insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, note, created_at)
    select '${tenant}', gen_random_uuid(), '${keys.conversation}', i, 'agent', 'agent', 'text', true, now() from generate_series(1, ${count}) i;
    insert into conversations (tenant_id, id, type, sender_id, contact_id, created_at, last_message_at)
    select '${tenant}', gen_random_uuid(), '${keys.type}', case '${keys.type}' when 'customer' then gen_random_uuid() end,
      case '${keys.type}' when 'customer' then gen_random_uuid() end, now(), now() from generate_series(1, ${count});`;
}

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  await world.db.script(`${fill(MANY, { ...busy, conversation: loud, batch: newId(), code: busy.reason.error_code, type: 'customer' })}
    insert into conversations (tenant_id, id, type, sender_id, contact_id) values ('${own.tenant}', '${loud}', 'customer', '${busy.sender}', '${busy.contact}')`);
  await world.db.script('analyze messages, dead_letters, consents, chat_messages, conversations, participants');
  await world.db.script(`
    ${fill(3, { sender: own.sender, contact, conversation: quiet, batch, code: 131_049, type: 'group' })}
    insert into conversations (tenant_id, id, type, sender_id, contact_id) values
      ('${own.tenant}', '${quiet}', 'customer', '${own.sender}', '${contact}'), ('${own.tenant}', '${empty}', 'customer', gen_random_uuid(), gen_random_uuid());
    insert into participants (tenant_id, conversation_id, user_id, list, slot)
    select tenant_id, id, 'agent', conversation_list(type, closed_at, last_message_at), conversation_slot(last_message_at, created_at)
    from conversations where id in ('${quiet}', '${empty}')`);
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

test('messages of a number, a conversation, a contact, a batch: a list, by cursor and by page', async () => {
  for (const filter of [
    { sender_id: own.sender },
    { conversation_id: quiet },
    { contact_id: contact },
    { batch_id: batch },
  ]) {
    await cheap(5, (tx) => listMessages(tx, own.tenant, filter, null, LIMIT));
    await cheap(5, (tx) => listMessages(tx, own.tenant, filter, null, LIMIT, 100));
    const { messages, next } = await listMessages(world.db, own.tenant, filter, null, 2);
    const rest = await listMessages(world.db, own.tenant, filter, next, 2);
    assert.equal(new Set([...messages, ...rest.messages].map(({ id }) => id)).size, 3);
    assert.equal(rest.next, null);
  }
});

test('of busy ones a page takes the page', async () => {
  for (const filter of [
    { sender_id: busy.sender },
    { conversation_id: loud },
    { contact_id: busy.contact },
    busy.reason,
  ]) {
    await cheap(LIMIT + 1, (tx) => listMessages(tx, own.tenant, filter, null, LIMIT));
    await cheap(LIMIT + 1, (tx) => listMessages(tx, own.tenant, filter, MIDDLE, LIMIT));
  }
  for (const from of [LAST, MIDDLE]) {
    await cheap(LIMIT, (tx) => listSaidMessages(tx, own.tenant, loud, 'before', from, LIMIT));
    await cheap(LIMIT, (tx) => listNotes(tx, own.tenant, loud, { before: from }, LIMIT));
    await cheap(LIMIT, (tx) => listConsents(tx, own.tenant, busy.contact, null, LIMIT));
  }
  for (const from of [FIRST, MIDDLE]) {
    await cheap(LIMIT, (tx) => listSaidMessages(tx, own.tenant, loud, 'after', from, LIMIT));
    await cheap(LIMIT, (tx) => listNotes(tx, own.tenant, loud, { after: from }, LIMIT));
    await cheap(LIMIT, (tx) => walkDeadLetters(tx, own.tenant, busy.reason, from, new Date(), LIMIT));
  }
});

test('the history of a conversation, its last message, its notes', async () => {
  for (const conversation of [quiet, empty]) {
    await cheap(5, (tx) => listSaidMessages(tx, own.tenant, conversation, 'before', LAST, LIMIT));
    await cheap(5, (tx) => listSaidMessages(tx, own.tenant, conversation, 'after', FIRST, LIMIT));
    await cheap(5, (tx) => findLastInbound(tx, own.tenant, conversation));
    await cheap(5, (tx) => findConversation(tx, own.tenant, conversation));
    await cheap(5, (tx) => listNotes(tx, own.tenant, conversation, { before: null }, LIMIT));
    await cheap(5, (tx) => listNotes(tx, own.tenant, conversation, { after: FIRST }, LIMIT));
  }
  const older = await listSaidMessages(world.db, own.tenant, quiet, 'before', LAST, LIMIT);
  const newer = await listSaidMessages(world.db, own.tenant, quiet, 'after', FIRST, LIMIT);
  const ids = older.map(({ id }) => id);
  assert.deepEqual([ids.length, ids], [3, newer.map(({ id }) => id).toReversed()]);
  assert.deepEqual(ids, ids.toSorted().toReversed());
});

test('conversations: of a user, with their last messages; of a tenant, of a type that is rare', async () => {
  const all = { type: null, open: null, limit: LIMIT };
  // Twelve lists are looked at, and two conversations are on them.
  await cheap(15, (tx) => listUsersConversations(tx, own.tenant, 'agent', all, null));
  await cheap(2 * LIMIT, (tx) => listTenantsConversations(tx, own.tenant, { ...all, type: 'group' }, null));
  await cheap(2 * LIMIT, (tx) =>
    listTenantsConversations(tx, own.tenant, { ...all, type: 'direct', open: true }, null),
  );
  const groups = await listTenantsConversations(world.db, own.tenant, { ...all, type: 'group', limit: 2 }, null);
  const last = groups[1]?.conversation.id as ConversationId;
  const rest = await listTenantsConversations(world.db, own.tenant, { ...all, type: 'group', limit: 2 }, last);
  assert.deepEqual([groups.length, rest.length], [2, 1]);
});

test('dead letters of a reason, the consents of a contact', async () => {
  const reason = { error: 'send_failed', error_code: 131_049 };
  await cheap(5, (tx) => findDeadLetterGroups(tx, own.tenant, reason));
  await cheap(5, (tx) => walkDeadLetters(tx, own.tenant, reason, null, new Date(Date.now() + 60_000), LIMIT));
  await cheap(5, (tx) => listMessages(tx, own.tenant, reason, null, LIMIT));
  await cheap(5, (tx) => listConsents(tx, own.tenant, contact, null, LIMIT));
  assert.equal((await listMessages(world.db, own.tenant, reason, null, LIMIT)).messages.length, 3);
  assert.equal((await listConsents(world.db, own.tenant, contact, null, LIMIT)).length, 3);
});

test('why a message waits, and what a number sent of late', async () => {
  const waiting = await own.accept({ address: '+1' });
  await cheap(5, (tx) => findExplained(tx, own.tenant, waiting));
  await cheap(5, (tx) => findRecentPairs(tx, [own.lane], 60_000, 2000));
});
