import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import { type DeliveryId, type EndpointId, type EventId, newId, type TenantId } from '../../src/domain/ids.ts';
import { LOG_START } from '../../src/store/events.read.ts';
import {
  findDelivery,
  findEvents,
  listAttempts,
  listDeliveries,
  listEventHeads,
  listWholeEvents,
} from '../../src/store/webhook-deliveries.read.ts';
import {
  claimDeliveries,
  insertBegunDeliveries,
  insertDeliveries,
  pruneDeliveries,
  releaseLines,
  settleDeliveries,
  walkKeptEndpoints,
} from '../../src/store/webhook-deliveries.write.ts';
import {
  findOpenEndpoints,
  listEndpoints,
  listPostingEndpoints,
  walkDueEndpoints,
} from '../../src/store/webhook-endpoints.read.ts';
import { findEventFrom, findReplayWait, listReplays } from '../../src/store/webhook-replays.read.ts';
import { countBacklog, holdDueReplay, listFailedDeliveries } from '../../src/store/webhook-replays.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* Deliveries are found by indexes, however many were made and wait. */

const MANY = 20_000;
const WAITING = 500;
let world: EngineWorld;
let own: TenantWorld;
let endpoint: EndpointId;
let tenant: TenantId;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  tenant = own.tenant;
  endpoint = newId<EndpointId>();
  const run = (name: string, text: string, values: unknown[]) => world.db.query({ name: `test_${name}`, text }, values);
  await run(
    'endpoints',
    `
    insert into webhook_endpoints (tenant_id, id, url, secret_sealed) select $1, id, 'https://a.example', 'x'
    from (select $2::uuid as id union all select gen_random_uuid() from generate_series(1, 30)) e`,
    [tenant, endpoint],
  );
  // Most are done; of each endpoint some wait, every hundredth has failed.
  await run(
    'deliveries',
    `
    insert into webhook_deliveries (tenant_id, endpoint_id, id, event_id, event_xid, event_type, state, due_at, ended_at, conversation_id)
    select e.tenant_id, e.id, gen_random_uuid(), gen_random_uuid(), '1', 'message.sent',
      case when g <= $2 then 'pending' when g % 100 = 0 then 'failed' else 'delivered' end,
      case when g <= $2 then now() end, case when g > $2 then now() end, case when g % 2 = 0 then md5((g % 50)::text)::uuid end
    from webhook_endpoints e, generate_series(1, case when e.id = $1 then $3 else 600 end) g`,
    [endpoint, WAITING, MANY],
  );
  await run(
    'events',
    `
    insert into events (tenant_id, id, xid, type, data) select $1, gen_random_uuid(), g::text::xid8, 'webhook.disabled', '{}'
    from generate_series(1, 1000) g`,
    [tenant],
  );
  await world.db.script('analyze webhook_deliveries; analyze webhook_endpoints; analyze events');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

test('what is due is found by endpoint: one look for each, and as many rows as are taken', async () => {
  await cheap(32, (tx) => walkDueEndpoints(tx, null, 200));
  const places = await walkDueEndpoints(world.db, null, 200);
  assert.equal(places.length, 31);
  await cheap(32, (tx) => findOpenEndpoints(tx, places));
  await cheap(40, (tx) => claimDeliveries(tx, [{ tenant_id: tenant, endpoint_id: endpoint, room: 20 }], 60_000));
});

test('a try is settled and a line released by their keys', async () => {
  const { rows } = await listDeliveries(world.db, tenant, endpoint, { state: 'pending' }, null, 10);
  const settled = rows.map(({ id, tries }) => ({
    tenant_id: tenant,
    endpoint_id: endpoint,
    id,
    tries,
    again: 1000,
    status: 500,
    detail: 'no',
    answer: null,
    started_at: Date.now(),
    took_ms: 1,
  }));
  await cheap(20, (tx) => settleDeliveries(tx, settled));
  const conversation_id = rows.find((row) => row.conversation_id !== null)?.conversation_id;
  assert.ok(conversation_id);
  await cheap(5, (tx) => releaseLines(tx, [{ tenant_id: tenant, endpoint_id: endpoint, conversation_id }]));
  await cheap(25, (tx) =>
    insertDeliveries(tx, tenant, [
      {
        endpoint_id: endpoint,
        id: newId(),
        kind: 'event',
        event_xid: '5',
        event_id: newId(),
        event_type: 'message.sent',
        conversation_id,
        behind: false,
      },
    ]),
  );
});

test('what was posted before it was stored is stored with what came of it, once', async () => {
  const [delivered, taken] = [newId<DeliveryId>(), newId<DeliveryId>()];
  const base = { endpoint_id: endpoint, event_xid: '7', event_id: newId<EventId>(), event_type: 'message.sent' };
  const begun = [
    { ...base, id: delivered, left: null, started_at: Date.now() - 50, took_ms: 12, status: 204 },
    { ...base, id: taken, left: 30_000, started_at: null, took_ms: null, status: null },
  ];
  await cheap(5, (tx) => insertBegunDeliveries(tx, tenant, begun));
  const before = await findDelivery(world.db, tenant, endpoint, delivered);
  await insertBegunDeliveries(world.db, tenant, begun);
  assert.deepEqual(await findDelivery(world.db, tenant, endpoint, delivered), before);
  assert.deepEqual(
    [before?.state, before?.tries, before?.took_ms, before?.status, before?.due_at, before?.tried_at?.getTime()],
    ['delivered', 1, 12, 204, null, begun[0]?.started_at],
  );
  const other = await findDelivery(world.db, tenant, endpoint, taken);
  assert.deepEqual([other?.state, other?.tries, other?.tried_at, other?.ended_at], ['pending', 1, null, null]);
  const left = (other?.due_at?.getTime() ?? 0) - (other?.created_at.getTime() ?? 0);
  assert.ok(Math.abs(left - 30_000) < 1000, `${left} ms`);
});

test('lists, one delivery and its tries', async () => {
  await cheap(60, (tx) => listEndpoints(tx, tenant, null, 50));
  await cheap(110, (tx) => listDeliveries(tx, tenant, endpoint, {}, null, 50));
  await cheap(110, (tx) => listDeliveries(tx, tenant, endpoint, { state: 'failed' }, null, 50));
  await cheap(10_100, (tx) => listDeliveries(tx, tenant, endpoint, { event_type: 'message.read' }, null, 50));
  await cheap(2, (tx) => findDelivery(tx, tenant, endpoint, newId()));
  await cheap(2, (tx) => listAttempts(tx, tenant, endpoint, newId()));
  const found = await listDeliveries(world.db, tenant, endpoint, { event_type: 'message.read' }, null, 50);
  assert.deepEqual([found.rows, found.next !== null], [[], true]);
});

test('events for deliveries, replays and what is old', async () => {
  await cheap(60, (tx) => listEventHeads(tx, tenant, LOG_START, 50));
  await cheap(60, (tx) => listWholeEvents(tx, tenant, LOG_START, 50));
  await cheap(60, (tx) => listPostingEndpoints(tx, tenant));
  const heads = await listEventHeads(world.db, tenant, LOG_START, 20);
  const keys = heads.map(({ xid, event_id }) => ({ tenant_id: tenant, event_xid: xid, event_id }));
  await cheap(25, (tx) => findEvents(tx, keys));
  assert.equal((await findEvents(world.db, keys)).length, 20);
  await cheap(2, (tx) => findEventFrom(tx, tenant, '500'));
  await cheap(2, (tx) => findReplayWait(tx));
  await cheap(2, (tx) => listReplays(tx, tenant, endpoint, null, 10));
  await cheap(2, (tx) => holdDueReplay(tx));
  await cheap(60, (tx) => countBacklog(tx, tenant, endpoint, 50));
  const [from, to] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
  await cheap(60, (tx) => listFailedDeliveries(tx, tenant, endpoint, from, to, 50));
  await cheap(32, (tx) => walkKeptEndpoints(tx, null, 100));
  await cheap(2 * WAITING, (tx) => pruneDeliveries(tx, tenant, endpoint, to, false, 50));
});
