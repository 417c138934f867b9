import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createCustomerReads } from '../../src/actions/mark-read.ts';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { openPool } from '../../src/db/pool.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

/* Who opens a conversation with a customer reads all that he wrote there, at once. */

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
after(async () => {
  try {
    await assertSound(world.db);
  } finally {
    await world.close();
  }
});

test('many of a customer’s messages are marked as read at once: none loses, and each is begun once', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const said = Array.from({ length: 100 }, (_, i) => ({
    ...{ tenant: own.tenant, sender: own.sender, wamid: `wamid.reads.${i}`, type: 'text', at: Date.now(), phone },
    ...{ userId: null, name: null, content: { text: `${i}` }, replyTo: null },
  }));
  const received = await receiveMessages(world.db, world.signals, said, 0);
  const pool = openPool({ connection: world.database.url, max: 10, onError: () => {} });
  let begun = 0;
  const counted: typeof pool = {
    ...pool,
    query(statement, values) {
      begun++;
      return pool.query(statement, values);
    },
  };
  try {
    const { markRead } = createCustomerReads({ db: counted, signals: world.signals });
    const read = await Promise.all(received.map((one) => markRead(own.tenant, one?.message ?? assert.fail())));
    assert.deepEqual([...new Set(read)], ['read']);
    assert.equal(begun, received.length);
  } finally {
    await pool.close();
  }
  const unread = { name: 'test_unread', text: 'select unread_count from conversations where tenant_id = $1' };
  assert.deepEqual(await world.db.query(unread, [own.tenant]), [{ unread_count: 0 }]);
});
