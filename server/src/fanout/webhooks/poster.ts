import { place } from '../../actions/sealed-places.ts';
import { beginningOf, mayWish, refusalOf, type TryOutcome } from '../../domain/webhook-retry.ts';
import { signatureHeaders, signingKey } from '../../domain/webhook-signature.ts';
import type { GuardedFetch } from '../../net/guarded-fetch.ts';
import { retryAfter } from '../../net/retry-after.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Sealer } from '../../runtime/sealer.ts';
import type { DueEndpoint } from '../../store/webhook-endpoints.read.ts';

/** Posts one event to one endpoint, once. */
export interface Poster {
  /** Never rejects: what went wrong is told. `keys`: what `keysOf` gave. */
  post(url: string, keys: readonly Buffer[], id: string, body: string): Promise<TryOutcome>;
  /** What signs for an endpoint. @throws {WrongKey} */
  keysOf(endpoint: DueEndpoint): Buffer[];
}

export interface PosterDeps {
  client: GuardedFetch;
  sealer: Sealer;
  clock: Clock;
}

export function createPoster({ client, sealer, clock }: PosterDeps): Poster {
  return {
    async post(url, keys, id, body) {
      const headers = { 'content-type': 'application/json', ...signatureHeaders(keys, id, clock.now(), body) };
      try {
        const answer = await client.send({ method: 'POST', url, headers, body });
        const { status } = answer;
        const detail = refusalOf(status);
        if (detail === null) return { kind: 'delivered', status };
        const wish = mayWish(status) ? retryAfter(answer.headers['retry-after'], clock.now()) : null;
        return { kind: 'failed', status, detail, answer: beginningOf(answer.body), retryAfter: wish };
      } catch (error) {
        const detail = beginningOf(error instanceof Error ? error.message : String(error)) ?? 'no answer';
        return { kind: 'failed', status: null, detail, answer: null, retryAfter: null };
      }
    },
    keysOf({ tenant_id, id, secret_sealed, previous_secret_sealed: previous }) {
      const where = place.webhookSecret(tenant_id, id);
      const sealed = previous === null ? [secret_sealed] : [secret_sealed, previous];
      return sealed.map((one) => signingKey(sealer.open(one, where)));
    },
  };
}
