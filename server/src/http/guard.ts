import type { onRequestHookHandler } from 'fastify';
import type { Authenticator } from '../access/api-keys.ts';
import { may, type Principal } from '../access/principal.ts';
import type { Scope } from '../domain/api-key.ts';
import { AldisError } from '../domain/errors.ts';
import { spend } from './rate-limit.ts';
import type { HttpReply, HttpRequest } from './typebox-provider.ts';

/**
 * The guard of a route: finds out who asks before the body is read, and refuses who may not.
 * Written with a callback: for a key that was seen lately nothing is waited for.
 */
export function guard(keys: Authenticator, scope: Scope): onRequestHookHandler {
  return (request, reply, done) => {
    const key = keyOf(request);
    if (key === null) {
      done(new AldisError('unauthorized'));
      return;
    }
    const found = keys.authenticate(key);
    if (!(found instanceof Promise)) {
      done(admit(request, reply, found, scope));
      return;
    }
    found.then((principal) => done(admit(request, reply, principal, scope)), done);
  };
}

/** Who asks, on a route that has a guard. */
export function principalOf(request: HttpRequest): Principal {
  if (request.principal === null) throw new Error('a route without a guard asked who is there');
  return request.principal;
}

function admit(
  request: HttpRequest,
  reply: HttpReply,
  principal: Principal | null,
  scope: Scope,
): AldisError | undefined {
  if (principal === null) return new AldisError('unauthorized', 'This key is not known, or no longer valid.');
  // A refusal is answered in the key's dialect too.
  request.principal = principal;
  const tooMany = principal.rate === null ? undefined : spend(principal.rate, reply);
  if (tooMany) return tooMany;
  if (!may(principal, scope)) {
    return new AldisError('forbidden', `The key lacks the scope ${scope}.`, { details: { scope } });
  }
  return undefined;
}

const BEARER = 'bearer ';

/** The name of a scheme may be written in capitals (RFC 9110, 11.1). */
function keyOf({ headers }: HttpRequest): string | null {
  const { authorization } = headers;
  if (authorization?.slice(0, BEARER.length).toLowerCase() === BEARER) return authorization.slice(BEARER.length).trim();
  const key = headers['x-api-key'];
  return typeof key === 'string' ? key : null;
}
