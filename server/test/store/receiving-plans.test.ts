import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import { type ContactId, type ConversationId, type EventId, type MessageId, newId } from '../../src/domain/ids.ts';
import { applyActs, findActTargets } from '../../src/store/acts.write.ts';
import {
  findCustomerConversations,
  findCustomerNames,
  findKnownCustomers,
  findScopedContacts,
} from '../../src/store/customers.read.ts';
import {
  inheritRefusals,
  learnPhones,
  learnUserIds,
  leaveNames,
  openWindows,
  takeNames,
} from '../../src/store/customers.write.ts';
import { insertReceivedMessages } from '../../src/store/received.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* What is asked and written for messages that come costs the same among ten contacts and messages and among ten million. */

const MANY = 20_000;
let world: EngineWorld;
let own: TenantWorld;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  const text = `
    with c as (
      insert into contacts (tenant_id, id, name) select $1, gen_random_uuid(), 'c' || i from generate_series(1, $2) as i
      returning id
    ), n as (
      insert into contact_identities (tenant_id, kind, value, contact_id)
      select $1, kind, replace(id::text, '-', '') || kind, id from c cross join (values ('phone'), ('bsuid')) k(kind)
    ), v as (
      insert into conversations (tenant_id, id, sender_id, contact_id) select $1, id, $3, id from c
    ), w as (
      insert into wamids (tenant_id, wamid, message_id) select $1, id::text, id from c
    )
    insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
      priority, address, created_at, delivered_at)
    select $1, id, $3, id, id, 'inbound', 'delivered', 'delivered', 'text', 'service', 1, '', now(), now() from c`;
  await world.db.query({ name: 'test_many', text }, [own.tenant, MANY, own.sender]);
  await world.db.script('analyze contacts, contact_identities, conversations, wamids, messages');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

/** Some contacts that are there; their own id is also that of their conversation and their message. */
async function some(count: number): Promise<string[]> {
  const text = 'select id from contacts where tenant_id = $1 order by id limit $2';
  return (await world.db.query<{ id: string }>({ name: 'test_some', text }, [own.tenant, count])).map((row) => row.id);
}

const valueOf = (id: string, kind: 'phone' | 'bsuid') => `${id.replaceAll('-', '')}${kind}`;

test('who wrote is found by index', async () => {
  const ids = await some(10);
  const { tenant, sender } = own;
  const names = ids.map((id) => ({ tenant, kind: 'phone' as const, value: valueOf(id, 'phone') }));
  const asked = ids.map((id) => ({
    tenant,
    sender,
    phone: valueOf(id, 'phone'),
    userId: valueOf(id, 'bsuid'),
    wamid: id,
  }));
  await cheap(10, (tx) => findKnownCustomers(tx, asked));
  await cheap(10, (tx) => findCustomerNames(tx, names));
  const pairs = ids.map((id) => ({ tenant, contact: id as ContactId, sender }));
  await cheap(10, (tx) => findCustomerConversations(tx, pairs));
  await cheap(20, (tx) => findScopedContacts(tx, pairs));
});

test('messages are written by index, with what they make of contacts and conversations', async () => {
  const ids = await some(10);
  const { tenant, sender } = own;
  const place = (id: string) => ({ tenant, sender, contact: id as ContactId, conversation: id as ConversationId });
  const at = Date.now();
  const row = { type: 'image', content: { media: {} }, replyTo: null, at, outbound: false, mediaId: '1', address: '' };
  const made = newId<ContactId>();
  const sum = { tenant, name: 'Ana', username: null, total: 1, at };
  await cheap(20, (tx) =>
    insertReceivedMessages(
      tx,
      {
        rows: ids.map((id) => ({
          ...place(id),
          ...row,
          id: newId<MessageId>(),
          event: newId<EventId>(),
          wamid: `w${id}`,
        })),
        newContacts: [{ ...sum, contact: made }],
        knownContacts: ids.map((id) => ({ ...sum, contact: id as ContactId })),
        names: [{ tenant, kind: 'phone', value: '+1', contact: made }],
        conversations: ids.map((id) => ({ ...place(id), unread: 1, at, window: at, opening: newId<EventId>() })),
      },
      0,
    ),
  );
});

test('names are moved, ids learnt and windows opened by index', async () => {
  const [one = '', two = ''] = await some(2);
  const { tenant, sender } = own;
  const name = { tenant, kind: 'phone' as const, value: valueOf(one, 'phone') };
  const [from, to] = [one as ContactId, two as ContactId];
  await cheap(4, (tx) => takeNames(tx, [{ ...name, contact: to }]));
  await cheap(4, (tx) => leaveNames(tx, [{ ...name, at: Date.now() }]));
  await cheap(4, (tx) => inheritRefusals(tx, [{ tenant, from, to }]));
  await cheap(4, (tx) => learnUserIds(tx, [{ tenant, sender, phone: valueOf(two, 'phone'), userId: 'US.new' }]));
  await cheap(4, (tx) => learnPhones(tx, [{ tenant, message: one as MessageId, phone: '+551187654321' }]));
  const caller = { tenant, sender, phone: valueOf(two, 'phone'), userId: null, at: Date.now() };
  await cheap(4, (tx) => openWindows(tx, [caller]));
});

test('what is acted on is found and changed by index', async () => {
  const ids = await some(10);
  const { tenant } = own;
  await cheap(10, (tx) =>
    findActTargets(
      tx,
      ids.map((wamid) => ({ tenant, wamid })),
    ),
  );
  const change = { content: { text: 'x' }, reactions: [], edited_at: Date.now(), deleted_at: null };
  const events = { reaction: newId<EventId>(), edit: newId<EventId>(), delete: null };
  await cheap(1, (tx) => applyActs(tx, [{ tenant, message: ids[0] as MessageId, change, events }]));
});
