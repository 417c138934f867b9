import type { Authenticator } from '../access/api-keys.ts';
import { createGateway } from '../access/gateway.ts';
import { createIdentifier, type Identifier } from '../access/identify.ts';
import { createTokenReader } from '../access/json-web-tokens.ts';
import { createSigningKeys } from '../access/signing-keys.ts';
import type { RedeemTicket } from '../access/tickets.ts';
import { createTokens, type Tokens } from '../access/tokens.ts';
import { createUserPrincipals, type UserPrincipals } from '../access/users.ts';
import type { Scope } from '../domain/api-key.ts';
import { askKeySet } from '../outside/signing-keys.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';
import type { Common } from './engine.ts';

type Surroundings = Pick<Common, 'db' | 'clock'> & { logger: Pick<Logger, 'warn'> };

/** Milliseconds that an issuer may take to tell its keys. */
const ISSUER_TIMEOUT = 5_000;

/**
 * What finds out who asks, on REST and on sockets.
 * @throws {StartError} when the public key of the configuration is none.
 */
export function buildIdentifier(
  config: Pick<Config, 'auth'>,
  common: Surroundings,
  keys: Authenticator,
  redeem: RedeemTicket,
): Identifier {
  const { db, clock } = common;
  const { gateway, user_scopes, user_requests_per_second: requests_per_second } = config.auth;
  const scopes: readonly Scope[] = user_scopes;
  const users = createUserPrincipals({
    db,
    clock,
    rateOf: keys.rateOf,
    userRate: { requests_per_second, request_burst: null },
  });
  return createIdentifier({
    db,
    keys,
    users,
    tokens: buildTokens(config.auth.jwt, scopes, common, users),
    gateway: gateway.tenant === null ? null : createGateway(gateway.addresses, gateway.tenant),
    userScopes: new Set(scopes),
    redeem,
  });
}

/** What reads users' tokens; null when the configuration names no issuer. */
function buildTokens(
  jwt: Config['auth']['jwt'],
  scopes: readonly Scope[],
  { clock, logger }: Surroundings,
  users: UserPrincipals,
): Tokens | null {
  const { issuer, jwks_url } = jwt;
  if (issuer === null) return null;
  const fetch = jwks_url === null ? null : () => askKeySet(jwks_url, ISSUER_TIMEOUT);
  const published = fetch && createSigningKeys({ fetch, clock, logger });
  try {
    const reader = createTokenReader({ settings: { ...jwt, issuer, scopes }, published, clock });
    return createTokens({ reader, users, clock });
  } catch (error) {
    throw new StartError('auth.jwt.public_key is no public key in PEM: give the one of the issuer', { cause: error });
  }
}
