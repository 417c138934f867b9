import type { UserId } from '../domain/chat.ts';
import { AldisError } from '../domain/errors.ts';
import { isReference } from '../domain/ids.ts';
import type { Asking } from './asking.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const ASCII = /^[\x20-\x7e]*$/;
const FIELD = { field: 'X-User-ID' };

/**
 * The user whom the header `X-User-ID` names: 1 to 128 characters, none of them a control character, in UTF-8.
 * @returns null when there is no such header.
 * @throws {AldisError} `invalid_field` when it names nobody, or is there twice: a gateway that adds its own behind a client's would let
 * the client choose.
 */
export function namedUser({ headers, headersDistinct }: Asking): UserId | null {
  const named = headers['x-user-id'];
  if (named === undefined) return null;
  // Node joins what is there twice by commas, which an id may have as well.
  if (typeof named !== 'string' || (named.includes(',') && headersDistinct['x-user-id']?.length !== 1)) {
    throw new AldisError('invalid_field', 'X-User-ID is there more than once.', FIELD);
  }
  const user = ASCII.test(named) ? named : decode(named);
  if (user === null || !isReference(user)) throw new AldisError('invalid_field', WANTED, FIELD);
  return user;
}

const WANTED = 'X-User-ID must be 1 to 128 characters of UTF-8, none of them a control character.';

/** Node gives a header's bytes as one character each. */
function decode(bytes: string): string | null {
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}
