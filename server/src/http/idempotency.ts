import { hash } from 'node:crypto';
import type { Barred, Idempotency, IdempotencyConflict, Limited } from '../actions/accepted.ts';
import { AldisError } from '../domain/errors.ts';
import type { MessageId } from '../domain/ids.ts';
import { limitError } from '../domain/limits.ts';
import type { HttpRequest } from './typebox-provider.ts';

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/**
 * The client's own mark on a request, if it gave one.
 * @throws {AldisError} `invalid_field` for a key that cannot be one.
 */
export function idempotencyOf(request: HttpRequest): Idempotency | null {
  const key = keyOf(request);
  if (key === null) return null;
  if (request.bodyHash === null) throw new AldisError('missing_field', 'The body is missing.', { field: 'body' });
  return { key, hash: request.bodyHash };
}

/**
 * The same for a request without a body: what is asked is all that it says.
 * @throws {AldisError} `invalid_field` for a key that cannot be one.
 */
export function changeKeyOf(request: HttpRequest, change: string, id: MessageId): Idempotency | null {
  const key = keyOf(request);
  return key === null ? null : { key, hash: hash('sha256', `${change} ${id}`, 'buffer') };
}

/**
 * The same for a request that changes one record: its body, and which record.
 * @throws {AldisError} `invalid_field`, `missing_field`
 */
export function patchKeyOf(request: HttpRequest, id: MessageId): Idempotency | null {
  const asked = idempotencyOf(request);
  if (asked === null) return null;
  return { key: asked.key, hash: hash('sha256', Buffer.concat([Buffer.from(`change ${id} `), asked.hash]), 'buffer') };
}

function keyOf({ headers, principal }: HttpRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && PRINTABLE.test(key)) {
    const user = principal?.user_id ?? null;
    // Users of a tenant know nothing of each other's keys: each has his own. As a hash, for a column has a length.
    return user === null ? key : `user:${hash('sha256', `${user}\n${key}`, 'base64url')}`;
  }
  throw new AldisError('invalid_field', 'Idempotency-Key must be 1 to 255 printable ASCII characters.', {
    field: 'Idempotency-Key',
  });
}

/**
 * The error for a key that was used for something else, or is being worked on; for a limit without room; for a recipient that the
 * message may not go to.
 */
export function conflictError(conflict: IdempotencyConflict | Limited | Barred): AldisError {
  if (conflict.kind === 'refused') return new AldisError(conflict.code);
  if (conflict.kind === 'limited') return limitError(conflict, Date.now());
  const field = 'Idempotency-Key';
  return conflict.kind === 'mismatch'
    ? new AldisError('idempotency_mismatch', undefined, { field })
    : new AldisError('idempotency_in_progress', undefined, { field, retryAfter: 1 });
}
