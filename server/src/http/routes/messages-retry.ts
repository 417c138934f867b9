import { AldisError } from '../../domain/errors.ts';
import type { MessageId, TenantId } from '../../domain/ids.ts';
import { isRecipientSuppressed } from '../../store/consents.read.ts';
import { findMessage } from '../../store/messages.read.ts';
import type { HttpDeps } from '../http-deps.ts';

/** Why a message cannot be retried, in words that fit it. */
export async function whyNotRetryable(
  { db, clock }: Pick<HttpDeps, 'db' | 'clock'>,
  tenant: TenantId,
  id: MessageId,
): Promise<AldisError> {
  const message = await findMessage(db, tenant, id);
  if (message?.state === 'expired') {
    return new AldisError('not_retryable', 'The message has expired: what it says is out of date. Send a new one.');
  }
  if (message?.state === 'failed' && message.expires_at !== null && message.expires_at.getTime() <= clock.now()) {
    return new AldisError('not_retryable', 'The message has failed, but its expires_at has passed. Send a new one.');
  }
  if (message?.state === 'failed' && (await isRecipientSuppressed(db, tenant, id))) {
    return new AldisError('recipient_suppressed', 'The recipient has opted out of messages of this kind since.');
  }
  if (message?.state === 'failed' && message.attempt === 0) {
    return new AldisError('not_retryable', 'The message was only recorded here: it was sent elsewhere.');
  }
  return new AldisError('not_retryable');
}
