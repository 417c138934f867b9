import { hash } from 'node:crypto';
import type { Queryable } from '../db/pool.ts';
import type { Clock } from '../runtime/clock.ts';
import { findApiKey } from '../store/api-keys.read.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { Principal } from './principal.ts';

/**
 * API keys: 192 random bits behind a prefix that tells what they are, kept as their SHA-256 only. Looking up the hash takes
 * no longer for a key that is nearly right, so nothing is compared here.
 */
export interface Authenticator {
  /**
   * Who holds this key, or null when nobody does. A promise only when the store has to be asked: a hot key costs no query.
   * A revoked key may still be believed for 5 s.
   */
  authenticate(key: string): Principal | null | Promise<Principal | null>;
}

export interface AuthenticatorDeps {
  db: Queryable;
  clock: Clock;
}

const BELIEVED = 5_000;
const REMEMBERED = 10_000;
/** Keys made elsewhere may look otherwise, but not like this. */
const PLAUSIBLE = /^[\x21-\x7e]{16,256}$/;

/** Makes the authenticator of one instance. */
export function createAuthenticator({ db, clock }: AuthenticatorDeps): Authenticator {
  // Only what was found is remembered: wrong keys cannot push out right ones.
  const known = createExpiringCache<{ principal: Principal; until: number }>({
    ttl: BELIEVED,
    limit: REMEMBERED,
    clock,
  });
  const asked = new Map<string, Promise<Principal | null>>();

  async function ask(hashed: string): Promise<Principal | null> {
    const row = await findApiKey(db, Buffer.from(hashed, 'base64'));
    if (row === null) return null;
    const principal = { tenant_id: row.tenant_id, key_id: row.id, scopes: new Set(row.scopes) };
    known.set(hashed, { principal, until: row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY });
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
        answer = ask(hashed).finally(() => asked.delete(hashed));
        asked.set(hashed, answer);
      }
      return answer;
    },
  };
}
