import type { Db, Queryable } from '../db/pool.ts';
import { persistently, retryingOnConflict } from '../db/retry.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import { type DeliveryId, type EndpointId, firstIdAt, type InstanceId, newId, type TenantId } from '../domain/ids.ts';
import { TEST_EVENT, wants } from '../domain/webhook-endpoint.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { moveTenantConsumer } from '../store/event-consumers.write.ts';
import {
  type DeliveryRecord,
  findDelivery,
  type LoggedHead,
  listWholeEvents,
  type WholeEvent,
} from '../store/webhook-deliveries.read.ts';
import {
  type BegunDelivery,
  type ClaimAsk,
  type ClaimedDelivery,
  claimDeliveries,
  giveBackDeliveries,
  insertBegunDeliveries,
  insertDeliveries,
  type KeptEndpoint,
  lockEndpoints,
  type NewDelivery,
  pruneDeliveries,
  releaseLines,
  type SettledDelivery,
  settleDeliveries,
  walkKeptEndpoints,
} from '../store/webhook-deliveries.write.ts';
import {
  findEndpoint,
  type ListeningEndpoint,
  listPostingEndpoints,
  type PostingEndpoint,
} from '../store/webhook-endpoints.read.ts';
import { WEBHOOKS } from '../store/webhook-endpoints.write.ts';

export type { BegunDelivery, ClaimAsk, ClaimedDelivery, NewDelivery, SettledDelivery };
export { WEBHOOKS };

/** A page of a tenant's log, and who gets its events. */
export interface DeliveryPage {
  events: readonly WholeEvent[];
  /** In no order. Those in lines are marked as such. */
  deliveries: readonly NewDelivery[];
  endpoints: readonly PostingEndpoint[];
  /** Where the next page begins. */
  at: EventPosition;
}

/** Reads what is next in a tenant's log, at most `limit` events, and finds who wants it. Nothing is stored. */
export async function readDeliveryPage(
  db: Db,
  tenant: TenantId,
  after: EventPosition,
  limit: number,
): Promise<DeliveryPage> {
  const events = await listWholeEvents(db, tenant, after, limit);
  const last = events.at(-1);
  if (last === undefined) return { events, deliveries: [], endpoints: [], at: after };
  // After the events: who began to listen before one of them is there.
  const endpoints = await listPostingEndpoints(db, tenant);
  const heads = events.map(headOf);
  return { events, deliveries: deliveriesOf(heads, endpoints), endpoints, at: { xid: last.xid, id: last.event_id } };
}

/** What of a page is to be stored. */
export interface PageKept {
  /** Those that are to be made. */
  waiting: readonly NewDelivery[];
  /** Those of which the first try has begun. */
  begun: readonly BegunDelivery[];
  at: EventPosition;
  /** Milliseconds for which the tenant is held on; null: it is let go. */
  hold: number | null;
}

/**
 * Stores deliveries of the next events of a held tenant, and keeps how far it came: in one transaction, so that no event is left out.
 * @returns false when somebody else follows the tenant by now: nothing is stored.
 */
export async function keepDeliveries(
  { db, signals }: { db: Db; signals: Signals },
  tenant: TenantId,
  instance: InstanceId,
  { waiting, begun, at, hold }: PageKept,
): Promise<boolean> {
  const kept = await retryingOnConflict(() =>
    db.inTurn(async (tx) => {
      // First, for it decides whether anything is to be written.
      if (!(await moveTenantConsumer(tx, tenant, WEBHOOKS, instance, at, hold ?? 0, hold !== null))) return false;
      await storeDeliveries(tx, tenant, waiting);
      if (begun.length > 0) await insertBegunDeliveries(tx, tenant, begun);
      await failpoint('webhook_out.before_commit');
      return true;
    }),
  );
  if (kept && waiting.length > 0) signals.notify('webhooks');
  return kept;
}

function headOf({ xid, event_id, event_type, about_sender, conversation_id }: WholeEvent): LoggedHead {
  return { xid, event_id, event_type, sender_id: about_sender, conversation_id };
}

function deliveriesOf(heads: readonly LoggedHead[], endpoints: readonly PostingEndpoint[]): NewDelivery[] {
  const xids = heads.map(({ xid }) => BigInt(xid));
  return endpoints.flatMap((endpoint) => {
    const from = BigInt(endpoint.from_xid);
    const wanted = heads.filter((head, i) => (xids[i] as bigint) >= from && wants(endpoint, head));
    // The event's own id: so an event is one delivery to an endpoint, however often it is tried to make it.
    return inLine(wanted.map((head) => deliveryOf(endpoint, head, 'event', head.event_id as string as DeliveryId)));
  });
}

/** A delivery of an event to an endpoint. */
export function deliveryOf(
  { id: endpoint_id, ordered }: Pick<ListeningEndpoint, 'id' | 'ordered'>,
  { xid, event_id, event_type, conversation_id }: Omit<LoggedHead, 'sender_id'>,
  kind: NewDelivery['kind'],
  id: DeliveryId,
): NewDelivery {
  const line = ordered ? conversation_id : null;
  return { endpoint_id, id, kind, event_xid: xid, event_id, event_type, conversation_id: line, behind: false };
}

/** Notes which of an endpoint's deliveries stand behind others of the same line. */
export function inLine(deliveries: NewDelivery[]): NewDelivery[] {
  const lines = new Set<string>();
  for (const one of deliveries) {
    if (one.conversation_id === null) continue;
    one.behind = lines.has(one.conversation_id);
    lines.add(one.conversation_id);
  }
  return deliveries;
}

/** Stores deliveries, holding the endpoints whose lines they join. In turn only. */
export async function storeDeliveries(
  tx: Queryable,
  tenant: TenantId,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const lined = deliveries.filter((one) => one.conversation_id !== null);
  const endpoints = [...new Set(lined.map((one) => one.endpoint_id))];
  if (endpoints.length > 0) {
    await lockEndpoints(
      tx,
      endpoints.map((endpoint_id) => ({ tenant_id: tenant, endpoint_id })),
    );
  }
  await insertDeliveries(tx, tenant, deliveries);
}

/** Takes what is due of endpoints for `hold` ms. */
export async function takeDeliveries(db: Db, asks: readonly ClaimAsk[], hold: number): Promise<ClaimedDelivery[]> {
  const claimed = await retryingOnConflict(() => claimDeliveries(db, asks, hold));
  await failpoint('webhook_out.after_claim');
  return claimed;
}

/** Gives back what was taken and not begun. */
export async function returnDeliveries(db: Db, claimed: readonly ClaimedDelivery[]): Promise<void> {
  if (claimed.length > 0) await retryingOnConflict(() => giveBackDeliveries(db, claimed));
}

/** Records what came of tries; it has to be recorded, so it is tried for as long as the database is away. */
export async function recordTries(db: Db, settled: readonly (SettledDelivery & { lined: boolean })[]): Promise<void> {
  // What ends in a line lets the next one go. Nobody may join the line unseen meanwhile.
  const free = settled.filter((one) => !one.lined || one.again !== null);
  const lined = settled.filter((one) => one.lined && one.again === null);
  if (free.length > 0) await persistently(() => settleDeliveries(db, free));
  if (lined.length === 0) return;
  await persistently(() =>
    db.inTurn(async (tx) => {
      await lockEndpoints(tx, lined);
      const lines = await settleDeliveries(tx, lined);
      if (lines.length > 0) await releaseLines(tx, lines);
    }),
  );
}

/** What a tenant does with single deliveries. */
export interface DeliveryActions {
  /** Posts a made-up event, to see whether it arrives. `disabled`: nothing is posted there. */
  test(tenant: TenantId, endpoint: string): Promise<DeliveryRecord | 'not_found' | 'disabled'>;
  /** Tells an event once more, under the same webhook-id. */
  replay(tenant: TenantId, endpoint: string, delivery: string): Promise<DeliveryRecord | 'not_found'>;
}

export function createDeliveries({ db, signals }: { db: Db; signals: Signals }): DeliveryActions {
  async function store(tenant: TenantId, endpoint: EndpointId, delivery: NewDelivery): Promise<DeliveryRecord> {
    const made = await retryingOnConflict(() =>
      db.inTurn(async (tx) => {
        await storeDeliveries(tx, tenant, [delivery]);
        return findDelivery(tx, tenant, endpoint, delivery.id);
      }),
    );
    signals.notify('webhooks');
    return made as DeliveryRecord;
  }
  return {
    async test(tenant, id) {
      const endpoint = await findEndpoint(db, tenant, id);
      if (endpoint === null) return 'not_found';
      if (!endpoint.enabled) return 'disabled';
      const own = newId<DeliveryId>();
      return store(tenant, endpoint.id, {
        endpoint_id: endpoint.id,
        id: own,
        kind: 'test',
        event_xid: null,
        event_id: own as string as NewDelivery['event_id'],
        event_type: TEST_EVENT,
        conversation_id: null,
        behind: false,
      });
    },

    async replay(tenant, id, delivery) {
      const endpoint = await findEndpoint(db, tenant, id);
      const found = endpoint && (await findDelivery(db, tenant, endpoint.id, delivery));
      if (!endpoint || !found) return 'not_found';
      return store(tenant, endpoint.id, {
        ...found,
        id: newId<DeliveryId>(),
        kind: found.kind === 'test' ? 'test' : 'replay',
        behind: false,
      });
    },
  };
}

/** Endpoints that one look for what is old goes over, and deliveries forgotten together. */
const ENDPOINTS_TOGETHER = 100;
const FORGOTTEN_TOGETHER = 1000;

/**
 * Forgets deliveries older than `age` ms that have ended, and all of endpoints that were deleted, in small steps.
 * @param now milliseconds since 1970.
 */
export async function forgetDeliveries(db: Db, age: number, now: number, ending: AbortSignal): Promise<void> {
  let after: KeptEndpoint | null = null;
  for (;;) {
    const some: KeptEndpoint[] = await walkKeptEndpoints(db, after, ENDPOINTS_TOGETHER);
    for (const { tenant_id, endpoint_id, orphaned } of some) {
      const before = orphaned ? LAST_ID : firstIdAt(now - age);
      let gone = FORGOTTEN_TOGETHER;
      while (gone === FORGOTTEN_TOGETHER && !ending.aborted) {
        gone = await retryingOnConflict(() =>
          pruneDeliveries(db, tenant_id, endpoint_id, before, orphaned, FORGOTTEN_TOGETHER),
        );
      }
    }
    after = some.at(-1) ?? null;
    if (some.length < ENDPOINTS_TOGETHER || ending.aborted) return;
  }
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
