import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineWorld } from '../../server/test/engine-world.ts';
import { openStock } from '../src/stock.ts';

test('what is put into the store is what the product has in it: it is begun and settled', async () => {
  const world = await engineWorld();
  try {
    const own = await world.tenant();
    await using stock = await openStock(world.database.url, { stored: 100, waiting: 20 }, () => {});
    await stock.storeUpTo(60);
    await stock.storeUpTo(100);
    await stock.waitUpTo(20);
    const [counted] = await world.db.query<Record<'read' | 'answered' | 'wamids' | 'people', number>>({
      name: 'stock_counts',
      text: `
select (select count(*)::int from messages where state = 'read') as read, (select count(answered_at)::int from messages) as answered,
  (select count(*)::int from wamids) as wamids,
  (select count(distinct m.id)::int from messages m
   join conversations v on v.tenant_id = m.tenant_id and v.id = m.conversation_id and v.sender_id = m.sender_id
   join contact_identities i on i.tenant_id = m.tenant_id and i.value = m.address and i.contact_id = m.contact_id
   join contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id) as people`,
    });
    assert.deepEqual(counted, { read: 100, answered: 100, wamids: 100, people: 120 });
    const begun = await own.begin();
    assert.equal(begun.length, 20);
    assert.equal(new Set(begun.map(({ conversation_id }) => conversation_id)).size, 20);
    const settled = await Promise.all(
      begun.map((send) => own.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` })),
    );
    assert.ok(settled.every(({ changed }) => changed));
    assert.ok((await stock.size()) > 1_000_000);
  } finally {
    await world.close();
  }
});
