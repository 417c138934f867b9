import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConversationId } from '../../src/domain/ids.ts';
import { assertChatSound } from './chat-soundness.ts';
import { type ChatWorld, chatWorld, groupOf, people, say } from './chat-world.ts';

/* Where a conversation stands in the lists of those who are in it moves with it, however it is changed. */

let world: ChatWorld;
before(async () => {
  world = await chatWorld();
});
after(() => world.close());

test('what is said, closed and opened moves to the place it belongs, and so do those who come and go', async () => {
  const tenant = await world.tenant();
  const { chat, db } = world;
  const open = async (user: string, isOpen: boolean): Promise<[ConversationId, number][]> => {
    const { conversations } = await chat.listConversations(tenant, user, { open: isOpen, limit: 10 });
    return conversations.map(({ conversation, participant_count }) => [conversation.id, participant_count]);
  };
  const first = await groupOf(world, tenant, 'ann', 'ben');
  const second = await groupOf(world, tenant, 'ann', 'ben', 'cid');
  assert.deepEqual(await open('ann', true), [
    [second, 3],
    [first, 2],
  ]);
  await say(world, tenant, first, 'ben', 'hello');
  assert.deepEqual(await open('ann', true), [
    [first, 2],
    [second, 3],
  ]);
  await assertChatSound(db);

  // As if it had been said long ago, on both: the next message is the first of its two minutes.
  await db.script(`update conversations set last_message_at = last_message_at - interval '3 days', created_at = created_at - interval '4 days'
    where id = '${first}'`);
  await assertChatSound(db);
  assert.deepEqual((await open('ben', true))[1], [first, 2]);
  await say(world, tenant, first, 'ann', 'still there?');
  assert.deepEqual((await open('ben', true))[0], [first, 2]);

  await chat.change(tenant, 'ann', first, { closed: true });
  assert.deepEqual([await open('ben', true), await open('ben', false)], [[[second, 3]], [[first, 2]]]);
  await chat.change(tenant, 'ann', first, { closed: false });
  await chat.removeParticipant(tenant, 'ben', second, 'ben');
  assert.deepEqual([await open('ben', true), await open('ben', false)], [[[first, 2]], []]);
  await say(world, tenant, second, 'cid', 'he is gone');
  await chat.addParticipants(tenant, 'ann', second, people('ben', 'dan'));
  assert.deepEqual(await open('ben', true), [
    [second, 4],
    [first, 2],
  ]);
  await assertChatSound(db);
});
