import type { Quota } from '../access/quota.ts';
import type { Idempotency, Limited } from '../actions/accepted.ts';
import { AldisError, type ErrorCode } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import { findUsedKey } from '../store/idempotency-keys.read.ts';
import type { HttpDeps } from './http-deps.ts';

const EXCEEDED: Limited = { kind: 'limited', code: 'quota_exceeded', resets_at: null };
const WARNINGS = ['quota_unchecked'] as const;

/**
 * What routes accept by, behind the quota that the tenant service keeps: it is asked once a request, whichever route that came
 * by. A request that was accepted before under its key has the same answer again, whatever the quota is now.
 */
export function gateAccepting(deps: HttpDeps, quota: Quota): HttpDeps {
  async function within<A extends { kind: string; warnings?: readonly ErrorCode[] }>(
    tenant: TenantId,
    idempotency: Idempotency | null,
    accept: () => Promise<A>,
  ): Promise<A | Limited> {
    const verdict = await quota.check(tenant);
    if (verdict === 'allowed') return accept();
    if (verdict === 'unchecked') {
      const accepted = await accept();
      return accepted.kind === 'accepted'
        ? { ...accepted, warnings: [...(accepted.warnings ?? []), ...WARNINGS] }
        : accepted;
    }
    if (idempotency && (await findUsedKey(deps.db, tenant, idempotency.key))) return accept();
    if (verdict === 'exceeded') return EXCEEDED;
    throw new AldisError('unavailable', 'The tenant service does not answer; try again in a moment.', {
      retryAfter: 1,
    });
  }

  return {
    ...deps,
    acceptMessage: (tenant, message, idempotency) =>
      within(tenant, idempotency, () => deps.acceptMessage(tenant, message, idempotency)),
    acceptBatch: (tenant, items, idempotency) => {
      const accept = () => deps.acceptBatch(tenant, items, idempotency);
      // Of a batch without a good item nothing is sent.
      return items.some(({ kind }) => kind === 'message') ? within(tenant, idempotency, accept) : accept();
    },
  };
}
