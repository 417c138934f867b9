import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { beginCountedSends, findDueSends } from '../../src/actions/begin-sends.ts';
import { newId } from '../../src/domain/ids.ts';
import type { LaneClaim } from '../../src/domain/lane.ts';
import type { Pace } from '../../src/domain/schedule/pace.ts';
import { createPlaceLines } from '../../src/domain/schedule/unique-users.ts';
import { type EngineWorld, engineWorld, GRACE, type TenantWorld, takeAllLanes } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const MINUTE: Pace = { kind: 'minute', most: 3, span: 60_000 };
const UNLIMITED = { limits: new Map(), lines: createPlaceLines(Math.random) };
const BATCH: Pace = { kind: 'batch', most: 2, span: 30_000 };

const begin = ({ tenant, lane, sender }: TenantWorld, claim: LaneClaim, paces: readonly Pace[], room = 50) =>
  findDueSends(world.db, [{ lane, sender, limits: [room, room, room] }]).then((found) =>
    beginCountedSends(
      world.db,
      claim,
      { ...UNLIMITED, paced: [{ tenant, sender, paces }] },
      found.slice(0, room),
      GRACE,
    ),
  );

async function used(own: TenantWorld): Promise<Record<string, number>> {
  const text = 'select kind, used from sender_pace where tenant_id = $1 order by kind';
  const rows = await world.db.query<{ kind: string; used: number }>({ name: 'test_used', text }, [own.tenant]);
  return Object.fromEntries(rows.map((row) => [row.kind, row.used]));
}

test('no more begin than the narrowest pace lets, and each of them is counted in every window', async () => {
  const own = await world.tenant();
  for (let i = 0; i < 5; i++) await own.accept();
  const first = await begin(own, own.claim, [MINUTE, BATCH]);
  assert.equal(first.begun.length, 2);
  assert.deepEqual(await used(own), { batch: 2, minute: 2 });
  const wait = first.waits.get(own.sender);
  assert.ok(wait && wait > 29_000 && wait <= 30_000);
  const second = await begin(own, own.claim, [MINUTE, BATCH]);
  assert.equal(second.begun.length, 0);
  assert.ok((second.waits.get(own.sender) ?? 0) > 29_000);
  // Another pace sees what was used of its own kind.
  assert.equal((await begin(own, own.claim, [MINUTE])).begun.length, 1);
  assert.deepEqual(await used(own), { batch: 2, minute: 3 });
});

test('when nothing is due, or there is less room than the pace has, only what begins is counted', async () => {
  const own = await world.tenant();
  assert.deepEqual((await begin(own, own.claim, [MINUTE])).waits.get(own.sender), 0);
  assert.deepEqual(await used(own), {});
  for (let i = 0; i < 3; i++) await own.accept();
  assert.equal((await begin(own, own.claim, [MINUTE], 1)).begun.length, 1);
  assert.deepEqual(await used(own), { minute: 1 });
});

test('a new owner goes on in the window; the old one begins nothing and counts nothing', async () => {
  const own = await world.tenant();
  for (let i = 0; i < 6; i++) await own.accept();
  assert.equal((await begin(own, own.claim, [MINUTE], 2)).begun.length, 2);
  const claim = await takeAllLanes(world.db, newId());
  assert.equal((await begin(own, own.claim, [MINUTE])).begun.length, 0);
  assert.deepEqual(await used(own), { minute: 2 });
  assert.equal((await begin(own, claim, [MINUTE])).begun.length, 1);
  assert.deepEqual(await used(own), { minute: 3 });
});

test('two that begin at once never exceed the pace together', async () => {
  const own = await world.tenant();
  for (let i = 0; i < 10; i++) await own.accept();
  const taken = await Promise.all(Array.from({ length: 4 }, () => begin(own, own.claim, [MINUTE])));
  const begun = taken.flatMap((one) => one.begun.map((send) => send.message_id));
  assert.equal(begun.length, 3);
  assert.equal(new Set(begun).size, 3);
  assert.deepEqual(await used(own), { minute: 3 });
});
