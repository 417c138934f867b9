import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import { memorySignals } from '../../src/signals/signals.ts';
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
