import type { Queryable } from '../db/pool.ts';
import { AldisError } from '../domain/errors.ts';
import { findLiveKeys } from '../store/api-keys.read.ts';
import type { Authenticator } from './api-keys.ts';
import type { Asking } from './asking.ts';
import type { Gateway } from './gateway.ts';
import { looksLikeToken } from './json-web-tokens.ts';
import { may, type Principal } from './principal.ts';
import { principalOfTicket, type RedeemTicket } from './tickets.ts';
import type { Tokens } from './tokens.ts';
import { namedUser } from './user-id.ts';
import type { UserPrincipals } from './users.ts';

/**
 * Who asks, of a request or of a socket that is about to be opened. There are four ways to say it:
 *
 * 1. `Authorization: Bearer KEY` or `X-API-Key: KEY`, an API key. With the scope `act_as` it names a user by `X-User-ID`.
 * 2. `Authorization: Bearer TOKEN`, a JSON Web Token of a user.
 * 3. `X-User-ID` alone, from the address of a gateway that the configuration names.
 * 4. `?ticket=`, once, and only for a socket: a browser cannot set headers there.
 *
 * The first that is there counts: who shows a wrong key is not taken for somebody else by another way.
 */
export interface Identifier {
  /**
   * Who asks. A promise only when something has to be asked: a key that was seen lately costs nothing.
   * @throws {AldisError} at once or by the promise: `unauthorized` (401), `forbidden` (403: `X-User-ID` beside a key without `act_as`
   * or beside another user's token), `invalid_field` (400: no possible user id), `unavailable` (503: the issuer's keys cannot be had).
   */
  identify(request: Asking): Principal | Promise<Principal>;
  /**
   * The same for a socket that is about to be opened: takes a ticket too, and uses it up.
   * @param ticket the one of the query; null: there is none.
   */
  identifySocket(request: Asking, ticket: string | null): Principal | Promise<Principal>;
  /**
   * Those of these who have been refused since they were let in: their key was revoked, has expired, or has other scopes now. For what stays
   * open when keys change. One query, however many there are. Tokens end by themselves: see `expires_at`.
   */
  refusedNow(principals: Iterable<Principal>): Promise<Set<Principal>>;
}

export interface IdentifierDeps {
  db: Queryable;
  keys: Pick<Authenticator, 'authenticate' | 'rateOf'>;
  users: UserPrincipals;
  /** null: no tokens are taken. */
  tokens: Tokens | null;
  /** null: there is none. */
  gateway: Gateway | null;
  /** What a gateway's users may. */
  userScopes: ReadonlySet<string>;
  redeem: RedeemTicket;
}

export function createIdentifier(deps: IdentifierDeps): Identifier {
  const { db, keys, users, tokens, gateway, userScopes, redeem } = deps;

  function identify(request: Asking): Principal | Promise<Principal> {
    const { authorization, 'x-api-key': key } = request.headers;
    const bearer = bearerOf(authorization);
    if (bearer !== null) {
      if (tokens === null || !looksLikeToken(bearer)) return byKey(bearer, request);
      const found = tokens.authenticate(bearer);
      return found instanceof Promise ? found.then((one) => ofHimself(one, request)) : ofHimself(found, request);
    }
    if (typeof key === 'string') return byKey(key, request);
    return byGateway(request);
  }

  function byKey(key: string, request: Asking): Principal | Promise<Principal> {
    const found = keys.authenticate(key);
    return found instanceof Promise ? found.then((one) => speaking(one, request)) : speaking(found, request);
  }

  async function byGateway(request: Asking): Promise<Principal> {
    const user = namedUser(request);
    if (user === null) throw new AldisError('unauthorized');
    if (gateway === null || !gateway.admits(request.socket.remoteAddress)) {
      throw new AldisError('unauthorized', ALONE);
    }
    const { tenant } = gateway;
    const found = await users.of({ by: 'gateway', tenant, user, scopes: userScopes, expires_at: null });
    if (found === null) throw new AldisError('unauthorized', NO_TENANT);
    return found;
  }

  return {
    identify,
    identifySocket(request, ticket) {
      const { authorization, 'x-api-key': key } = request.headers;
      if (ticket === null || bearerOf(authorization) !== null || key !== undefined) return identify(request);
      return redeem(ticket).then((holder) => {
        if (holder === null) throw new AldisError('unauthorized', USED_UP);
        return ofHimself(principalOfTicket(holder, keys.rateOf), request);
      });
    },
    async refusedNow(principals) {
      const asked = [...principals].filter(({ by }) => by === 'key');
      const live = new Map<string, readonly string[]>();
      const different = new Map(asked.map((one) => [one.key_id, one]));
      for (const { id, scopes } of await findLiveKeys(db, [...different.values()])) live.set(id, scopes);
      return new Set(asked.filter((one) => !stillMay(one, live.get(one.key_id))));
    },
  };
}

/** The key's holder, or the user whom he names. @throws {AldisError} */
function speaking(holder: Principal | null, request: Asking): Principal {
  if (holder === null) throw new AldisError('unauthorized', 'This key is not known, or no longer valid.');
  if (request.headers['x-user-id'] === undefined) return holder;
  if (!may(holder, 'act_as')) {
    const text = 'X-User-ID names a user, and the key lacks the scope act_as.';
    throw new AldisError('forbidden', text, { details: { scope: 'act_as' } });
  }
  return { ...holder, user_id: namedUser(request) };
}

/** A user may say his own name beside what proves it, and no other. @throws {AldisError} */
function ofHimself(principal: Principal, request: Asking): Principal {
  if (request.headers['x-user-id'] === undefined || namedUser(request) === principal.user_id) return principal;
  throw new AldisError('forbidden', 'X-User-ID names another user than the one who asks.', { field: 'X-User-ID' });
}

/** Whether what was let in once would be again: its key lives, and may all that it could. */
function stillMay({ scopes, user_id }: Principal, now: readonly string[] | undefined): boolean {
  if (now === undefined) return false;
  if (now.includes('admin')) return true;
  return [...scopes].every((scope) => now.includes(scope)) && (user_id === null || now.includes('act_as'));
}

const BEARER = 'bearer ';

/** The name of a scheme may be written in capitals (RFC 9110, 11.1). */
function bearerOf(authorization: Asking['headers'][string]): string | null {
  if (typeof authorization !== 'string' || authorization.slice(0, BEARER.length).toLowerCase() !== BEARER) return null;
  return authorization.slice(BEARER.length).trim();
}

const ALONE =
  'X-User-ID alone proves nothing: it counts beside a key with the scope act_as, or from the address of a gateway (auth.gateway.addresses).';
const NO_TENANT = 'The tenant of the gateway (auth.gateway.tenant) is not known here.';
const USED_UP = 'The ticket is not known: it counts once, for half a minute.';
