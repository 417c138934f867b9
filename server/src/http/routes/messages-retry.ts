import type { RetryRefusal } from '../../domain/dead-letters.ts';
import { AldisError } from '../../domain/errors.ts';
import type { MessageId, TenantId } from '../../domain/ids.ts';
import { findMessage } from '../../store/messages.read.ts';
import type { HttpDeps } from '../http-deps.ts';

/** Why a message is not sent again, in words that fit it. */
export async function retryRefused(
  { db }: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  id: MessageId,
  refusal: RetryRefusal,
): Promise<AldisError> {
  switch (refusal) {
    case 'may_have_arrived':
      return new AldisError('may_have_arrived', undefined, { field: 'accept_duplicate' });
    case 'recipient_suppressed':
      return new AldisError('recipient_suppressed', 'The recipient has opted out of messages of this kind since.');
    case 'recorded':
      return new AldisError('not_retryable', 'The message was only recorded here: it was sent elsewhere.');
    case 'expired':
      return new AldisError(
        'not_retryable',
        'The message has failed, but its expires_at has passed, or comes before WhatsApp would take it again. Send a new one.',
      );
    case 'quota_exceeded':
    case 'daily_limit_reached':
      return new AldisError(refusal);
    case 'not_failed': {
      const message = await findMessage(db, tenant, id);
      if (message?.state !== 'expired') return new AldisError('not_retryable');
      return new AldisError('not_retryable', 'The message has expired: what it says is out of date. Send a new one.');
    }
  }
}
