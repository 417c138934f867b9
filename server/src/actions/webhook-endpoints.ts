import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EndpointId, type EventId, newId, type TenantId } from '../domain/ids.ts';
import { MOST_ENDPOINTS, ROTATION } from '../domain/webhook-endpoint.ts';
import { newWebhookSecret } from '../domain/webhook-signature.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { type EndpointRecord, type EndpointValues, findEndpoint } from '../store/webhook-endpoints.read.ts';
import {
  countEndpoints,
  deleteEndpoint,
  disableEndpoint,
  followTenant,
  insertEndpoint,
  lockEndpointsOf,
  noteFailing,
  noteWell,
  rotateSecret,
  tellDisabled,
  unfollowTenant,
  updateEndpoint,
} from '../store/webhook-endpoints.write.ts';
import { deleteReplays } from '../store/webhook-replays.write.ts';
import { place } from './sealed-places.ts';

/** What a tenant does with its endpoints. A secret is told when it is made, and never again. */
export interface EndpointActions {
  /** Gets events from now on. `full`: the tenant has as many as it may. */
  create(tenant: TenantId, values: EndpointValues): Promise<{ endpoint: EndpointRecord; secret: string } | 'full'>;
  /** What is absent stays. One that is enabled goes on with what is still to be made. */
  change(tenant: TenantId, id: string, change: Partial<EndpointValues>): Promise<EndpointRecord | 'not_found'>;
  remove(tenant: TenantId, id: string): Promise<EndpointRecord | 'not_found'>;
  /** Makes a new secret; for a day the old one signs too. */
  rotate(tenant: TenantId, id: string): Promise<{ endpoint: EndpointRecord; secret: string } | 'not_found'>;
}

export interface EndpointDeps {
  db: Db;
  signals: Signals;
  sealer: Sealer;
}

export function createEndpoints({ db, signals, sealer }: EndpointDeps): EndpointActions {
  const newSecret = (tenant: TenantId, id: EndpointId) => {
    const secret = newWebhookSecret();
    return { secret, sealed: sealer.seal(secret, place.webhookSecret(tenant, id)) };
  };
  return {
    async create(tenant, values) {
      const id = newId<EndpointId>();
      const { secret, sealed } = newSecret(tenant, id);
      return retryingOnConflict(() =>
        db.inTurn(async (tx) => {
          await lockEndpointsOf(tx, tenant);
          if ((await countEndpoints(tx, tenant)) >= MOST_ENDPOINTS) return 'full';
          await followTenant(tx, tenant);
          return { endpoint: await insertEndpoint(tx, tenant, id, values, sealed), secret };
        }),
      );
    },

    async change(tenant, id, change) {
      const changed = await retryingOnConflict(() =>
        db.transaction(async (tx) => {
          const before = await findEndpoint(tx, tenant, id);
          if (before === null) return 'not_found';
          return (await updateEndpoint(tx, tenant, before.id, { ...before, ...change })) ?? 'not_found';
        }),
      );
      if (changed !== 'not_found') signals.notify('webhooks');
      return changed;
    },

    remove: (tenant, id) =>
      retryingOnConflict(() =>
        db.inTurn(async (tx) => {
          await lockEndpointsOf(tx, tenant);
          const before = await findEndpoint(tx, tenant, id);
          if (before === null || !(await deleteEndpoint(tx, tenant, before.id))) return 'not_found';
          await deleteReplays(tx, tenant, before.id);
          await unfollowTenant(tx, tenant);
          return before;
        }),
      ),

    async rotate(tenant, id) {
      const found = await findEndpoint(db, tenant, id);
      if (found === null) return 'not_found';
      const { secret, sealed } = newSecret(tenant, found.id);
      const endpoint = await retryingOnConflict(() => rotateSecret(db, tenant, found.id, sealed, ROTATION));
      if (endpoint === null) return 'not_found';
      signals.notify('webhooks');
      return { endpoint, secret };
    },
  };
}

/** Notes that an endpoint has begun to fail, or does so no more. */
export function noteEndpoint(db: Db, tenant: TenantId, id: EndpointId, fails: boolean): Promise<void> {
  return retryingOnConflict(() => (fails ? noteFailing(db, tenant, id) : noteWell(db, tenant, id)));
}

/**
 * Disables an endpoint, and tells the tenant's other listeners by an event. What is to be made for it stays so.
 * @param age only if it has failed for longer than so many ms; null: in any case.
 * @returns whether it did.
 */
export async function disableTroubled(
  { db, signals }: { db: Db; signals: Signals },
  tenant: TenantId,
  id: EndpointId,
  reason: string,
  age: number | null,
): Promise<boolean> {
  const disable = async (tx: Queryable) => {
    const disabled = await disableEndpoint(tx, tenant, id, reason, age);
    if (disabled === null) return false;
    const failing_since = disabled.failing_since?.toISOString() ?? null;
    await tellDisabled(tx, tenant, newId<EventId>(), { endpoint_id: id, url: disabled.url, reason, failing_since });
    return true;
  };
  const done = await retryingOnConflict(() => db.transaction(disable));
  if (done) signals.notify(`events:${tenant}`);
  return done;
}
