import { hash } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import { createAskedOnce } from './asked-once.ts';
import { refusal, type TokenReader } from './json-web-tokens.ts';
import type { Principal } from './principal.ts';
import type { UserPrincipals } from './users.ts';

/** Users by their tokens. A token that was checked a moment ago is not checked again. */
export interface Tokens {
  /** @throws {AldisError} as `TokenReader.read`, by the promise or at once. */
  authenticate(token: string): Principal | Promise<Principal>;
}

export interface TokensDeps {
  reader: TokenReader;
  users: UserPrincipals;
  clock: Clock;
}

/** Milliseconds that a token is believed without looking: so long one lives that was signed by a key which is taken back. */
const BELIEVED = 5_000;
const REMEMBERED = 10_000;

export function createTokens({ reader, users, clock }: TokensDeps): Tokens {
  // By their hashes: what lies in memory opens nothing. Only what was good is remembered.
  const checked = createAskedOnce<Principal>({ ttl: BELIEVED, limit: REMEMBERED, clock });

  async function check(token: string): Promise<Principal> {
    const { user, tenant, scopes, expires_at } = await reader.read(token);
    const principal = await users.of({ by: 'token', tenant, user, scopes: new Set(scopes), expires_at });
    if (principal === null) throw refusal('tenant', 'The tenant of the token is not known here.');
    return principal;
  }

  return {
    authenticate(token) {
      const hashed = hash('sha256', token, 'base64');
      const known = checked.known(hashed);
      // One that has run out since is checked again, which says so.
      if (known && (known.expires_at ?? 0) > clock.now()) return known;
      return known ? check(token) : checked.ask(hashed, () => check(token));
    },
  };
}
