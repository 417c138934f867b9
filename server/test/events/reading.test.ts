import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildChat } from '../../src/boot/chat.ts';
import { eventCursors } from '../../src/domain/event-cursor.ts';
import type { ConversationId, TenantId } from '../../src/domain/ids.ts';
import { type ChatWorld, groupOf, readLog, say } from '../chat/chat-world.ts';
import { type Answer, type Body, type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';

let world: DoorWorld;
let chat: ReturnType<typeof buildChat>;
before(async () => {
  world = await doorWorld();
  chat = buildChat(world);
});
after(() => world.close());

const chatWorld = (): ChatWorld => ({ ...world, chat, tenant: async () => (await world.tenant()).tenant });
type Event = Body['events'][number];

/** Reads from a place to the end, page by page, and holds that the chain is unbroken and that nothing came twice. */
async function readOn(
  ask: (path: string) => Promise<Answer>,
  query: string,
  { after: from, limit = 2 }: { after?: string; limit?: number } = {},
): Promise<{ events: Event[]; next: string }> {
  const events: Event[] = [];
  let next = from;
  let chain: string | undefined;
  for (let pages = 0; ; pages++) {
    assert.ok(pages < 1000);
    const { status, body } = await ask(`/api/v1/events?${query}&limit=${limit}${next ? `&after=${next}` : ''}`);
    assert.equal(status, 200, JSON.stringify(body));
    for (const event of body.events) {
      if (chain !== undefined) assert.equal(event.prev, chain, 'the chain');
      chain = event.cursor;
      events.push(event);
    }
    if (body.next_cursor === next) break;
    next = body.next_cursor;
  }
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  return { events, next: next ?? '' };
}

const named = (events: readonly Event[]) =>
  events.map(({ type, data }) =>
    `${type} ${(data['message'] as { content?: string } | undefined)?.content ?? ''}`.trim(),
  );

/** A request that speaks for a user. */
async function speakingFor(customer: Customer, user: string): Promise<(path: string) => Promise<Answer>> {
  const key = await world.keyFor(customer.tenant, ['events:read', 'conversations:read', 'act_as']);
  return (path) => customer.get(path, { authorization: `Bearer ${key}`, 'x-user-id': user });
}

async function aGroup(tenant: TenantId, ...users: string[]): Promise<ConversationId> {
  return groupOf(chatWorld(), tenant, ...users);
}

test('a part of the log is a chain of its own, over whatever lies between, in pages of any size', async () => {
  const customer = await world.customer();
  const { tenant } = customer;
  const one = await aGroup(tenant, 'a', 'b');
  const other = await aGroup(tenant, 'a', 'b');
  for (let i = 0; i < 6; i++) {
    await say(chatWorld(), tenant, i % 2 === 0 ? one : other, 'a', `m${i}`);
    await customer.accept();
  }
  await readLog(world.db, tenant);
  const whole = (await readOn(customer.get, '', { limit: 100 })).events;
  assert.equal(whole.filter(({ type }) => type === 'message.queued').length, 6);
  for (const limit of [1, 100]) {
    const chats = await readOn(customer.get, 'types=chat.created', { limit });
    assert.deepEqual(
      named(chats.events),
      [0, 1, 2, 3, 4, 5].map((i) => `chat.created m${i}`),
    );
    const several = await readOn(customer.get, 'types=message.*,%20chat.created', { limit });
    assert.deepEqual(
      several.events.map(({ id }) => id),
      whole.filter(({ type }) => /^(message\.|chat\.created)/.test(type)).map(({ id }) => id),
    );
    const ofOne = await readOn(customer.get, `conversation_id=${one}&types=chat.*`, { limit });
    assert.deepEqual(named(ofOne.events), ['chat.created m0', 'chat.created m2', 'chat.created m4']);
  }
  // The same events have the same cursors, however they are read.
  const cursors = new Map(whole.map(({ id, cursor }) => [id, cursor]));
  const chats = await readOn(customer.get, 'types=chat.created');
  for (const { id, cursor } of chats.events) assert.equal(cursor, cursors.get(id));
  // What comes after the end was read follows the last that was seen, and not what lay between.
  await customer.accept();
  await say(chatWorld(), tenant, one, 'a', 'last');
  await readLog(world.db, tenant);
  const [last, ...more] = (await readOn(customer.get, 'types=chat.created', { after: chats.next })).events;
  assert.deepEqual([more, last?.prev], [[], chats.events.at(-1)?.cursor]);
});

test('who waits for a part of the log is woken by that part only, and has read on meanwhile', async () => {
  const customer = await world.customer();
  const group = await aGroup(customer.tenant, 'a', 'b');
  await readLog(world.db, customer.tenant);
  const { next } = await readOn(customer.get, 'types=chat.created');
  const waiting = customer.get(`/api/v1/events?types=chat.created&wait=20&after=${next}`);
  await customer.accept();
  await say(chatWorld(), customer.tenant, group, 'a', 'hello');
  const { body } = await waiting;
  assert.deepEqual(named(body.events), ['chat.created hello']);
  assert.equal(body.next_cursor, body.events[0]?.cursor);
});

test('a user reads what was said while he was there, what is told to him, and nothing that is for software', async () => {
  const customer = await world.customer();
  const { tenant } = customer;
  const group = await aGroup(tenant, 'a', 'b');
  await say(chatWorld(), tenant, group, 'a', 'before c');
  await chat.addParticipants(tenant, null, group, [{ user_id: 'c' }]);
  const said = await say(chatWorld(), tenant, group, 'a', 'with c');
  await chat.markRead(tenant, [{ user: 'b', message: said.id }]);
  await chat.removeParticipant(tenant, null, group, 'c');
  await say(chatWorld(), tenant, group, 'a', 'after c');
  await customer.accept();
  const away = { user_id: 'c', conversation_id: group, message: said, mentioned: false, unread: 1 };
  await world.db.query(
    {
      name: 'test_away',
      text: `insert into events (tenant_id, id, type, conversation_id, user_id, data)
        values ($1, gen_random_uuid(), 'notification.offline', $2, 'c', $3)`,
    },
    [tenant, group, JSON.stringify(away)],
  );
  await readLog(world.db, tenant);
  const of = async (user: string) => named((await readOn(await speakingFor(customer, user), '')).events);
  const withC = ['participant.joined', 'chat.created with c'];
  assert.deepEqual(await of('c'), [...withC, 'participant.left']);
  const all = await of('a');
  assert.deepEqual(
    all.filter((name) => name !== 'chat.delivered'),
    [
      'conversation.created',
      'chat.created before c',
      ...withC,
      'chat.read',
      'participant.left',
      'chat.created after c',
    ],
  );
  assert.deepEqual(await of('stranger'), []);
  const software = named((await readOn(customer.get, '')).events);
  assert.ok(software.includes('message.queued') && software.includes('notification.offline with c'));
  // A cursor is a place in the log for everybody: a user who has one of the software's reads on from there what is his.
  const [first] = (await customer.get('/api/v1/events?limit=1')).body.events;
  const c = await speakingFor(customer, 'c');
  assert.deepEqual(named((await readOn(c, '', { after: first?.cursor ?? '' })).events), [...withC, 'participant.left']);
});

test('who speaks for nobody needs events:read; a user needs only the scope of conversations', async () => {
  const customer = await world.customer();
  const reading = await world.keyFor(customer.tenant, ['conversations:read', 'act_as']);
  const refused = await customer.get('/api/v1/events', { authorization: `Bearer ${reading}` });
  assert.deepEqual([refused.status, refused.body.details], [403, { scope: 'events:read' }]);
  const user = await customer.get('/api/v1/events', { authorization: `Bearer ${reading}`, 'x-user-id': 'a' });
  assert.equal(user.status, 200);
  const none = await world.keyFor(customer.tenant, ['messages:read']);
  assert.equal((await customer.get('/api/v1/events', { authorization: `Bearer ${none}` })).status, 403);
});

test('what is wrong is told', async () => {
  const customer = await world.customer();
  const other = await world.customer();
  await other.accept();
  await customer.accept();
  await readLog(world.db, other.tenant);
  const theirs = (await other.get('/api/v1/events')).body.next_cursor;
  const ours = (await customer.get('/api/v1/events')).body.next_cursor;
  const flipped = `${ours.slice(0, 8)}${ours[8] === 'z' ? 'y' : 'z'}${ours.slice(9)}`;
  const cases: [string, number, string, string][] = [
    [`after=${theirs}`, 400, 'invalid_cursor', 'after'],
    [`after=${flipped}`, 400, 'invalid_cursor', 'after'],
    [`after=${ours}A`, 400, 'invalid_cursor', 'after'],
    [`after=${ours.slice(0, -4)}`, 400, 'invalid_cursor', 'after'],
    ['after=', 400, 'invalid_cursor', 'after'],
    ['after=NOW', 400, 'invalid_cursor', 'after'],
    ['types=chat.said', 400, 'invalid_field', 'types'],
    ['types=chat.created,', 400, 'invalid_field', 'types'],
    ['types=', 400, 'invalid_field', 'types'],
    [`types=${'chat.created,'.repeat(100)}`, 400, 'invalid_field', 'types'],
    ['conversation_id=', 400, 'invalid_field', 'conversation_id'],
    [`conversation_id=${'x'.repeat(129)}`, 400, 'invalid_field', 'conversation_id'],
    ['limit=1001', 400, 'limit_too_large', 'limit'],
    ['wait=31', 400, 'invalid_field', 'wait'],
    ['type=chat.created', 400, 'unknown_field', 'type'],
  ];
  for (const [query, status, error, field] of cases) {
    const { body, ...answer } = await customer.get(`/api/v1/events?${query}`);
    assert.deepEqual([answer.status, body.error, body.details?.field], [status, error, field], query);
  }
  const nothing = await customer.get('/api/v1/events?conversation_id=nobody-knows-it');
  assert.deepEqual([nothing.status, nothing.body.events], [200, []]);
});

test('a cursor of a time that this log has not reached is of another one', async () => {
  const customer = await world.customer();
  const cursor = eventCursors(customer.tenant).write({
    xid: '99999999999',
    id: '01976b2c-8f00-7a10-9c55-8d1f0e4b2a77',
  });
  const { status, body } = await customer.get(`/api/v1/events?after=${cursor}`);
  assert.deepEqual([status, body.error], [400, 'invalid_cursor']);
});
