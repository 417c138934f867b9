import { hash } from 'node:crypto';
import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { RateSetting } from '../domain/request-rate.ts';
import type { Clock } from '../runtime/clock.ts';
import { type ApiKeyRow, findApiKey } from '../store/api-keys.read.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { Principal } from './principal.ts';
import { createRequestRates, type RequestRates, type RequestRatesDeps } from './request-rates.ts';

/**
 * API keys: 192 random bits behind a prefix that tells what they are, kept as their SHA-256 only. Looking up the hash takes
 * no longer for a key that is nearly right, so nothing is compared here.
 */
export interface Authenticator {
  /**
   * Who holds this key, or null when nobody does. A promise only when the store has to be asked: a hot key costs no query.
   * A key that another instance revoked may still be believed for 5 s.
   */
  authenticate(key: string): Principal | null | Promise<Principal | null>;
  /** The bucket of a tenant with these settings of its own: one for all who ask for it, whatever they ask with. */
  rateOf: RequestRates['of'];
  /** Believes nothing any more of what was found: keys were changed. */
  forget(): void;
  /** The keys used since this was last asked whose last use is to be written, each at most once a minute. */
  takeUsed(): KeyUse[];
}

/** That a key was used. */
export interface KeyUse {
  tenant_id: TenantId;
  key_id: string;
  /** Milliseconds since 1970. */
  at: number;
}

export interface AuthenticatorDeps {
  db: Queryable;
  clock: Clock;
  /** The configuration's rate, for tenants without an own one. Absent: none. */
  rate?: RateSetting;
  /** Makes a tenant's bucket one that all instances share. Absent: each counts for itself. */
  shareRate?: RequestRatesDeps['share'];
}

const BELIEVED = 5_000;
const REMEMBERED = 10_000;
const USE_EVERY = 60_000;
/** Keys made elsewhere may look otherwise, but not like this. */
const PLAUSIBLE = /^[\x21-\x7e]{16,256}$/;

/** Makes the authenticator of one instance. */
export function createAuthenticator({ db, clock, rate, shareRate }: AuthenticatorDeps): Authenticator {
  // Only what was found is remembered: wrong keys cannot push out right ones.
  const known = createExpiringCache<{ principal: Principal; until: number }>({
    ttl: BELIEVED,
    limit: REMEMBERED,
    clock,
  });
  const rates = createRequestRates({ clock, limit: REMEMBERED, share: shareRate, ...(rate && { usual: rate }) });
  const asked = new Map<string, Promise<Principal | null>>();

  // Noted only when the store was asked, which it is every few seconds for a key in use: a hot key pays nothing.
  const noted = createExpiringCache<true>({ ttl: USE_EVERY, limit: REMEMBERED, clock });
  let used: KeyUse[] = [];
  let forgotten = 0;

  function note({ tenant_id, id: key_id, last_used_at }: ApiKeyRow): void {
    const at = clock.now();
    if (noted.get(key_id) || used.length >= REMEMBERED) return;
    noted.set(key_id, true);
    if (last_used_at === null || at - last_used_at.getTime() >= USE_EVERY) used.push({ tenant_id, key_id, at });
  }

  async function ask(hashed: string): Promise<Principal | null> {
    const before = forgotten;
    const row = await findApiKey(db, Buffer.from(hashed, 'base64'));
    if (row === null) return null;
    note(row);
    const { tenant_id, id: key_id, dialect } = row;
    const expires_at = row.expires_at?.getTime() ?? null;
    const rate = rates.of(tenant_id, row);
    const scopes = new Set(row.scopes);
    const holder = { tenant_id, by: 'key', key_id, user_id: null, scopes, dialect, expires_at } as const;
    const principal: Principal = { ...holder, rate, user_rate: null };
    // What was read before a change was told of may be what was changed.
    if (before === forgotten) known.set(hashed, { principal, until: expires_at ?? Number.POSITIVE_INFINITY });
    return principal;
  }

  return {
    authenticate(key) {
      if (!PLAUSIBLE.test(key)) return null;
      const hashed = hash('sha256', key, 'base64');
      const found = known.get(hashed);
      if (found) return found.until > clock.now() ? found.principal : null;
      // Requests that come together with a key not seen for a while share one question.
      let answer = asked.get(hashed);
      if (answer === undefined) {
        const question = ask(hashed).finally(() => {
          if (asked.get(hashed) === question) asked.delete(hashed);
        });
        asked.set(hashed, question);
        answer = question;
      }
      return answer;
    },
    rateOf: rates.of,
    forget() {
      forgotten++;
      known.clear();
      asked.clear();
    },
    takeUsed() {
      const taken = used;
      used = [];
      return taken;
    },
  };
}
