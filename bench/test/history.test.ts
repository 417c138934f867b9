import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChatReading } from '../../server/src/actions/chat-reading.ts';
import type { ConversationId } from '../../server/src/domain/ids.ts';
import { assertChatSound } from '../../server/test/chat/chat-soundness.ts';
import { engineWorld } from '../../server/test/engine-world.ts';
import { historyQuestions } from '../src/history-questions.ts';
import { AGENT, fillHistory, MEMBER } from '../src/history-stock.ts';

test('what is put into conversations is what the product has in them, and there is something to ask of each kind', async () => {
  const world = await engineWorld();
  try {
    const { tenant, sender } = await world.tenant();
    const stock = await fillHistory(world.database.url, { tenant, sender }, 20_000, () => {});
    await assertChatSound(world.db);
    const [counted] = await world.db.query<Record<'said' | 'tenants' | 'orphans' | 'lost' | 'events', number>>({
      name: 'history_counts',
      text: `
select (select count(*)::int from chat_messages) + (select count(*)::int from messages where state <> 'queued') as said,
  (select count(distinct tenant_id)::int from chat_messages) as tenants,
  (select count(*)::int from messages m where not exists (
    select from conversations v join contact_identities i on i.tenant_id = v.tenant_id and i.contact_id = v.contact_id
    where v.tenant_id = m.tenant_id and v.id = m.conversation_id and v.contact_id = m.contact_id and i.value = m.address)) as orphans,
  (select count(*)::int from chat_messages c where parent_id is not null and not exists (
    select from chat_messages p where p.tenant_id = c.tenant_id and p.id = c.parent_id and p.conversation_id = c.conversation_id)) as lost,
  (select count(*)::int from events) as events`,
    });
    assert.ok(counted && counted.said >= 20_000 && counted.said < 20_100 && counted.events === counted.said);
    assert.deepEqual([counted.tenants, counted.orphans, counted.lost], [5, 0, 0]);

    const chat = createChatReading({ db: world.db });
    const agents = await chat.listConversations(tenant, AGENT, { limit: 100 });
    assert.equal(agents.conversations[0]?.conversation.id, stock.customer);
    const history = await chat.history(tenant, MEMBER, stock.group as ConversationId, { limit: 100 });
    assert.equal(history.messages.length, 100);

    const shapes = await historyQuestions(world.database.url, { tenant, sender }, stock);
    assert.ok(shapes.length > 50);
    for (const { name, paths } of shapes) assert.ok(paths.length > 0, name);
  } finally {
    await world.close();
  }
});
