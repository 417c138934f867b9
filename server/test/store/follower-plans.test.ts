import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { beginFollowing } from '../../src/actions/follow-events.ts';
import type { Queryable } from '../../src/db/pool.ts';
import { type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { holdNamedConsumers, listFollowed } from '../../src/store/event-consumers.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { logReadable } from '../readable-log.ts';
import { assertCheap } from './cheap-plans.ts';

/* Who follows the log looks at the tenants of which signals came, however many others there are. */

const IDLE = 3000;
let world: EngineWorld;
let own: TenantWorld;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  await world.db.query(
    {
      name: 'test_idle_tenants',
      text: `insert into tenants (id, name) select gen_random_uuid(), 'idle ' || g from generate_series(1, $1::int) g`,
    },
    [IDLE],
  );
  await beginFollowing(world.db, 'test');
  await world.db.script('analyze tenants; analyze event_consumers');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

test('one tenant is looked at, and held when it has something new, at the same cost among three thousand idle ones', async () => {
  const instance = newId<InstanceId>();
  const terms = { lease: 60_000, limit: 10 };
  const hold = (tx: Queryable, ...tenants: TenantId[]) => holdNamedConsumers(tx, 'test', instance, terms, tenants);
  const stranger = newId<TenantId>();
  await cheap(2, (tx) => hold(tx, own.tenant));
  assert.deepEqual(await hold(world.db, own.tenant, stranger), []);
  await cheap(2, (tx) => listFollowed(tx, 'test', [own.tenant, stranger]));
  assert.deepEqual(await listFollowed(world.db, 'test', [own.tenant, stranger]), new Set([own.tenant]));
  await own.accept();
  await logReadable(world.db);
  // It is run for its plan, and holds.
  await cheap(2, (tx) => hold(tx, own.tenant));
  assert.deepEqual(await hold(world.db, own.tenant), []);
  await world.db.script('update event_consumers set held_until = null');
  const held = await hold(world.db, own.tenant, stranger);
  assert.deepEqual(
    held.map(({ tenant_id }) => tenant_id),
    [own.tenant],
  );
});
