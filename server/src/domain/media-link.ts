import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MediaId, TenantId } from './ids.ts';

/** Links to files: whoever holds one may read the file until it expires, without a key. */
export interface MediaLinks {
  /** A token for a file. @param until milliseconds since 1970; told in whole seconds. */
  write(tenant: TenantId, id: MediaId, until: number): string;
  /** What a token names; null when it is none of ours. Whether it has expired is for the reader to see. */
  read(token: string): { tenant: TenantId; id: MediaId; until: number } | null;
}

const ID = 16;
const SAID = 2 * ID + 5;
const MAC = 16;

/** @param secret of the installation; links get a key of their own, made of it. */
export function mediaLinks(secret: Buffer): MediaLinks {
  const key = createHmac('sha256', secret).update('links to media').digest();
  const macOf = (said: Buffer) => createHmac('sha256', key).update(said).digest().subarray(0, MAC);
  return {
    write(tenant, id, until) {
      const said = Buffer.alloc(SAID);
      said.write(tenant.replaceAll('-', ''), 0, 'hex');
      said.write(id.replaceAll('-', ''), ID, 'hex');
      said.writeUIntBE(Math.floor(until / 1000), 2 * ID, 5);
      return Buffer.concat([said, macOf(said)]).toString('base64url');
    },
    read(token) {
      const bytes = Buffer.from(token, 'base64url');
      // Decoding forgives what is no base64url; writing it again does not.
      if (bytes.length !== SAID + MAC || bytes.toString('base64url') !== token) return null;
      const said = bytes.subarray(0, SAID);
      if (!timingSafeEqual(bytes.subarray(SAID), macOf(said))) return null;
      return {
        tenant: uuidAt(said, 0) as TenantId,
        id: uuidAt(said, ID) as MediaId,
        until: said.readUIntBE(2 * ID, 5) * 1000,
      };
    },
  };
}

function uuidAt(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + ID);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
