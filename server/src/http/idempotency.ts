import type { Idempotency, IdempotencyConflict } from '../actions/accepted.ts';
import { AldisError } from '../domain/errors.ts';
import type { HttpRequest } from './typebox-provider.ts';

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/**
 * The client's own mark on a request, if it gave one.
 * @throws {AldisError} `invalid_field` for a key that cannot be one.
 */
export function idempotencyOf({ headers, bodyHash }: HttpRequest): Idempotency | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !PRINTABLE.test(key)) {
    throw new AldisError('invalid_field', 'Idempotency-Key must be 1 to 255 printable ASCII characters.', {
      field: 'Idempotency-Key',
    });
  }
  if (bodyHash === null) throw new AldisError('missing_field', 'The body is missing.', { field: 'body' });
  return { key, hash: bodyHash };
}

/** The error for a key that was used for something else, or is being worked on. */
export function conflictError({ kind }: IdempotencyConflict): AldisError {
  const field = 'Idempotency-Key';
  return kind === 'mismatch'
    ? new AldisError('idempotency_mismatch', undefined, { field })
    : new AldisError('idempotency_in_progress', undefined, { field, retryAfter: 1 });
}
