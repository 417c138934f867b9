import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMessageWaits } from '../../src/http/message-waits.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';

let world: EngineWorld;
let tenant: TenantWorld;
before(async () => {
  world = await engineWorld();
  tenant = await world.tenant();
});
after(() => world.close());

const never = new AbortController().signal;

test('as many as may wait; one more is not kept waiting', async () => {
  const warn = () => {};
  const waits = createMessageWaits({ ...world, logger: { warn }, most: 2 });
  const id = await tenant.accept();
  const waiting = [1, 2].map(() => waits.untilSettled(tenant.tenant, id, 60_000, never));
  assert.equal(await waits.untilSettled(tenant.tenant, id, 60_000, never), null);
  waits.stop();
  assert.deepEqual(await Promise.all(waiting), [null, null]);
  assert.equal(await waits.untilSettled(tenant.tenant, id, 60_000, never), null);
});

test('many that are settled together are looked up together', async () => {
  let questions = 0;
  const counting = {
    ...world.db,
    query: ((statement, values) => {
      questions++;
      return world.db.query(statement, values);
    }) as typeof world.db.query,
  };
  const waits = createMessageWaits({ db: counting, signals: world.signals, logger: { warn: () => {} } });
  const ids = await Promise.all(Array.from({ length: 100 }, () => tenant.accept()));
  const waiting = ids.map((id) => waits.untilSettled(tenant.tenant, id, 60_000, never));
  for (const send of await tenant.begin())
    void tenant.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` });
  const settled = await Promise.all(waiting);
  assert.deepEqual(
    settled.map((message) => [message?.id, message?.state, message?.wamid]),
    ids.map((id) => [id, 'sent', `wamid.${id}`]),
  );
  assert.ok(questions < 30, `${questions} questions for 100 messages`);
  waits.stop();
});

test('a look that fails is made again', async () => {
  const warned: string[] = [];
  let failing = true;
  const faulty = {
    ...world.db,
    query: ((statement, values) => {
      if (!failing) return world.db.query(statement, values);
      failing = false;
      return Promise.reject(new Error('no database'));
    }) as typeof world.db.query,
  };
  const log = (_about: unknown, text?: string) => void warned.push(text ?? '');
  const waits = createMessageWaits({ db: faulty, signals: world.signals, logger: { warn: log } });
  const send = await tenant.sending();
  const waiting = waits.untilSettled(tenant.tenant, send.message_id, 60_000, never);
  await tenant.settle(send, { kind: 'sent', wamid: 'wamid.again' });
  assert.equal((await waiting)?.state, 'sent');
  assert.deepEqual(warned, ['looking for messages that are waited for failed']);
  waits.stop();
});
