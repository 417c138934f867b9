import type { Accepted, Idempotency } from '../actions/accepted.ts';
import type { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import { findUsedKey } from '../store/idempotency-keys.read.ts';
import { findMessage, wasSentAsTemplate } from '../store/messages.read.ts';
import type { HttpDeps } from './http-deps.ts';
import { conflictError } from './idempotency.ts';
import type { Composed } from './references.ts';

type AcceptedOnce = Extract<Accepted, { kind: 'accepted' }>;

/**
 * Accepts a message that has been composed. Gives what was accepted, now or by the same request before.
 * @throws {AldisError} why it was refused.
 */
export async function acceptComposed(
  deps: Pick<HttpDeps, 'db' | 'acceptMessage'>,
  tenant: TenantId,
  composed: Composed,
  idempotency: Idempotency | null,
): Promise<AcceptedOnce> {
  const accepted =
    composed.kind === 'message'
      ? await deps.acceptMessage(tenant, composed.message, idempotency)
      : await acceptedBefore(deps, tenant, idempotency, composed.error);
  if (accepted.kind !== 'accepted') throw conflictError(accepted);
  return accepted;
}

/**
 * The answer to a repeat of a request that was accepted once and would be refused now, because the time it names has passed
 * meanwhile, say. Same key and same body have the same answer.
 * @throws {AldisError} the refusal, when it is no such repeat.
 */
async function acceptedBefore(
  { db }: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  idempotency: Idempotency | null,
  refusal: AldisError,
): Promise<Accepted> {
  const used = idempotency && (await findUsedKey(db, tenant, idempotency.key));
  if (!used) throw refusal;
  if (used.message_id === null || !used.request_hash.equals(idempotency.hash)) return { kind: 'mismatch' };
  const message = await findMessage(db, tenant, used.message_id);
  if (!message) return { kind: 'mismatch' };
  const instead = await wasSentAsTemplate(db, tenant, used.message_id);
  return { kind: 'accepted', replayed: true, message, warnings: instead ? ['sent_as_template'] : [] };
}
