import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSenderDirectory } from '../../src/access/sender-directory.ts';
import type { Queryable } from '../../src/db/pool.ts';
import { newId } from '../../src/domain/ids.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';

let world: EngineWorld;
let own: TenantWorld;
let other: TenantWorld;
before(async () => {
  world = await engineWorld();
  [own, other] = [await world.tenant(), await world.tenant()];
  // Two tenants may use one name for senders of their own.
  await world.db.script("update senders set external_id = 'outlet 7'");
});
after(() => world.close());

/** A directory at a time of our own, and how often it asked the store. */
function directory() {
  let time = 0;
  let asked = 0;
  const counting: Queryable = {
    query: (statement, values) => {
      asked++;
      return world.db.query(statement, values);
    },
    script: (sql) => world.db.script(sql),
  };
  const senders = createSenderDirectory({ db: counting, clock: { now: () => time, monotonic: () => time } });
  return {
    ...senders,
    pass(ms: number) {
      time += ms;
    },
    get asked() {
      return asked;
    },
  };
}

test('own ids, external ids and no id at all lead to a sender, each of its own tenant', async () => {
  const { resolve } = directory();
  for (const { tenant, sender } of [own, other]) {
    const found = await resolve(tenant, [sender, 'outlet 7', undefined, 'nobody', newId()]);
    assert.deepEqual(
      [...found].map(([reference, { id }]) => [reference, id]).sort(),
      [
        [sender, sender],
        ['outlet 7', sender],
        [undefined, sender],
      ].sort(),
    );
  }
  assert.equal((await resolve(other.tenant, [own.sender])).size, 0);
});

test('what was found is known without asking, for five seconds and to its tenant only', async () => {
  const senders = directory();
  assert.equal(senders.known(own.tenant, undefined), undefined);
  await senders.resolve(own.tenant, [undefined, 'outlet 7']);
  const { asked } = senders;
  assert.equal(senders.known(own.tenant, undefined)?.id, own.sender);
  assert.equal(senders.known(own.tenant, 'outlet 7')?.id, own.sender);
  assert.equal(senders.known(other.tenant, 'outlet 7'), undefined);
  await senders.resolve(own.tenant, ['outlet 7', undefined]);
  assert.equal(senders.asked, asked);
  senders.pass(5000);
  assert.equal(senders.known(own.tenant, 'outlet 7'), undefined);
});

test('many references are one question', async () => {
  const senders = directory();
  const found = await senders.resolve(own.tenant, [
    'outlet 7',
    own.sender,
    ...Array.from({ length: 50 }, () => newId<never>()),
  ]);
  assert.deepEqual([found.size, senders.asked], [2, 1]);
});

test('when senders were changed nothing of before is believed', async () => {
  const senders = directory();
  await senders.resolve(own.tenant, [undefined]);
  assert.deepEqual(
    [senders.known(own.tenant, undefined)?.enabled, senders.known(own.tenant, undefined)?.connected],
    [true, null],
  );
  await world.db.script(`update senders set enabled = false, connected = false where id = '${own.sender}'`);
  assert.equal(senders.known(own.tenant, undefined)?.enabled, true);
  senders.forget();
  assert.equal(senders.known(own.tenant, undefined), undefined);
  const found = (await senders.resolve(own.tenant, [undefined])).get(undefined);
  assert.deepEqual([found?.enabled, found?.connected], [false, false]);
});
