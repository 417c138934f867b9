import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAcceptor, lookUp, newPlan } from '../../src/actions/accept-messages.ts';
import { type MediaId, newId } from '../../src/domain/ids.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { insertAcceptedMessages } from '../../src/store/accept.write.ts';
import { findConversation } from '../../src/store/contacts.read.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());

/** Several instances that accept at once. */
const instances = () =>
  [0, 1, 2, 3].map((slot) => createAcceptor({ db: world.db, signals: memorySignals(), slot: slot * 6 }));

test('one name that instances give at the same moment to several conversations is of one of them', async () => {
  const { tenant, message } = await world.tenant();
  for (let round = 0; round < 5; round++) {
    const conversation_name = `talk ${round}`;
    const accepted = await Promise.all(
      instances().map(({ accept }) => accept(tenant, message({ conversation_name }), null)),
    );
    const made = accepted.map((one) => (one.kind === 'accepted' ? one.message.conversation_id : one.kind));
    assert.equal(new Set(made).size, 4);
    const named = await findConversation(world.db, tenant, conversation_name);
    assert.ok(named && made.includes(named.id));
  }
});

test('several names for one conversation in one commit: it is called by one, and the others are free', async () => {
  const { tenant, message } = await world.tenant();
  const address = newPhone();
  const names = ['a', 'b', 'c'];
  const [acceptor] = instances();
  assert(acceptor);
  const accepted = await Promise.all(
    names.map((conversation_name) => acceptor.accept(tenant, message({ address, conversation_name }), null)),
  );
  assert.equal(new Set(accepted.map((one) => one.kind === 'accepted' && one.message.conversation_id)).size, 1);
  const found = await Promise.all(names.map((name) => findConversation(world.db, tenant, name)));
  assert.equal(found.filter((one) => one !== null).length, 1);
  assert.equal(found.find((one) => one !== null)?.address, address);
});

test('two tenants may use the same name', async () => {
  const [one, other] = [await world.tenant(), await world.tenant()];
  const ids = new Set<string | undefined>();
  for (const { tenant, accept } of [one, other]) {
    await accept({ conversation_name: 'shared' });
    ids.add((await findConversation(world.db, tenant, 'shared'))?.id);
  }
  assert.equal(ids.size, 2);
});

for (const limited of [false, true]) {
  for (const withFile of [false, true]) {
    const what = `${limited ? 'within limits' : 'without limits'}, ${withFile ? 'with a file' : 'without files'}`;
    test(`a conversation that is named and spoken in by one commit is both: ${what}`, async () => {
      const { tenant, sender, message, accept } = await world.tenant();
      const [address, other] = [newPhone(), newPhone()];
      await accept({ address });
      await accept({ address: other });
      const file = newId<MediaId>();
      const interactive = { type: 'button', header: { type: 'image', image: { id: file } } };
      const asked = [
        message({ address, said: true, author_id: 'ana', ...(withFile && { content: { interactive } }) }),
        message({ address, conversation_name: 'ours' }),
        message({ address: other, conversation_name: 'theirs' }),
      ].map((one) => ({ tenant, message: one, idempotency: null }));
      const known = await lookUp(world.db, asked);
      const plan = newPlan(0, true);
      for (const [i, before] of known.entries()) {
        const request = asked[i];
        assert(request);
        plan.add(request, before, null);
      }
      if (limited) plan.write.taken = [{ tenant_id: tenant, scope_id: sender, starts_at: new Date(0), used: 3 }];
      const use = 'insert into limit_use (tenant_id, scope_id, starts_at, used, most) values ($1, $2, $3, 0, 9)';
      await world.db.query({ name: 'test_limit_use', text: use }, [tenant, sender, new Date(0)]);
      const now = await insertAcceptedMessages(world.db, plan.write);

      const read = (name: string, text: string) => world.db.query({ name, text }, [tenant]);
      const talks = 'select external_id, last_message_at from conversations where tenant_id = $1 order by id';
      assert.deepEqual(await read('test_touched', talks), [
        { external_id: 'ours', last_message_at: now },
        { external_id: 'theirs', last_message_at: null },
      ]);
      const told = `select data -> 'conversation' ->> 'external_id' as name from events
        where tenant_id = $1 and type = 'conversation.updated' order by 1`;
      assert.deepEqual(await read('test_told', told), [{ name: 'ours' }, { name: 'theirs' }]);
      const authors = 'select author_id from messages where tenant_id = $1 and author_id is not null';
      assert.deepEqual(await read('test_authors', authors), [{ author_id: 'ana' }]);
      const files = 'select media_id from media_references where tenant_id = $1';
      assert.deepEqual(await read('test_files', files), withFile ? [{ media_id: file }] : []);
      const used = 'select used::int as used from limit_use where tenant_id = $1';
      assert.deepEqual(await read('test_used', used), [{ used: limited ? 3 : 0 }]);
    });
  }
}
