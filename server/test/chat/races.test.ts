import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { ChatActions } from '../../src/actions/chat.ts';
import { buildChat } from '../../src/boot/chat.ts';
import { openPool } from '../../src/db/pool.ts';
import type { ChatMessage } from '../../src/domain/chat.ts';
import { checkChatMessage } from '../../src/domain/chat-rules.ts';
import { AldisError } from '../../src/domain/errors.ts';
import { assertChatSound } from './chat-soundness.ts';
import { type ChatWorld, chatWorld, groupOf, people, readLog, say } from './chat-world.ts';

/** Several instances on one database, each with connections of its own. */
const INSTANCES = 3;
let world: ChatWorld;
let instances: ChatActions[];
const pools: ReturnType<typeof openPool>[] = [];

before(async () => {
  world = await chatWorld();
  for (let i = 0; i < INSTANCES; i++) {
    const db = openPool({ connection: world.database.url, max: 4, onError: () => {} });
    pools.push(db);
  }
  instances = pools.map((db) => buildChat({ db, signals: world.signals }));
});
afterEach(() => assertChatSound(world.db));
after(async () => {
  for (const pool of pools) await pool.close();
  await world.close();
});

const on = (i: number) => instances[i % INSTANCES] as ChatActions;
const text = (content: string) => checkChatMessage({ content });

test('all speak in one group on three instances: numbers have no gaps, and rise along the log', async () => {
  const tenant = await world.tenant();
  const users = Array.from({ length: 30 }, (_, i) => `u${i}`);
  const group = await groupOf(world, tenant, ...users);
  const said = await Promise.all(
    Array.from({ length: 600 }, (_, i) => on(i).say(tenant, group, `u${i % 30}`, text(`${i}`), null)),
  );
  const numbers = said.map((one) => (one.kind === 'said' ? one.message.seq : null));
  assert.deepEqual(
    numbers.toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: 600 }, (_, i) => i + 1),
  );
  const log = (await readLog(world.db, tenant)).filter(({ event_type }) => event_type === 'chat.created');
  const logged = log.map(({ data }) => (data as { message: ChatMessage }).message.seq);
  assert.deepEqual(
    logged,
    Array.from({ length: 600 }, (_, i) => i + 1),
  );
});

test('two first messages in a direct conversation that both begin at once', async () => {
  const tenant = await world.tenant();
  const both = await Promise.all(
    ['a', 'b'].map(async (user, i) => {
      const asked = { type: 'direct', participants: people('a', 'b') } as const;
      const { conversation } = await on(i).create(tenant, user, asked);
      return on(i).say(tenant, conversation.id, user, text(`from ${user}`), null);
    }),
  );
  const messages = both.map((one) => (one.kind === 'said' ? one.message : null));
  assert.equal(messages[0]?.conversation_id, messages[1]?.conversation_id);
  assert.deepEqual(messages.map((one) => one?.seq).sort(), [1, 2]);
});

test('who joins while others write sees exactly what he has not read', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a', 'b');
  const joiners = Array.from({ length: 12 }, (_, i) => `j${i}`);
  await Promise.all([
    ...Array.from({ length: 200 }, (_, i) => on(i).say(tenant, group, i % 2 ? 'a' : 'b', text(`${i}`), null)),
    ...joiners.map((user, i) => on(i).addParticipants(tenant, null, group, people(user))),
  ]);
  const events = {
    name: 'test_seen',
    text: `
      select p.user_id, p.read_seq, coalesce(min((e.data -> 'message' ->> 'seq')::int), 201) - 1 as before, count(e.id)::int as n
      from participants p left join events e on e.tenant_id = p.tenant_id and e.conversation_id = p.conversation_id
        and e.type = 'chat.created' and e.xid >= p.joined_xid
      where p.tenant_id = $1 and p.user_id like 'j%' group by 1, 2`,
  };
  const rows = await world.db.query<{ read_seq: number; before: number; n: number }>(events, [tenant]);
  assert.equal(rows.length, joiners.length);
  for (const { read_seq, before, n } of rows) assert.deepEqual([read_seq, n], [before, 200 - before]);
});

test('of an edit and a deletion at once the message ends deleted, whoever comes first', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  for (let round = 0; round < 15; round++) {
    const { id } = await say(world, tenant, group, 'a', 'x');
    await Promise.all([
      on(0).edit(tenant, 'a', id, { content: 'y', mentions: [] }).catch(expectDeleted),
      on(1).remove(tenant, 'a', id),
      on(2).react(tenant, 'a', id, '👍').catch(expectDeleted),
    ]);
    const left = await world.chat.message(tenant, 'a', id);
    assert.deepEqual([left.content, left.reactions, left.deleted_at !== null], [null, [], true]);
    assert.deepEqual(await world.chat.listEdits(tenant, 'a', id), []);
    const last = (await readLog(world.db, tenant)).at(-1);
    assert.deepEqual([last?.event_type, last?.data], ['chat.deleted', { message: left }]);
  }
});

function expectDeleted(error: unknown): void {
  assert.equal(error instanceof AldisError && error.code, 'message_deleted');
}

test('nobody speaks after the end, nor after he has left', async () => {
  const tenant = await world.tenant();
  for (let round = 0; round < 5; round++) {
    const group = await groupOf(world, tenant, 'a', 'b');
    const speaking = Array.from({ length: 40 }, (_, i) => on(i).say(tenant, group, i % 2 ? 'a' : 'b', text('x'), null));
    const ending = [
      on(1).removeParticipant(tenant, 'b', group, 'b'),
      on(2).change(tenant, 'a', group, { closed: true }),
    ];
    const spoken = await Promise.allSettled([...ending, ...speaking]);
    const codes = spoken.flatMap((one) => (one.status === 'rejected' ? [(one.reason as AldisError).code] : []));
    for (const code of codes) assert.ok(code === 'not_participant' || code === 'conversation_closed', String(code));
    const log = (await readLog(world.db, tenant)).filter(({ conversation_id }) => conversation_id === group);
    const authors = (from: string) =>
      log
        .slice(log.findIndex(({ event_type }) => event_type === from))
        .flatMap(({ event_type, data }) =>
          event_type === 'chat.created' ? [(data as { message: ChatMessage }).message.user_id] : [],
        );
    assert.deepEqual(authors('conversation.closed'), []);
    assert.ok(!authors('participant.left').includes('b'));
  }
});

test('one key on three instances is one message', async () => {
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  const key = { key: 'k', hash: Buffer.alloc(32, 7) };
  const said = await Promise.all(instances.map((chat) => chat.say(tenant, group, 'a', text('once'), key)));
  assert.equal(new Set(said.map((one) => one.kind === 'said' && one.message.id)).size, 1);
  assert.equal(said.filter((one) => one.kind === 'said' && !one.replayed).length, 1);
});

test('a whole group reacts and leaves at once: each change is begun once, and holds one connection', async () => {
  const tenant = await world.tenant();
  const users = Array.from({ length: 60 }, (_, i) => `u${i}`);
  const group = await groupOf(world, tenant, 'a', ...users);
  const { id } = await say(world, tenant, group, 'a', 'react!');
  const [pool] = pools;
  assert.ok(pool);
  let begun = 0;
  let most = 0;
  const counted: typeof pool = {
    ...pool,
    transaction(work) {
      begun++;
      most = Math.max(most, pool.usage.total - pool.usage.idle);
      return pool.transaction(work);
    },
  };
  const chat = buildChat({ db: counted, signals: world.signals });
  await Promise.all(users.map((user) => chat.react(tenant, user, id, '👍')));
  assert.equal((await world.chat.message(tenant, null, id)).reactions.length, users.length);
  assert.equal(begun, users.length);
  await Promise.all(users.map((user) => chat.removeParticipant(tenant, user, group, user)));
  assert.equal(begun, 2 * users.length);
  assert.ok(most <= 1, `${most} connections were held`);
  const left = await world.chat.participants(tenant, null, group);
  assert.deepEqual(
    left.map(({ user_id }) => user_id),
    ['a'],
  );
});
