import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdTenants } from '../../src/actions/follow-events.ts';
import { type SettledDelivery, WEBHOOKS } from '../../src/actions/webhook-deliveries.ts';
import { type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { type Handed, type HandedPage, handedPage, partPage } from '../../src/fanout/webhooks/handed-page.ts';
import { createMaker } from '../../src/fanout/webhooks/maker.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { logOf, webhookWorld } from './webhook-world.ts';

function handedOf(n: number, ordered = false): Handed[] {
  const endpoint = { id: newId(), ordered } as Handed['endpoint'];
  return Array.from({ length: n }, () => {
    const event_id = newId();
    const delivery = { endpoint_id: endpoint.id, id: event_id, event_xid: '7', event_id, event_type: 'message.sent' };
    return { delivery, event: { event_id }, endpoint } as unknown as Handed;
  });
}

const settled = (change: Partial<SettledDelivery> = {}) =>
  ({ detail: null, status: 204, started_at: 5, took_ms: 6, ...change }) as SettledDelivery;

test('what ends well before a page is closed is stored with that; what fails, is late or is not called is stored as taken', async () => {
  const deliveries = handedOf(4);
  const [well, failed, late, uncalled] = deliveries as [Handed, Handed, Handed, Handed];
  const page = handedPage(deliveries, 1000);
  assert.equal(page.takes(well, settled()), true);
  page.ended();
  assert.equal(page.takes(failed, settled({ detail: 'it answered 500', status: 500 })), false);
  page.ended();
  const begun = page.close(400);
  assert.equal(page.takes(late, settled()), false);
  assert.deepEqual(
    begun.map(({ id, left, status, started_at, took_ms }) => [id, left, status, started_at, took_ms]),
    [
      [well.delivery.id, null, 204, 5, 6],
      [failed.delivery.id, 600, null, null, null],
      [late.delivery.id, 600, null, null, null],
      [uncalled.delivery.id, 600, null, null, null],
    ],
  );
  // Not all have ended: it waits no longer than it is told to.
  await page.over(1);
  page.ended();
  page.ended();
  await page.over(1_000_000);
  page.settle(false);
  assert.equal(await page.stored, false);
});

test('an empty page is over at once', async () => {
  const page = handedPage([], 0);
  await page.over(1_000_000);
  assert.deepEqual(page.close(0), []);
});

test('a page is parted by the room of each endpoint; what stands in lines waits in the store', () => {
  const [quick, slow, lined] = [handedOf(5), handedOf(3), handedOf(2, true)];
  const all = [...quick, ...slow, ...lined];
  const page = {
    events: all.map(({ event }) => event),
    deliveries: all.map(({ delivery }) => delivery),
    endpoints: [quick, slow, lined].map((some) => (some[0] as Handed).endpoint),
  };
  const { handed, waiting } = partPage(page, (endpoint) => (endpoint === quick[0]?.endpoint ? 4 : 0));
  assert.deepEqual(
    handed.map(({ delivery, endpoint, event }) => [delivery.id, endpoint.id, event.event_id]),
    quick.slice(0, 4).map(({ delivery, endpoint }) => [delivery.id, endpoint.id, delivery.id]),
  );
  assert.deepEqual(
    waiting,
    [quick[4], ...slow, ...lined].map((one) => one?.delivery),
  );
});

test('who was overtaken stores nothing of what it posts: the other makes the same deliveries, and posts them once more', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, sink.url);
  await tenant.accept();
  const [instance, other] = [newId<InstanceId>(), newId<InstanceId>()];
  const hold = (who: InstanceId) => holdTenants(world.db, WEBHOOKS, who, { lease: 60_000, limit: 1 });
  const [held] = await hold(instance);
  assert.ok(held);
  const pages: HandedPage[] = [];
  const deliverer = {
    roomOf: () => 100,
    hand: (_: TenantId, page: HandedPage) => {
      pages.push(page);
      for (const one of page.deliveries) {
        page.takes(one, settled());
        page.ended();
      }
    },
  };
  const shared = { db: world.db, signals: world.signals, clock: systemClock, deliverer, lease: 1000, hold: 1000 };
  const passOf = (who: InstanceId) => createMaker({ ...shared, instance: who });
  await world.db.script('update event_consumers set held_until = null');
  const [taken] = await hold(other);
  assert.ok(taken);
  const going = new AbortController().signal;
  assert.equal(await passOf(instance)(held, going), null);
  assert.deepEqual([await pages[0]?.stored, await world.listed(tenant, id)], [false, []]);
  assert.equal(await passOf(other)(taken, going), null);
  const log = await logOf(world, tenant.tenant);
  const listed = await world.listed(tenant, id);
  assert.deepEqual(
    [await pages[1]?.stored, listed.map((one) => [one.event_id, one.state])],
    [true, [[log[0]?.id, 'delivered']]],
  );
  // The log was read to its end, and let go.
  assert.deepEqual(await hold(instance), []);
});
