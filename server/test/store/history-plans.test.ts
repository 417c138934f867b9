import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConversationType } from '../../src/domain/chat.ts';
import type { ContactId, ConversationId, SenderId, TenantId } from '../../src/domain/ids.ts';
import { newId } from '../../src/domain/ids.ts';
import { listTenantsConversations, listUsersConversations } from '../../src/store/chat-conversations.read.ts';
import { listNotes } from '../../src/store/chat-messages.read.ts';
import { findOnlyConversation } from '../../src/store/contacts.read.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { assertCheap } from './cheap-plans.ts';

/*
 * Lists of a user who is in thousands of conversations, most of them closed, and of their tenant: a page looks at not much more than
 * itself, wherever it begins and whatever is asked for; and all pages together are the list.
 */

const CONVERSATIONS = 6000;
const LIMIT = 50;
let database: TestDatabase;
const tenant = newId<TenantId>();
const contact = newId<ContactId>();
const other = newId<ContactId>();
const sender = newId<SenderId>();
let long: ConversationId;

before(async () => {
  database = await testDatabase();
  // A day of activity; in a third nothing was ever said. Two conversations of one contact are long, and so is one of another.
  await database.db.script(`
    insert into tenants (id, name) values ('${tenant}', 'T');
    insert into conversations (tenant_id, id, type, sender_id, contact_id, direct_key, created_at, last_message_at, closed_at, last_seq)
    select '${tenant}', gen_random_uuid(), type, case when type = 'customer' then case when i < 3 then '${sender}' else gen_random_uuid() end::uuid end,
      case when type = 'customer' then case when i in (1, 4) then '${contact}' when i = 2 then '${other}' else gen_random_uuid() end::uuid end,
      case when type = 'direct' then i::text end, now() - interval '2 days' + i * interval '1 millisecond',
      case when i % 3 > 0 then now() - (i * 7919 % ${CONVERSATIONS}) * interval '14 seconds' end, case when i % 40 > 5 then now() end, i % 5
    from (select i, case when i % 50 = 0 then 'group' when i % 10 = 0 then 'direct' else 'customer' end as type
      from generate_series(1, ${CONVERSATIONS}) i) c;
    insert into participants (tenant_id, conversation_id, user_id, list, slot)
    select tenant_id, id, u, conversation_list(type, closed_at, last_message_at), conversation_slot(last_message_at, created_at)
    from conversations cross join unnest(array['agent', 'u' || last_seq]) u;
    insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category, priority,
      address, created_at, delivered_at)
    select v.tenant_id, gen_random_uuid(), v.sender_id, v.contact_id, v.id, 'inbound', 'delivered', 'delivered', 'text', 'service', 1, '+62811',
      now(), now()
    from conversations v cross join generate_series(1, 4000) where v.contact_id in ('${contact}', '${other}');
    insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, note, created_at)
    select v.tenant_id, gen_random_uuid(), v.id, i, 'agent', 'agent', 'text', true, now()
    from conversations v cross join generate_series(1, 3000) i where v.contact_id = '${other}';
    analyze tenants, conversations, participants, messages, chat_messages`);
  const [row] = await database.db.query<{ id: ConversationId }>(
    { name: 'test_long', text: 'select id from conversations where contact_id = $1' },
    [other],
  );
  long = row?.id as ConversationId;
});
after(() => database.drop());

type Filter = { type: ConversationType | null; open: boolean | null };
const FILTERS: Filter[] = [null, 'customer', 'direct', 'group'].flatMap((type) =>
  [null, true, false].map((open) => ({ type, open }) as Filter),
);

/** The user's list as it must be, by reading all of it. */
function expected(user: string, { type, open }: Filter): Promise<{ id: ConversationId; activity: number }[]> {
  const text = `
    select v.id, (extract(epoch from coalesce(v.last_message_at, v.created_at)) * 1000000)::int8 as activity
    from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
    where p.tenant_id = $1 and p.user_id = $2 and ($3::text is null or v.type = $3) and ($4::boolean is null or (v.closed_at is null) = $4)
    order by 2 desc, 1 desc`;
  return database.db.query({ name: 'test_expected', text }, [tenant, user, type, open]);
}

test('all pages of a user are the list, in its order, by every filter', async () => {
  for (const filter of FILTERS) {
    for (const [user, limit] of [
      ['agent', 997],
      ['u3', 101],
    ] as const) {
      const wanted = await expected(user, filter);
      const found: ConversationId[] = [];
      for (let place: { activity: number; id: ConversationId } | null = null, more = true; more; ) {
        const rows = await listUsersConversations(database.db, tenant, user, { ...filter, limit }, place);
        found.push(...rows.map(({ conversation }) => conversation.id));
        const last = rows.at(-1);
        more = last !== undefined;
        place = last ? { activity: last.activity, id: last.conversation.id } : null;
      }
      assert.ok(user !== 'agent' || wanted.length > 0);
      assert.deepEqual(
        found,
        wanted.map(({ id }) => id),
        `${user} ${JSON.stringify(filter)}`,
      );
    }
  }
});

test('a page of a user in very many conversations looks at little more than itself, wherever it begins', async () => {
  for (const filter of FILTERS) {
    const all = await expected('agent', filter);
    // Of each of four lists of what was said, and of two slots, some twenty.
    for (const place of [null, all[70], all[Math.floor(all.length / 2)], all.at(-20)]) {
      await assertCheap(database.db, 13 * LIMIT, (tx) =>
        listUsersConversations(tx, tenant, 'agent', { ...filter, limit: LIMIT }, place ?? null),
      );
    }
  }
});

test('the same of the lists of the tenant', async () => {
  for (const filter of FILTERS) {
    for (const place of [null, 'c0000000-0000-4000-8000-000000000000', '20000000-0000-4000-8000-000000000000']) {
      await assertCheap(database.db, 6 * LIMIT, (tx) =>
        listTenantsConversations(tx, tenant, { ...filter, limit: LIMIT }, place as ConversationId | null),
      );
    }
    const found: ConversationId[] = [];
    for (let place: ConversationId | null = null, more = true; more; ) {
      const rows = await listTenantsConversations(database.db, tenant, { ...filter, limit: 997 }, place);
      found.push(...rows.map(({ conversation }) => conversation.id));
      place = found.at(-1) ?? null;
      more = rows.length > 0;
    }
    const wanted = (await expected('agent', filter)).map(({ id }) => id).sort();
    assert.deepEqual(found, wanted.reverse(), JSON.stringify(filter));
  }
});

test('deep among notes, and among the messages of a contact, the page is found by its index', async () => {
  const before = '20000000-0000-4000-8000-000000000000';
  await assertCheap(database.db, LIMIT, (tx) => listNotes(tx, tenant, long, { before }, LIMIT));
  // Of two long conversations so many each.
  await assertCheap(database.db, 2 * (LIMIT + 1), (tx) =>
    listMessages(tx, tenant, { contact_id: contact }, null, LIMIT),
  );
  assert.equal(await findOnlyConversation(database.db, tenant, other, null), long);
  assert.equal(await findOnlyConversation(database.db, tenant, contact, null), null);
  assert.notEqual(await findOnlyConversation(database.db, tenant, contact, sender), null);
});
