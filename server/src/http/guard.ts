import type { onRequestHookHandler } from 'fastify';
import type { Identifier } from '../access/identify.ts';
import { may, type Principal } from '../access/principal.ts';
import type { Scope } from '../domain/api-key.ts';
import { AldisError } from '../domain/errors.ts';
import { spend } from './rate-limit.ts';
import type { HttpReply, HttpRequest } from './typebox-provider.ts';

/**
 * The guard of a route: finds out who asks before the body is read, and refuses who may not.
 * Written with a callback: for a key that was seen lately nothing is waited for.
 * @param alternatives any of these lets in as well; what the route does for whom is then for the route to `demand`.
 */
export function guard(
  keys: Pick<Identifier, 'identify'>,
  scope: Scope,
  ...alternatives: readonly Scope[]
): onRequestHookHandler {
  return (request, reply, done) => {
    let found: Principal | Promise<Principal>;
    try {
      found = keys.identify(request.raw);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (found instanceof Promise) {
      found.then((principal) => done(admit(request, reply, principal, scope, alternatives)), done);
    } else done(admit(request, reply, found, scope, alternatives));
  };
}

/** Who asks, on a route that has a guard. */
export function principalOf(request: HttpRequest): Principal {
  if (request.principal === null) throw new Error('a route without a guard asked who is there');
  return request.principal;
}

/** @throws {AldisError} `forbidden` when a principal may not do what needs this scope. */
export function demand(principal: Principal, scope: Scope): void {
  const refusal = lacking(principal, scope);
  if (refusal) throw refusal;
}

function admit(
  request: HttpRequest,
  reply: HttpReply,
  principal: Principal,
  scope: Scope,
  alternatives: readonly Scope[],
): AldisError | undefined {
  // A refusal is answered in the key's dialect too.
  request.principal = principal;
  const { rate, user_rate } = principal;
  // His own first: who asks too much takes nothing of what is everybody's.
  const tooMany = (user_rate && spend(user_rate, reply, 'user')) ?? (rate && spend(rate, reply));
  if (tooMany) return tooMany;
  return alternatives.some((other) => may(principal, other)) ? undefined : lacking(principal, scope);
}

function lacking(principal: Principal, scope: Scope): AldisError | undefined {
  if (may(principal, scope)) return undefined;
  const who = { key: 'key', token: 'token', gateway: 'user' }[principal.by];
  return new AldisError('forbidden', `The ${who} lacks the scope ${scope}.`, { details: { scope } });
}
