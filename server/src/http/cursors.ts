import { AldisError } from '../domain/errors.ts';
import type { MessageId } from '../domain/ids.ts';

/**
 * Cursors: places in a list, written so that nobody takes them apart. A page goes on after a record: its id, 16 bytes.
 */
const PAGE_BYTES = 16;

export function writePageCursor(id: string): string {
  return uuidBytes(id).toString('base64url');
}

/** @throws {AldisError} `invalid_cursor` */
export function readPageCursor(cursor: string): MessageId {
  return uuidOf(bytesOf(cursor, PAGE_BYTES, 'cursor')) as MessageId;
}

/** A page of a list in the order of names goes on behind a name. */
export function writeNameCursor(name: string): string {
  return Buffer.from(name).toString('base64url');
}

/** @throws {AldisError} `invalid_cursor` */
export function readNameCursor(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (!/^[\w-]{1,64}$/.test(name) || writeNameCursor(name) !== cursor) {
    throw new AldisError('invalid_cursor', undefined, { field: 'cursor' });
  }
  return name;
}

function bytesOf(cursor: string, length: number, field: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  // Decoding forgives what is no base64url; writing it again does not.
  if (bytes.length !== length || bytes.toString('base64url') !== cursor) {
    throw new AldisError('invalid_cursor', undefined, { field });
  }
  return bytes;
}

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
