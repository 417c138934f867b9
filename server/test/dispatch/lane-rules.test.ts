import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findDueSends } from '../../src/actions/begin-sends.ts';
import { type QuietLook, releaseQuietHours } from '../../src/actions/lane-rules.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { createLaneRules } from '../../src/dispatch/lane-rules.ts';
import type { Candidate } from '../../src/domain/schedule/schedule.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';

let world: EngineWorld;
const metrics = createMetrics({ version: 'test', node: false });

before(async () => {
  world = await engineWorld();
});
after(() => world.close());

const rules = () => createLaneRules({ db: world.db, signals: world.signals, metrics, reserve: 0.1 });

const write = (text: string, ...values: unknown[]) =>
  world.db.query({ name: `test_${text.slice(0, 20)}`, text }, values);

const NIGHT = { marketing: { from: '21:00', to: '08:00' } };
/** 22:00 in Jakarta, 16:00 in Berlin. */
const EVENING = Date.parse('2026-11-21T15:00:00Z');

const setQuiet = ({ tenant }: TenantWorld, hours: object) =>
  write('update tenants set quiet_hours = $2::jsonb where id = $1', tenant, JSON.stringify(hours));

async function candidates(own: TenantWorld): Promise<Candidate[]> {
  return findDueSends(world.db, [{ lane: own.lane, sender: own.sender, limits: [10, 10, 10] }]);
}

test('quiet hours of tenants are read with their lanes, and gone when they are taken away', async () => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  await setQuiet(own, NIGHT);
  await own.accept({ category: 'marketing' });
  await own.accept({ category: 'utility' });
  await other.accept({ category: 'marketing' });
  const lanes = rules();
  const both = { ...own.claim, lanes: [own.lane, other.lane], epochs: [...own.claim.epochs, ...other.claim.epochs] };
  await lanes.refresh(both);
  const held = (await candidates(own)).map((one) => [one.category, lanes.hold(one, EVENING)?.cause]);
  assert.deepEqual(held.sort(), [
    ['marketing', 'quiet_hours'],
    ['utility', undefined],
  ]);
  assert.deepEqual(
    (await candidates(other)).map((one) => lanes.hold(one, EVENING)),
    [null],
  );
  await setQuiet(own, {});
  await lanes.refresh(both);
  assert.ok((await candidates(own)).every((one) => lanes.hold(one, EVENING) === null));
});

test("a contact's own time zone is read once, and only for those whom quiet hours concern", async () => {
  const own = await world.tenant();
  await setQuiet(own, NIGHT);
  const zones = { [newPhone()]: 'Europe/Berlin', [newPhone()]: 'Mars/Base', [newPhone()]: null };
  for (const [address, zone] of Object.entries(zones)) {
    await own.accept({ address, category: 'marketing' });
    if (zone === null) continue;
    await write(
      `update contacts c set attributes = jsonb_build_object('timezone', $3::text) from contact_identities i
       where i.tenant_id = $1 and i.value = $2 and c.tenant_id = $1 and c.id = i.contact_id`,
      own.tenant,
      address,
      zone,
    );
  }
  await own.accept({ category: 'service' });
  const lanes = rules();
  const found = await candidates(own);
  assert.equal(lanes.learn(found), undefined, 'nothing is asked while nobody has quiet hours');
  await lanes.refresh(own.claim);
  await lanes.learn(found);
  const held = new Map(found.map((one) => [one.address, lanes.hold(one, EVENING)?.cause ?? null]));
  assert.deepEqual(
    Object.keys(zones).map((address) => held.get(address)),
    [null, 'quiet_hours', 'quiet_hours'],
  );
  assert.equal(lanes.learn(found), undefined, 'what is known is not asked again');
});

test('limits of lanes are read with what is kept, and shown by portfolio', async () => {
  const own = await world.tenant();
  const account = String(200_000 + own.lane);
  await write('update senders set account_id = $2 where tenant_id = $1', own.tenant, account);
  const made = `insert into accounts (tenant_id, id, app_id, access_token_sealed, messaging_limit) values ($1, $2, 'default', '', $3)`;
  await write(made, own.tenant, account, 'TIER_250');
  const lanes = rules();
  assert.equal(lanes.limits.size, 0);
  await lanes.refresh(own.claim);
  assert.deepEqual(
    [...lanes.limits],
    [[own.lane, { most: 250, reserved: 25, portfolio: own.phoneNumberId, users: 0 }]],
  );
  const text = await metrics.render();
  assert.ok(text.includes(`aldis_messaging_limit{portfolio="${own.phoneNumberId}"} 250`), text);
  assert.ok(text.includes(`aldis_messaging_limit_used{portfolio="${own.phoneNumberId}"} 0`));
  await lanes.refresh({ ...own.claim, lanes: [], epochs: [] });
  assert.equal(lanes.limits.size, 0);
});

/** Messages that wait for a morning, as their owner put them off. */
async function waitForMorning(own: TenantWorld, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await own.accept({ category: 'marketing' });
  await write(
    `update due set due_at = now() + interval '9 hours', cause = 'quiet_hours' where tenant_id = $1 and state = 'queued'`,
    own.tenant,
  );
}

test('hours that change while nobody owns the lane are looked at by who takes it over, and not at every takeover', async () => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  const tenants = createTenants(world);
  for (const one of [own, other]) await setQuiet(one, NIGHT);
  await rules().refresh(own.claim);
  await waitForMorning(own, 3);
  await waitForMorning(other, 1);
  await tenants.change(own.tenant, { quiet_hours: { marketing: { from: '21:00', to: '06:00' } } });
  const taken = rules();
  await taken.refresh({ ...own.claim, lanes: [], epochs: [] });
  await taken.refresh(own.claim);
  assert.equal((await candidates(own)).length, 3);
  await taken.refresh({ ...other.claim });
  assert.equal((await candidates(other)).length, 0, 'of others nothing changed');
  await waitForMorning(own, 0);
  await taken.refresh(other.claim);
  assert.equal((await candidates(own)).length, 0, 'once');
});

test('what waits for a morning is looked at step by step, each message once, also while it is put off anew', async () => {
  const own = await world.tenant();
  await waitForMorning(own, 5);
  let look: QuietLook | null = { lanes: [own.lane], tenant: own.tenant, after: null };
  const seen: number[] = [];
  while (look !== null && seen.length < 10) {
    look = await releaseQuietHours(world.db, world.signals, own.claim, look, 2);
    seen.push((await candidates(own)).length);
    await waitForMorning(own, 0);
  }
  assert.deepEqual(seen, [2, 2, 1]);
});
