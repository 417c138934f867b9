import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable, Statement } from '../../src/db/pool.ts';
import { type BatchId, newId } from '../../src/domain/ids.ts';
import type { Message } from '../../src/domain/message.ts';
import { findAddress, findConversation } from '../../src/store/contacts.read.ts';
import {
  findLastInbound,
  findMessagePlace,
  findSaidMessages,
  listSaidMessages,
} from '../../src/store/customer-history.read.ts';
import { countListed, findSettledMessages, listMessages, type MessageFilter } from '../../src/store/messages.read.ts';
import { countMessages } from '../../src/store/statistics.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';

/*
 * What is read for people must cost the same at ten messages and at ten million: each statement is explained as it runs, and
 * shows by which index it walks and how many rows it takes from there.
 */

const ROWS = 20_000;
let world: EngineWorld;
let tenant: TenantWorld;
let message: Message;
const batch = newId<BatchId>();

before(async () => {
  world = await engineWorld();
  tenant = await world.tenant();
  message = await tenant.read(await tenant.accept());
  // One long conversation among many short ones, and some of other senders.
  const text = `
    insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, batch_id, batch_index, direction, state,
      state_before, type, category, priority, address, created_at)
    select tenant_id, gen_random_uuid(), case when i % 5 > 0 then sender_id else gen_random_uuid() end, contact_id,
      case when i <= 15000 then conversation_id else gen_random_uuid() end, case when i <= 1000 then $2::uuid end, i,
      direction, state, state_before, type, category, priority, address, created_at
    from messages, generate_series(1, $3) as i where tenant_id = $1`;
  await world.db.query({ name: 'test_many', text }, [tenant.tenant, batch, ROWS]);
  // Of a tenant with few rows every index that begins with the tenant is as good as another.
  await world.db.script(`
    insert into conversations (tenant_id, id, type)
    select '${tenant.tenant}', gen_random_uuid(), 'group' from generate_series(1, 2000);
    insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, created_at)
    select '${tenant.tenant}', gen_random_uuid(), gen_random_uuid(), i, 'u', 'user', 'text', now() from generate_series(1, 2000) i;
    insert into contact_identities (tenant_id, kind, value, contact_id)
    select '${tenant.tenant}', 'phone', 'none ' || i, gen_random_uuid() from generate_series(1, 2000) i;
    analyze messages, conversations, chat_messages, contact_identities;`);
});
after(() => world.close());

interface Node {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: Node[];
}

/** What a statement takes from each table: by which index, and how many rows. */
type Taken = Map<string, { by: string; rows: number }[]>;

/** Runs what asks, and gives what its statement took. */
async function taken(ask: (tx: Queryable) => Promise<unknown>): Promise<Taken> {
  const found: Taken = new Map();
  const explaining: Queryable = {
    async query<Row extends object>({ name, text }: Statement, values?: readonly unknown[]) {
      const explained = { name: `explain ${name}`, text: `explain (analyze, format json) ${text}` };
      const [row] = await world.db.query<{ 'QUERY PLAN': { Plan: Node }[] }>(explained, values);
      walk(row?.['QUERY PLAN'][0]?.Plan as Node);
      return [] as Row[];
    },
    script: (sql) => world.db.script(sql),
  };
  function walk(node: Node, relation?: string): void {
    const on = node['Relation Name'] ?? relation;
    const rows = node['Actual Rows'] * node['Actual Loops'];
    const by = node['Index Name'] ?? (node['Relation Name'] && !node.Plans ? node['Node Type'] : undefined);
    if (on !== undefined && by !== undefined) found.set(on, [...(found.get(on) ?? []), { by, rows }]);
    for (const plan of node.Plans ?? []) walk(plan, on);
  }
  await ask(explaining);
  return found;
}

const LIMIT = 50;

/** One index gave all rows, and no more of them than were asked for. */
function assertWalked(taken: { by: string; rows: number }[] | undefined, by: string, rows: number): void {
  const walked = taken?.filter((one) => one.rows > 0) ?? [];
  assert.deepEqual(walked, [{ by, rows }]);
}

const walks: [string, (message: Message) => MessageFilter, string][] = [
  ['all', () => ({}), 'messages_pkey'],
  ['of a sender', ({ sender_id }) => ({ sender_id }), 'messages_sender'],
  ['of a conversation', ({ conversation_id }) => ({ conversation_id }), 'messages_conversation'],
];
for (const [name, filterOf, index] of walks) {
  test(`a list, ${name}: the index gives the page and no more`, async () => {
    const rows = (await taken((tx) => listMessages(tx, tenant.tenant, filterOf(message), null, LIMIT))).get('messages');
    assertWalked(rows, index, LIMIT + 1);
  });
  test(`a list, ${name}, by page: what comes before is walked over`, async () => {
    const ask = (tx: Queryable) => listMessages(tx, tenant.tenant, filterOf(message), null, LIMIT, 1000);
    const rows = (await taken(ask)).get('messages');
    assertWalked(rows, index, 1000 + LIMIT + 1);
  });
}

test('a list by contact or batch walks its index, 5,000 rows at most', async () => {
  const { contact_id } = message;
  const byContact = await taken((tx) => listMessages(tx, tenant.tenant, { contact_id }, null, LIMIT));
  const byBatch = await taken((tx) => listMessages(tx, tenant.tenant, { batch_id: batch }, null, LIMIT));
  for (const [plan, index] of [
    [byContact, 'messages_conversation'],
    [byBatch, 'messages_batch'],
  ] as const) {
    for (const { by, rows } of plan.get('messages') ?? []) {
      assert.equal(by, index);
      assert.ok(rows <= 5_000, `${rows} rows by ${by}`);
    }
  }
});

test('a rare filter looks at 5,000 rows, and a count at 10,000', async () => {
  const rare = await taken((tx) => listMessages(tx, tenant.tenant, { type: 'video' }, null, LIMIT));
  assert.ok((rare.get('messages') ?? []).every(({ by, rows }) => by === 'messages_pkey' && rows <= 5_000));
  const { conversation_id } = message;
  const count = await taken((tx) => countListed(tx, tenant.tenant, { conversation_id }));
  assert.deepEqual(count.get('messages'), [{ by: 'messages_conversation', rows: 10_001 }]);
});

test('statistics read the roll-ups by their key, and no message', async () => {
  for (const sender of [null, tenant.sender]) {
    const plan = await taken((tx) => countMessages(tx, tenant.tenant, sender));
    assert.deepEqual([...plan.keys()], ['message_counts']);
    assert.deepEqual(
      plan.get('message_counts')?.map(({ by }) => by),
      ['message_counts_pkey'],
    );
  }
});

test('who waits for messages, and a conversation, are looked up by key', async () => {
  const asked = [{ tenant: tenant.tenant, id: message.id }];
  const waited = await taken((tx) => findSettledMessages(tx, asked));
  assert.deepEqual(
    waited.get('messages')?.map(({ by }) => by),
    ['messages_pkey'],
  );
  const conversation = await taken((tx) => findConversation(tx, tenant.tenant, message.conversation_id));
  assert.deepEqual(conversation.get('messages'), [{ by: 'messages_conversation', rows: 1 }]);
  for (const { by } of conversation.get('conversations') ?? []) assert.match(by, /^conversations_(pkey|external)$/);
});

test('the history of a conversation with a customer takes a page by its index, and single messages by their key', async () => {
  const { conversation_id, id, contact_id } = message;
  for (const way of ['before', 'after'] as const) {
    const from = way === 'before' ? 'ffffffff-ffff-ffff-ffff-ffffffffffff' : '00000000-0000-0000-0000-000000000000';
    const page = await taken((tx) => listSaidMessages(tx, tenant.tenant, conversation_id, way, from, LIMIT));
    assert.deepEqual(page.get('messages'), [{ by: 'messages_conversation', rows: LIMIT }]);
    for (const { by } of page.get('wamids') ?? []) assert.equal(by, 'wamids_pkey');
  }
  const last = await taken((tx) => findLastInbound(tx, tenant.tenant, conversation_id));
  assert.deepEqual(last.get('messages'), [{ by: 'messages_conversation', rows: 50 }]);
  const found = await taken((tx) => findSaidMessages(tx, tenant.tenant, [id]));
  assert.deepEqual(found.get('messages'), [{ by: 'messages_pkey', rows: 1 }]);
  const place = await taken((tx) => findMessagePlace(tx, tenant.tenant, id));
  assert.deepEqual(place.get('messages'), [{ by: 'messages_pkey', rows: 1 }]);
  assert.deepEqual(place.get('chat_messages'), [{ by: 'chat_messages_pkey', rows: 0 }]);
  const address = await taken((tx) => findAddress(tx, tenant.tenant, contact_id));
  assert.deepEqual(address.get('contact_identities'), [{ by: 'contact_identities_contact', rows: 1 }]);
});
