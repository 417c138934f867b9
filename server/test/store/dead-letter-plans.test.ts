import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import { newId } from '../../src/domain/ids.ts';
import { findDeadLetterGroups, walkDeadLetters } from '../../src/store/dead-letters.read.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { findRedrive, findRedriveWait, listRedrives } from '../../src/store/redrives.read.ts';
import { countOpenRedrives, forgetRedrives, holdDueRedrive, holdPlaces } from '../../src/store/redrives.write.ts';
import { requeueFailed } from '../../src/store/requeue.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* Failed messages are found and sent again by indexes, however many there are. */

const MANY = 20_000;
let world: EngineWorld;
let own: TenantWorld;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  // Every tenth has failed, for one of three reasons; as many of another tenant.
  await world.db.query(
    {
      name: 'test_many',
      text: `
      with m as (
        insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
          priority, address, created_at, failed_at, error)
        select t, gen_random_uuid(), $2, $2, $2, 'outbound', (case when g % 10 = 0 then 'failed' else 'queued' end)::message_state,
          'queued', 'text', 'service', 1, '+1', now(), case when g % 10 = 0 then now() end,
          case when g % 10 = 0 then jsonb_build_object('error', 'send_failed', 'code', 131000 + g % 30 / 10) end
        from generate_series(1, $3) g, unnest(array[$1::uuid, gen_random_uuid()]) t
        returning tenant_id, id, sender_id, state, error
      )
      insert into dead_letters select tenant_id, id, sender_id, null, 'send_failed', (error ->> 'code')::int, false, now()
      from m where state = 'failed'`,
    },
    [own.tenant, own.sender, MANY],
  );
  await world.db.query(
    {
      name: 'test_redrives',
      text: `
      insert into redrives (tenant_id, id, key_id, filter, per_second, include_uncertain, state, ended_at)
      select $1, gen_random_uuid(), gen_random_uuid(), '{}', 1, false, 'done', now() from generate_series(1, $2)`,
    },
    [own.tenant, MANY],
  );
  await world.db.script('analyze messages, dead_letters, redrives');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);
const later = new Date(Date.now() + 60_000);

test('reasons are counted in the index, and no message but the newest of each is looked at', async () => {
  await cheap(2 * (MANY / 10), (tx) => findDeadLetterGroups(tx, own.tenant, {}));
  const groups = await findDeadLetterGroups(world.db, own.tenant, {});
  assert.deepEqual(
    groups.map(({ count }) => count).reduce((sum, n) => sum + n, 0),
    MANY / 10,
  );
  await cheap(MANY / 10, (tx) => findDeadLetterGroups(tx, own.tenant, { error: 'send_failed', error_code: 131001 }));
});

test('failed messages are walked from a place on', async () => {
  await cheap(60, (tx) => walkDeadLetters(tx, own.tenant, {}, null, later, 50));
  const reason = { error: 'send_failed', error_code: 131001 };
  await cheap(60, (tx) => walkDeadLetters(tx, own.tenant, reason, null, later, 50));
  await cheap(60, (tx) => listMessages(tx, own.tenant, reason, null, 50));
  await cheap(200, (tx) => listMessages(tx, own.tenant, { error_code: 131001 }, null, 50));
});

test('a message is made due again, and a redrive found, by its key', async () => {
  const [letter] = await walkDeadLetters(world.db, own.tenant, {}, null, later, 1);
  assert.ok(letter);
  const id = letter.message_id;
  await cheap(10, (tx) => holdPlaces(tx, own.tenant, [id]));
  await cheap(10, (tx) => requeueFailed(tx, own.tenant, [{ id, event: newId() }], -1, false));
  await cheap(10, (tx) => holdDueRedrive(tx));
  await cheap(10, (tx) => findRedriveWait(tx));
  await cheap(10, (tx) => findRedrive(tx, own.tenant, id));
  await cheap(60, (tx) => listRedrives(tx, own.tenant, null, 50));
  await cheap(10, (tx) => countOpenRedrives(tx, own.tenant));
  await cheap(10, (tx) => forgetRedrives(tx, 60_000, 10));
});
