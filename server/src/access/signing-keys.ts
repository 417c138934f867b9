import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AldisError } from '../domain/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** The keys an issuer signs with now, as it publishes them (RFC 7517), for `jwtVerify`. */
export interface SigningKeys {
  /**
   * The key that a token names.
   * @throws {AldisError} `unavailable` when the issuer's keys cannot be had. @throws {errors.JWKSNoMatchingKey} when it has none such.
   */
  find: JWTVerifyGetKey;
}

export interface SigningKeysDeps {
  /** Asks the issuer. Throws when it gives no set of keys. */
  fetch: () => Promise<JSONWebKeySet>;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

/** Milliseconds. From then on keys are asked for again, beside the requests: what the issuer took back is gone soon. */
const FRESH = 5 * 60_000;
/** So long what was read last is good while the issuer does not answer. */
const GOOD = 24 * 3_600_000;
/** A token with an unknown key makes us ask at most so often, whoever makes such tokens up. */
const UNKNOWN_EVERY = 30_000;
/** After a failure nobody asks for so long. */
const FAILED_PAUSE = 1000;
/** While it fails again and again it is logged so often. */
const LOG_EVERY = 30_000;

/** Makes the keys of one issuer. Nothing is asked before the first token. */
export function createSigningKeys({ fetch, clock, logger }: SigningKeysDeps): SigningKeys {
  let known: JWTVerifyGetKey | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let loggedAt = Number.NEGATIVE_INFINITY;
  let unknownAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<boolean> | undefined;

  async function read(): Promise<boolean> {
    try {
      known = createLocalJWKSet(await fetch());
      readAt = clock.monotonic();
      failedAt = loggedAt = Number.NEGATIVE_INFINITY;
      return true;
    } catch (error) {
      failedAt = clock.monotonic();
      if (failedAt - loggedAt >= LOG_EVERY) {
        loggedAt = failedAt;
        logger.warn({ error }, "the issuer's signing keys (auth.jwt.jwks_url) could not be read; it is tried again");
      }
      return false;
    }
  }

  /** Whether they could be read now. All who want them at once share one question. */
  async function refresh(): Promise<boolean> {
    if (clock.monotonic() - failedAt < FAILED_PAUSE) return false;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** What is good now. */
  async function current(): Promise<JWTVerifyGetKey> {
    const age = clock.monotonic() - readAt;
    if (age > GOOD) await refresh();
    else if (age > FRESH) void refresh();
    if (known === null || clock.monotonic() - readAt > GOOD) throw unreachable();
    return known;
  }

  return {
    async find(header, token) {
      const keys = await current();
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // Perhaps it is new. Who signs with keys of his own learns nothing, and costs one question in half a minute.
        if (clock.monotonic() - unknownAt < UNKNOWN_EVERY && reading === undefined) throw error;
        unknownAt = clock.monotonic();
        if (!(await refresh())) {
          unknownAt = Number.NEGATIVE_INFINITY;
          throw unreachable();
        }
        return (await current())(header, token);
      }
    },
  };
}

function unreachable(): AldisError {
  const text = "The issuer's signing keys cannot be read now, so no token can be checked; try again in a moment.";
  return new AldisError('unavailable', text, { retryAfter: 1 });
}
