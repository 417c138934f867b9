import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import {
  freeTenantConsumers,
  type HeldTenant,
  holdTenantConsumers,
  insertConsumer,
  insertTenantConsumers,
  moveTenantConsumer,
} from '../store/event-consumers.write.ts';
import type { EventPosition } from '../store/events.read.ts';

/**
 * Following the event log from a position that is kept, one instance at a time for each tenant. Who reads holds the tenant
 * for a while: no transaction stays open meanwhile, for that would hold back the events of all.
 */
export type { HeldTenant };

/** Lets a consumer begin: at the log's end now, or where it is if it began before. @param alone no other instance reads. */
export async function beginFollowing(db: Db, consumer: string, alone: boolean): Promise<void> {
  await insertConsumer(db, consumer);
  await adoptTenants(db, consumer);
  if (alone) await retryingOnConflict(() => freeTenantConsumers(db, consumer));
}

/** Lets a consumer follow the tenants that are new, from where it began. */
export function adoptTenants(db: Db, consumer: string): Promise<void> {
  return retryingOnConflict(() => insertTenantConsumers(db, consumer));
}

/** Takes tenants with unread events for `lease` ms, at most `limit`. */
export function holdTenants(
  db: Db,
  consumer: string,
  instance: InstanceId,
  { lease, limit }: { lease: number; limit: number },
): Promise<HeldTenant[]> {
  return retryingOnConflict(() => holdTenantConsumers(db, consumer, instance, lease, limit));
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
