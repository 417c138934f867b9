import { AldisError } from '../domain/errors.ts';
import type { RequestBucket } from '../domain/request-rate.ts';
import type { HttpReply } from './typebox-provider.ts';

/**
 * Counts a request against a rate, its tenant's (`default`) or its user's, and tells in the answer how it stands: the fields of
 * draft-ietf-httpapi-ratelimit-headers-10, `RateLimit-Policy` (q requests in w seconds) and `RateLimit` (r are left, t seconds
 * until that changes for the better).
 * @returns the refusal, when there was no room.
 */
export function spend(
  bucket: RequestBucket,
  reply: HttpReply,
  policy: 'default' | 'user' = 'default',
): AldisError | undefined {
  // The monotonic clock: a bucket must not fill because somebody set the time.
  const { allowed, remaining, reset } = bucket.take(performance.now());
  const { burst, per_second } = bucket.rate;
  reply.header('ratelimit-policy', `"${policy}";q=${burst};w=${Math.max(1, Math.ceil(burst / per_second))}`);
  reply.header('ratelimit', `"${policy}";r=${remaining};t=${reset}`);
  return allowed ? undefined : new AldisError('rate_limited', undefined, { retryAfter: reset });
}
