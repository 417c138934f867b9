import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import {
  freeTenantConsumers,
  type HeldTenant,
  type HoldTerms,
  holdNamedConsumers,
  holdTenantConsumers,
  insertConsumer,
  insertTenantConsumers,
  listFollowed,
  moveTenantConsumer,
  renewTenantConsumer,
} from '../store/event-consumers.write.ts';
import type { EventPosition } from '../store/events.read.ts';

/**
 * Following the event log from a position that is kept, one instance at a time for each tenant. Who reads holds the tenant
 * for a while: no transaction stays open meanwhile, for that would hold back the events of all.
 */
export type { HeldTenant };

/** Lets a consumer begin: at the log's end now, or where it is if it began before. */
export async function beginFollowing(db: Db, consumer: string): Promise<void> {
  await insertConsumer(db, consumer);
  await adoptTenants(db, consumer);
}

/** Takes all holds of a consumer away: for an instance that is the only one. */
export function freeTenants(db: Db, consumer: string): Promise<void> {
  return retryingOnConflict(() => freeTenantConsumers(db, consumer));
}

/** Lets a consumer follow the tenants that are new, from where it began. */
export function adoptTenants(db: Db, consumer: string): Promise<void> {
  return retryingOnConflict(() => insertTenantConsumers(db, consumer));
}

/** Takes tenants with unread events for `lease` ms, at most `limit`. */
export function holdTenants(db: Db, consumer: string, instance: InstanceId, terms: HoldTerms): Promise<HeldTenant[]> {
  return retryingOnConflict(() => holdTenantConsumers(db, consumer, instance, terms));
}

/** Takes those of some tenants that have unread events, for `lease` ms, at most `limit`. */
export function holdSomeTenants(
  db: Db,
  consumer: string,
  instance: InstanceId,
  terms: HoldTerms,
  tenants: readonly TenantId[],
): Promise<HeldTenant[]> {
  return retryingOnConflict(() => holdNamedConsumers(db, consumer, instance, terms, tenants));
}

/** Holds a held tenant for `lease` ms from now. @returns false when another has taken it, or it was let go. */
export function holdTenantOn(
  db: Db,
  tenant: TenantId,
  consumer: string,
  instance: InstanceId,
  lease: number,
): Promise<boolean> {
  return retryingOnConflict(() => renewTenantConsumer(db, tenant, consumer, instance, lease));
}

/** Of some tenants those whose log a consumer follows. */
export function followedTenants(db: Db, consumer: string, tenants: readonly TenantId[]): Promise<Set<TenantId>> {
  return listFollowed(db, consumer, tenants);
}

/**
 * Keeps how far a held tenant was read, and lets it go for `rest` ms at least.
 * @returns false when it was no longer held: another instance reads on from the place that was kept before.
 */
export function letTenantGo(
  db: Db,
  tenant: TenantId,
  consumer: string,
  instance: InstanceId,
  { place, rest }: { place: EventPosition; rest: number },
): Promise<boolean> {
  return retryingOnConflict(() => moveTenantConsumer(db, tenant, consumer, instance, place, rest));
}
