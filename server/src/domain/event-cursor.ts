import { createHash } from 'node:crypto';
import type { TenantId } from './ids.ts';

/**
 * A place in a tenant's event log: after the event with this transaction id and event id. Transactions get their ids when
 * they begin and end in any order, so only what lies below every open transaction is read: nothing can appear behind
 * a place once read.
 */
export interface EventPosition {
  /** A transaction id of 64 bits, as decimal digits. */
  xid: string;
  id: string;
}

/** Where a reader of a part of the log is. */
export interface ReadPosition extends EventPosition {
  /** The last event that he saw, where he has read on since over events that are not for him. */
  seen?: EventPosition;
}

/**
 * Cursors of a tenant's event log, written so that nobody takes them apart: a check that they are this tenant's, 4 bytes, then a
 * place, 24 bytes: the transaction and the event. A reader of a part of the log may have a second place, of the last event he saw:
 * the chain of his events goes on from there.
 */
export interface EventCursors {
  write(position: ReadPosition): string;
  /** @returns null for what is no cursor of this tenant's log. */
  read(cursor: string): ReadPosition | null;
}

const CHECK = 4;
const PLACE = 24;

export function eventCursors(tenant: TenantId): EventCursors {
  const check = createHash('sha256').update(tenant).digest().subarray(0, CHECK);
  return {
    write(position) {
      const { seen } = position;
      const two = seen !== undefined && (seen.id !== position.id || seen.xid !== position.xid);
      const bytes = Buffer.allocUnsafe(CHECK + (two ? 2 : 1) * PLACE);
      check.copy(bytes);
      writePlace(bytes, CHECK, position);
      if (two) writePlace(bytes, CHECK + PLACE, seen);
      return bytes.toString('base64url');
    },
    read(cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      // Decoding forgives what is no base64url; writing it again does not.
      if (bytes.toString('base64url') !== cursor || !bytes.subarray(0, CHECK).equals(check)) return null;
      if (bytes.length === CHECK + PLACE) return readPlace(bytes, CHECK);
      if (bytes.length !== CHECK + 2 * PLACE) return null;
      return { ...readPlace(bytes, CHECK), seen: readPlace(bytes, CHECK + PLACE) };
    },
  };
}

function writePlace(bytes: Buffer, at: number, { xid, id }: EventPosition): void {
  bytes.writeBigUInt64BE(BigInt(xid), at);
  bytes.write(id.replaceAll('-', ''), at + 8, 'hex');
}

function readPlace(bytes: Buffer, at: number): EventPosition {
  const hex = bytes.toString('hex', at + 8, at + PLACE);
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { xid: bytes.readBigUInt64BE(at).toString(), id };
}

/** Whether a place lies before another in the log. */
export function isBefore(one: EventPosition, other: EventPosition): boolean {
  const [a, b] = [BigInt(one.xid), BigInt(other.xid)];
  return a === b ? one.id < other.id : a < b;
}
