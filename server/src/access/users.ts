import { hash } from 'node:crypto';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { TenantId } from '../domain/ids.ts';
import { type RateSetting, type RequestBucket, requestBucket, requestRateOf } from '../domain/request-rate.ts';
import type { Clock } from '../runtime/clock.ts';
import { findTenant } from '../store/tenants.read.ts';
import type { Authenticator } from './api-keys.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { Principal } from './principal.ts';

/** Principals of users who have no key: of tokens, gateways and tickets. */
export interface UserPrincipals {
  /** The principal of a user. null: there is no such tenant. */
  of(proof: UserProof): Promise<Principal | null>;
}

/** Whose word it is, for whom, and what it lets him do. */
export interface UserProof {
  by: 'token' | 'gateway';
  /** The tenant's own or external id. */
  tenant: string;
  user: UserId;
  scopes: ReadonlySet<string>;
  /** Milliseconds since 1970; null: never. */
  expires_at: number | null;
}

export interface UserPrincipalsDeps {
  db: Queryable;
  clock: Clock;
  rateOf: Authenticator['rateOf'];
  /** What each user may ask here. Absent: as much as his tenant. */
  userRate?: RateSetting;
}

/** Milliseconds that a tenant is believed to be there, with the same rate. */
const BELIEVED = 5_000;
const REMEMBERED = 10_000;
/** Milliseconds that a user's bucket is kept. Then it is full again, as it nearly always is by itself. */
const BUCKET_KEPT = 600_000;
const MOST_BUCKETS = 100_000;
const NO_RATE: RateSetting = { requests_per_second: null, request_burst: null };

export function createUserPrincipals(deps: UserPrincipalsDeps): UserPrincipals {
  const { db, clock, rateOf, userRate = NO_RATE } = deps;
  // Only what was found is remembered: a tenant that is made now is there now.
  const known = createExpiringCache<RateSetting & { id: TenantId }>({ ttl: BELIEVED, limit: REMEMBERED, clock });
  const rateOfUsers = requestRateOf(NO_RATE, userRate);
  const buckets = createExpiringCache<RequestBucket>({ ttl: BUCKET_KEPT, limit: MOST_BUCKETS, clock });

  function bucketOf(key_id: string): RequestBucket | null {
    if (rateOfUsers === null) return null;
    const before = buckets.get(key_id);
    if (before) return before;
    const bucket = requestBucket(rateOfUsers, clock.monotonic());
    buckets.set(key_id, bucket);
    return bucket;
  }

  return {
    async of({ by, tenant, user, scopes, expires_at }) {
      const found = known.get(tenant) ?? (await findTenant(db, tenant));
      if (found === null) return null;
      if (known.get(tenant) === undefined) known.set(tenant, found);
      const { id } = found;
      const key_id = keyIdOf(id, user);
      const rates = { rate: rateOf(id, found), user_rate: bucketOf(key_id) };
      return { tenant_id: id, by, key_id, user_id: user, scopes, dialect: 'aldis', expires_at, ...rates };
    },
  };
}

/** A UUID (version 8, RFC 9562) in the place of a key's: the same for all that this user asks. */
export function keyIdOf(tenant: TenantId, user: UserId): string {
  const digits = hash('sha256', `${tenant}\n${user}`, 'hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
