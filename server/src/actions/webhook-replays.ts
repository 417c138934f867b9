import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import { type DeliveryId, firstIdAt, newId, type TenantId, timeOfId } from '../domain/ids.ts';
import { wants } from '../domain/webhook-endpoint.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { listEventHeads } from '../store/webhook-deliveries.read.ts';
import type { NewDelivery } from '../store/webhook-deliveries.write.ts';
import { type EndpointRecord, findEndpoint } from '../store/webhook-endpoints.read.ts';
import { findEventFrom, findLogRange, type ReplayRecord } from '../store/webhook-replays.read.ts';
import {
  advanceReplay,
  countBacklog,
  type HeldReplay,
  holdDueReplay,
  insertReplay,
  listFailedDeliveries,
} from '../store/webhook-replays.write.ts';
import { deliveryOf, inLine, storeDeliveries } from './webhook-deliveries.ts';

/** A range of the log that is asked for once more. Times are milliseconds since 1970. */
export interface ReplayAsk {
  since: number;
  until: number;
  /** Only what failed for good; else all that the endpoint's filter lets through, told before or not. */
  only_failed: boolean;
}

export interface ReplayActions {
  /** Begins to make deliveries of what happened in a time. `busy`: another replay of the endpoint runs. */
  begin(tenant: TenantId, endpoint: string, ask: ReplayAsk): Promise<ReplayRecord | 'not_found' | 'busy'>;
}

/** The order of the log is that of transactions, and these take so long at most. Milliseconds. */
const SLACK = 60_000;
const LOG_START: EventPosition = { xid: '0', id: '00000000-0000-0000-0000-000000000000' };

export function createReplays({ db, signals }: { db: Db; signals: Signals }): ReplayActions {
  return {
    async begin(tenant, id, { since, until, only_failed }) {
      const endpoint = await findEndpoint(db, tenant, id);
      if (endpoint === null) return 'not_found';
      const { first, end } = await findLogRange(db, tenant);
      const from = only_failed
        ? { xid: '0', id: firstIdAt(since) }
        : { ...LOG_START, xid: await placeAt(db, tenant, first ?? end, end, since - SLACK) };
      const asked = { since: new Date(since), until: new Date(until), only_failed, from, end_xid: end };
      const made = await retryingOnConflict(() => insertReplay(db, tenant, endpoint.id, newId<DeliveryId>(), asked));
      if (made !== null) signals.notify('webhooks');
      return made ?? 'busy';
    },
  };
}

/**
 * A transaction of the log before which nothing happened at or after a time: found by halving, for later transactions have later
 * events, but for what a transaction may take.
 */
async function placeAt(db: Queryable, tenant: TenantId, first: string, end: string, time: number): Promise<string> {
  let low = BigInt(first);
  let high = BigInt(end);
  while (low < high) {
    const middle = (low + high) / 2n;
    const found = await findEventFrom(db, tenant, middle.toString());
    if (found === null || timeOfId(found.id) >= time) high = middle;
    else low = BigInt(found.xid) + 1n;
  }
  return low.toString();
}

/** Events that a step looks at, and how many deliveries may wait at an endpoint for a replay to add to them. */
const STEP = 500;
const MOST_WAITING = 1000;
/** Milliseconds until the next step, while there is room and when there is none. */
const REST = 10;
const LONG_REST = 1000;

/**
 * Makes the next step of the replay whose step is due longest: deliveries, and how far it is, in one transaction, so that a crash
 * leaves nothing out and tells nothing once more.
 * @returns false: no step is due.
 */
export async function stepReplays({ db, signals }: { db: Db; signals: Signals }): Promise<boolean> {
  const made = await retryingOnConflict(() =>
    db.inTurn(async (tx) => {
      const held = await holdDueReplay(tx);
      return held === null ? null : step(tx, held);
    }),
  );
  if (made !== null && made > 0) signals.notify('webhooks');
  return made !== null;
}

async function step(tx: Queryable, held: HeldReplay): Promise<number> {
  const { tenant_id, endpoint_id, at } = held;
  const endpoint = await findEndpoint(tx, tenant_id, endpoint_id);
  if (endpoint === null) {
    await advanceReplay(tx, held, { at, replayed: 0, wait: 0, done: true });
    return 0;
  }
  if ((await countBacklog(tx, tenant_id, endpoint_id, MOST_WAITING)) >= MOST_WAITING) {
    await advanceReplay(tx, held, { at, replayed: 0, wait: LONG_REST, done: false });
    return 0;
  }
  const found = held.only_failed ? await failedOnes(tx, held, endpoint) : await ofTheLog(tx, held, endpoint);
  await storeDeliveries(tx, tenant_id, inLine(found.deliveries));
  const replayed = found.deliveries.length;
  await advanceReplay(tx, held, { at: found.at, replayed, wait: REST, done: found.done });
  await failpoint('webhook_out.before_commit');
  return replayed;
}

interface Found {
  deliveries: NewDelivery[];
  at: EventPosition;
  done: boolean;
}

async function ofTheLog(tx: Queryable, held: HeldReplay, endpoint: EndpointRecord): Promise<Found> {
  const { tenant_id, at, since, until } = held;
  const end = BigInt(held.end_xid);
  const page = await listEventHeads(tx, tenant_id, at, STEP);
  const heads = page.filter(({ xid }) => BigInt(xid) < end);
  const last = heads.at(-1);
  const wanted = heads.filter((head) => {
    const time = timeOfId(head.event_id);
    return time >= since.getTime() && time <= until.getTime() && wants(endpoint, head);
  });
  const over = last !== undefined && timeOfId(last.event_id) > until.getTime() + SLACK;
  return {
    deliveries: wanted.map((head) => deliveryOf(endpoint, head, 'replay', newId<DeliveryId>())),
    at: last ? { xid: last.xid, id: last.event_id } : at,
    done: over || heads.length < STEP,
  };
}

async function failedOnes(tx: Queryable, held: HeldReplay, endpoint: EndpointRecord): Promise<Found> {
  const { tenant_id, endpoint_id, at, until } = held;
  const before = firstIdAt(until.getTime() + 1);
  const failed = await listFailedDeliveries(tx, tenant_id, endpoint_id, at.id, before, STEP);
  return {
    deliveries: failed.map(({ event_xid: xid, ...head }) =>
      deliveryOf(endpoint, { ...head, xid }, 'replay', newId<DeliveryId>()),
    ),
    at: { xid: at.xid, id: failed.at(-1)?.id ?? at.id },
    done: failed.length < STEP,
  };
}
