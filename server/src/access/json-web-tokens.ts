import { createPublicKey, type KeyObject } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AldisError } from '../domain/errors.ts';
import { isReference } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { SigningKeys } from './signing-keys.ts';

/** What a token is held against. */
export interface TokenSettings {
  issuer: string;
  /** One of these has to be among the token's. */
  audience: readonly string[];
  /** What may sign. HS256, HS384 and HS512 are checked with `secret` alone, all others with public keys alone. */
  algorithms: readonly string[];
  /** SPKI as PEM. */
  public_key: string | null;
  secret: string | null;
  user_claim: string;
  /** The claim that has the tenant's own or external id; null: all are of `tenant`. */
  tenant_claim: string | null;
  tenant: string | null;
  /** The claim that narrows `scopes`: words parted by spaces (RFC 8693), or a list of them. null: none does. */
  scopes_claim: string | null;
  /** The most that a token lets its user do. */
  scopes: readonly string[];
  /** Milliseconds that clocks may differ. */
  clock_tolerance: number;
}

/** What a token says that holds. */
export interface TokenUser {
  user: string;
  /** The tenant's own or external id. */
  tenant: string;
  scopes: readonly string[];
  /** Milliseconds since 1970, the tolerance included. */
  expires_at: number;
}

export interface TokenReader {
  /** @throws {AldisError} `unauthorized` with what is wrong in words and as `details.reason`; `unavailable` without the issuer's keys. */
  read(token: string): Promise<TokenUser>;
}

export interface TokenReaderDeps {
  settings: TokenSettings;
  /** The keys that the issuer publishes; null: it publishes none. */
  published: SigningKeys | null;
  clock: Clock;
}

/** Three parts (RFC 7515, 7.1) or five (RFC 7516, 7.1), the first of which begins as a JSON object does. No API key of ours looks like that. */
const SHAPE = /^eyJ[\w-]*(?:\.[\w-]*){2,4}$/;
/** Characters. The head of a request has 16 KiB by default. */
const LONGEST = 8192;

/** The last millisecond of the year 9999: all that is written of a time, here and in the database, can say it. */
const LATEST = Date.UTC(10_000, 0) - 1;

/** Whether a credential is a token by its looks. */
export function looksLikeToken(text: string): boolean {
  return SHAPE.test(text);
}

/** @throws {Error} when the public key is none. */
export function createTokenReader({ settings, published, clock }: TokenReaderDeps): TokenReader {
  const { issuer, algorithms, secret, public_key, clock_tolerance, user_claim, tenant_claim, scopes_claim } = settings;
  const shared = secret === null ? null : new TextEncoder().encode(secret);
  const own: KeyObject | null = public_key === null ? null : createPublicKey(public_key.replaceAll('\\n', '\n'));

  // What signs is chosen by us, by the kind of the algorithm: a public key is never taken for a secret.
  const keyOf: JWTVerifyGetKey = (header, token) => {
    if (header.alg.startsWith('HS')) {
      if (shared === null) throw new errors.JOSEAlgNotAllowed();
      return shared;
    }
    if (own !== null) return own;
    if (published === null) throw new errors.JOSEAlgNotAllowed();
    return published.find(header, token);
  };

  async function verify(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        issuer,
        audience: [...settings.audience],
        algorithms: [...algorithms],
        requiredClaims: ['exp', user_claim],
        clockTolerance: clock_tolerance / 1000,
        currentDate: new Date(clock.now()),
      });
      return payload;
    } catch (error) {
      throw error instanceof AldisError ? error : refusalOf(error);
    }
  }

  return {
    async read(token) {
      if (token.length > LONGEST) throw refusal('too_long', `The token is longer than ${LONGEST} characters.`);
      if (token.split('.').length !== 3)
        throw refusal('malformed', 'The token is encrypted, or no token: give a signed one.');
      const claims = await verify(token);
      const user = wordOf(claims[user_claim]);
      if (user === null) throw refusal('user', `The claim ${user_claim} of the token is no possible user id.`);
      const tenant = tenant_claim === null ? settings.tenant : wordOf(claims[tenant_claim]);
      if (tenant === null) throw refusal('tenant', 'The token names no tenant.');
      const told = scopes_claim === null ? null : wordsOf(claims[scopes_claim]);
      return {
        user,
        tenant,
        scopes: told === null ? settings.scopes : settings.scopes.filter((scope) => told.includes(scope)),
        // Verified to be there. An issuer that counts in milliseconds or less says a time that no calendar has.
        expires_at: Math.min(Number(claims.exp) * 1000 + clock_tolerance, LATEST),
      };
    },
  };
}

/** An id as a claim has it; a whole number is one too. */
function wordOf(claim: unknown): string | null {
  const word = Number.isSafeInteger(claim) ? String(claim) : claim;
  return typeof word === 'string' && isReference(word) ? word : null;
}

/** A token without the claim that says what it may, may nothing. */
function wordsOf(claim: unknown): readonly unknown[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim : [];
}

/** Why a token is refused: for programs, in `details.reason`. */
type Reason =
  | 'malformed'
  | 'too_long'
  | 'algorithm'
  | 'signature'
  | 'unknown_key'
  | 'expired'
  | 'not_yet_valid'
  | 'issuer'
  | 'audience'
  | 'claims'
  | 'user'
  | 'tenant';

/** A token that is refused. The text names what is wrong, and nothing that the token says. */
export function refusal(reason: Reason, text: string): AldisError {
  return new AldisError('unauthorized', text, { details: { reason } });
}

const CLAIMS: Readonly<Record<string, readonly [Reason, string]>> = {
  iss: ['issuer', 'The token is of another issuer than the one that is trusted here.'],
  aud: ['audience', 'The token is not meant for this service: its audience is another.'],
  nbf: ['not_yet_valid', 'The token is not valid yet.'],
};

function refusalOf(error: unknown): AldisError {
  if (error instanceof errors.JWTExpired) return refusal('expired', 'The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    const [word, text] = CLAIMS[claim] ?? (['claims', `The claim ${claim} of the token cannot be accepted.`] as const);
    return refusal(word, reason === 'missing' ? `The token has no claim ${claim}, which is needed.` : text);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return refusal('algorithm', 'The token is signed in a way that is not allowed here.');
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return refusal('unknown_key', 'The token is signed by a key that its issuer does not publish.');
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return refusal('unknown_key', "The token does not say which of its issuer's keys signed it (kid).");
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return refusal('malformed', 'The token is not well formed.');
  }
  // A wrong signature; or a key that is of another kind than the algorithm, or too weak for it.
  return refusal('signature', 'The signature of the token does not hold.');
}
