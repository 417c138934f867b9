import type { TenantId } from '../domain/ids.ts';
import { type RateSetting, type RequestBucket, requestBucket, requestRateOf } from '../domain/request-rate.ts';
import type { Clock } from '../runtime/clock.ts';

/** The buckets of the tenants that ask here, one each for all its keys. Each instance counts for itself, unless they are shared. */
export interface RequestRates {
  /** The bucket of a tenant with these settings of its own, or null when it may ask as often as it likes. */
  of(tenant: TenantId, own: RateSetting): RequestBucket | null;
}

export interface RequestRatesDeps {
  clock: Clock;
  /** Most buckets; one more, and the one that was asked for the longest ago begins anew. */
  limit: number;
  usual?: RateSetting;
  /** Makes a new bucket one that all instances share. */
  share?: ((tenant: TenantId, bucket: RequestBucket) => RequestBucket) | undefined;
}

const NONE: RateSetting = { requests_per_second: null, request_burst: null };

export function createRequestRates({ clock, limit, usual = NONE, share }: RequestRatesDeps): RequestRates {
  const buckets = new Map<TenantId, RequestBucket>();
  const made = (tenant: TenantId, bucket: RequestBucket) => share?.(tenant, bucket) ?? bucket;
  return {
    of(tenant, own) {
      const rate = requestRateOf(own, usual);
      const before = buckets.get(tenant);
      // Deleted first, so that the first of the map is the one asked for the longest ago.
      buckets.delete(tenant);
      if (rate === null) return null;
      before?.setRate(rate);
      const bucket = before ?? made(tenant, requestBucket(rate, clock.monotonic()));
      const [oldest] = buckets.keys();
      if (buckets.size >= limit && oldest !== undefined) buckets.delete(oldest);
      buckets.set(tenant, bucket);
      return bucket;
    },
  };
}
