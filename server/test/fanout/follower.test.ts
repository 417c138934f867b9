import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { type HeldTenant, letTenantGo } from '../../src/actions/follow-events.ts';
import { type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { createFollower } from '../../src/fanout/follower.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type EngineWorld, engineWorld } from '../engine-world.ts';
import { until } from '../until.ts';

let world: EngineWorld;
let consumers = 0;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());

interface Pass {
  instance: InstanceId;
  held: HeldTenant;
  ending: AbortSignal;
  end(): void;
}

/** Followers of one consumer whose passes last until they are ended. */
function scene(t: TestContext) {
  const consumer = `test${++consumers}`;
  const passes: Pass[] = [];
  return {
    passes,
    async follow(lease: number): Promise<InstanceId> {
      const instance = newId<InstanceId>();
      const follower = createFollower({
        ...world,
        clock: systemClock,
        instance,
        consumer,
        alone: false,
        adopts: true,
        together: 2,
        pollInterval: 10,
        lease,
        async pass(held, ending) {
          const { promise, resolve } = Promise.withResolvers<void>();
          passes.push({ instance, held, ending, end: resolve });
          ending.addEventListener('abort', () => resolve());
          await promise;
          await letTenantGo(world.db, held.tenant_id, consumer, instance, { place: held, rest: 60_000 });
          return null;
        },
        failed() {},
      });
      t.after(() => follower.stop());
      await follower.start();
      return instance;
    },
    /** Changes who holds a tenant. @returns 1, or 0 when it is not followed. */
    async set(what: string, tenant: TenantId): Promise<number> {
      const text = `update event_consumers set ${what} where consumer = $1 and tenant_id = $2 returning 1 as yes`;
      return (await world.db.query({ name: `test_set_${what.length}`, text }, [consumer, tenant])).length;
    },
    /** Milliseconds since 1970. */
    async heldUntil(): Promise<number> {
      const [row] = await world.db.query<{ held_until: Date }>(
        {
          name: 'test_held_until',
          text: 'select held_until from event_consumers where consumer = $1 and held_by is not null',
        },
        [consumer],
      );
      return row?.held_until.getTime() ?? 0;
    },
  };
}

test('a pass that takes longer than the lease is held on: no other instance takes the tenant', async (t) => {
  const one = scene(t);
  const own = await world.tenant();
  const first = await one.follow(2000);
  await own.accept();
  await until('it is under way', () => one.passes.length === 1);
  await one.follow(2000);
  const end = await one.heldUntil();
  await until('it would be over, had it not been held on', async () => (await one.heldUntil()) > end + 2000);
  assert.deepEqual(
    one.passes.map(({ instance }) => instance),
    [first],
  );
  assert.equal(one.passes[0]?.ending.aborted, false);
});

test('a pass whose tenant another instance has taken is told to end', async (t) => {
  const one = scene(t);
  const own = await world.tenant();
  await one.follow(300);
  await own.accept();
  await until('it is under way', () => one.passes.length === 1);
  await one.set(`held_by = '${newId()}', held_until = now() + interval '1 minute'`, own.tenant);
  await until('it is told', () => one.passes[0]?.ending.aborted === true);
});

test('what was held before the clock of the database was set back is not waited for', async (t) => {
  const one = scene(t);
  const own = await world.tenant();
  await one.follow(1000);
  await until('it is followed', async () => (await one.set(`held_by = '${newId()}'`, own.tenant)) === 1);
  await one.set(`held_until = now() + interval '1 minute'`, own.tenant);
  await own.accept();
  const began = performance.now();
  await until('it waits', () => performance.now() - began > 300);
  assert.equal(one.passes.length, 0);
  // As it stands there after a clock that was three days ahead.
  await one.set(`held_until = now() + interval '3 days'`, own.tenant);
  await until('it goes on', () => one.passes.length === 1);
});
