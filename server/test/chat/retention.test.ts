import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pruneChat } from '../../src/actions/prune-chat.ts';
import type { ChatMessage } from '../../src/domain/chat.ts';
import { type ConversationId, firstIdAt, type TenantId } from '../../src/domain/ids.ts';
import { assertRefused, type ChatWorld, chatWorld, groupOf, say } from './chat-world.ts';

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
after(() => world.close());

const DAY = 86_400_000;
const going = new AbortController().signal;

/** Lets a message be so many days old: its id tells its time as well. */
async function age(message: ChatMessage, days: number): Promise<void> {
  const id = firstIdAt(Date.parse(message.created_at) - days * DAY).slice(0, 23) + message.id.slice(23);
  const text = `
    with e as (update chat_edits set message_id = $2 where message_id = $1)
    update chat_messages set id = $2, created_at = created_at - $3 * interval '1 day' where id = $1`;
  await world.db.query({ name: 'test_age', text }, [message.id, id, days]);
}

async function keepDays(tenant: TenantId, days: number | null): Promise<void> {
  await world.db.query({ name: 'test_keep', text: 'update tenants set retention_days = $2 where id = $1' }, [
    tenant,
    days,
  ]);
}

const kept = async (tenant: TenantId, conversation: ConversationId) =>
  (await world.chat.history(tenant, null, conversation, { limit: 100 })).messages
    .map(({ content }) => content)
    .toReversed();

test('messages are kept as long as their conversation says, or else their tenant', async () => {
  const { chat } = world;
  const [keeping, forgetting] = [await world.tenant(), await world.tenant()];
  await keepDays(forgetting, 10);
  const made = async (tenant: TenantId, days: number | null) => {
    const group = await groupOf(world, tenant, 'a', 'b');
    if (days !== null) await chat.change(tenant, null, group, { retention_days: days });
    for (const old of [40, 20, 11, 9, 5, 0]) await age(await say(world, tenant, group, 'a', `${old}`), old);
    return group;
  };
  const [forEver, own] = [await made(keeping, null), await made(keeping, 30)];
  const [tenants, longer, shorter] = [
    await made(forgetting, null),
    await made(forgetting, 30),
    await made(forgetting, 7),
  ];
  assert.equal(await pruneChat(world.db, going), 1 + 3 + 1 + 4);
  assert.deepEqual(await kept(keeping, forEver), ['40', '20', '11', '9', '5', '0']);
  assert.deepEqual(await kept(keeping, own), ['20', '11', '9', '5', '0']);
  assert.deepEqual(await kept(forgetting, tenants), ['9', '5', '0']);
  assert.deepEqual(await kept(forgetting, longer), ['20', '11', '9', '5', '0']);
  assert.deepEqual(await kept(forgetting, shorter), ['5', '0']);
  assert.equal((await chat.conversation(forgetting, 'b', shorter)).unread_count, 2, 'what is gone is not unread');
  assert.equal((await say(world, forgetting, shorter, 'a', 'on')).seq, 7, 'numbers go on');
  assert.equal(await pruneChat(world.db, going), 0);
});

test('what a message said before goes with it', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  await keepDays(tenant, 1);
  const group = await groupOf(world, tenant, 'a');
  const message = await say(world, tenant, group, 'a', 'secret');
  await chat.edit(tenant, 'a', message.id, { content: 'x', mentions: [] });
  await age(message, 2);
  assert.equal(await pruneChat(db, going), 1);
  assert.deepEqual(
    await db.query({ name: 'test_left', text: 'select 1 from chat_edits where tenant_id = $1' }, [tenant]),
    [],
  );
  await assertRefused('invalid_cursor', chat.history(tenant, 'a', group, { before_id: message.id, limit: 1 }));
});

test('many go in small steps, also while others write', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const group = await groupOf(world, tenant, 'a');
  await chat.change(tenant, null, group, { retention_days: 1 });
  await Promise.all(Array.from({ length: 1300 }, () => say(world, tenant, group, 'a', 'old')));
  const text = `update chat_messages set created_at = created_at - interval '2 days' where conversation_id = $1`;
  await db.query({ name: 'test_old', text }, [group]);
  const [gone, ...said] = await Promise.all([
    pruneChat(db, going),
    ...Array.from({ length: 50 }, () => say(world, tenant, group, 'a', 'new')),
  ]);
  assert.equal(gone, 1300);
  assert.deepEqual(
    await kept(tenant, group),
    said.map(() => 'new'),
  );
  const stopped = new AbortController();
  stopped.abort();
  assert.equal(await pruneChat(db, stopped.signal), 0);
});

test('what one wrote himself before it was forgotten hides nothing that he has not read', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const [own, tenants] = [await groupOf(world, tenant, 'a', 'b'), await groupOf(world, tenant, 'a', 'b')];
  await chat.change(tenant, null, own, { retention_days: 1 });
  const old = {
    name: 'test_older',
    text: `update chat_messages set created_at = created_at - interval '2 days' where id = $1`,
  };
  for (const group of [own, tenants]) {
    const early = [await say(world, tenant, group, 'a', 'one'), await say(world, tenant, group, 'b', 'two')];
    if (group === own) for (const { id } of early) await db.query(old, [id]);
    else for (const message of early) await age(message, 2);
    for (const content of ['three', 'four']) await say(world, tenant, group, 'a', content);
    await say(world, tenant, group, 'b', 'five');
  }
  await keepDays(tenant, 1);
  assert.equal(await pruneChat(db, going), 4);
  for (const group of [own, tenants]) {
    assert.equal((await chat.conversation(tenant, 'b', group)).unread_count, 2);
    assert.equal((await chat.conversation(tenant, 'a', group)).unread_count, 1);
    const { messages } = await chat.history(tenant, 'b', group, { limit: 10 });
    await chat.markRead(tenant, [{ user: 'b', message: messages.at(-1)?.id ?? '' }]);
    assert.equal((await chat.conversation(tenant, 'b', group)).unread_count, 1);
  }
});

test('unread counts hold while some read, some write and what is old is forgotten', async () => {
  const { chat, db } = world;
  const tenant = await world.tenant();
  const users = ['a', 'b', 'c'];
  const group = await groupOf(world, tenant, ...users);
  await chat.change(tenant, null, group, { retention_days: 1 });
  const aging = {
    name: 'test_aging',
    text: `update chat_messages set created_at = created_at - interval '2 days' where conversation_id = $1 and seq <= $2`,
  };
  for (let round = 1; round <= 6; round++) {
    const said = await Promise.all(
      Array.from({ length: 9 }, (_, i) => say(world, tenant, group, users[i % 3] ?? '', 'x')),
    );
    await db.query(aging, [group, round * 9 - 4]);
    await Promise.all([
      pruneChat(db, going),
      // Of the three one never reads.
      ...said.map(({ id }, i) => i % 4 === 0 && chat.markRead(tenant, [{ user: i === 8 ? 'a' : 'b', message: id }])),
      say(world, tenant, group, users[round % 3] ?? '', 'y').then(({ id }) =>
        chat.remove(tenant, users[round % 3] ?? '', id),
      ),
    ]);
  }
  const unread = {
    name: 'test_unread',
    text: `
      select p.user_id, (select count(*)::int from chat_messages c where c.tenant_id = p.tenant_id
        and c.conversation_id = p.conversation_id and c.user_id <> p.user_id and c.seq > p.read_seq) as unread
      from participants p where p.tenant_id = $1`,
  };
  for (const { user_id, unread: left } of await db.query<{ user_id: string; unread: number }>(unread, [tenant])) {
    assert.equal((await chat.conversation(tenant, user_id, group)).unread_count, left, user_id);
  }
});
