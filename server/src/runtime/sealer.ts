import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Seals secrets for the database: AES-256-GCM with a random 96-bit nonce, under versioned keys. What a secret belongs to
 * (table, row, column) is authenticated with it, so that sealed values cannot be swapped between rows.
 *
 * Layout: version (1 byte), nonce (12), tag (16), then the encrypted bytes.
 */
export interface Sealer {
  /** @param place what the secret belongs to: `senders/TENANT/ID/access_token`. */
  seal(secret: string, place: string): Buffer;
  /** @throws {WrongKey} when no key opens it, or it was sealed for another place. */
  open(sealed: Buffer, place: string): string;
  /** The version of the key that seals; another one in the first byte of a sealed value is an older key's. */
  readonly newest: number;
}

/** The secret cannot be opened with the keys at hand. */
export class WrongKey extends Error {
  override name = 'WrongKey';
}

const NONCE = 12;
const TAG = 16;
const HEAD = 1 + NONCE + TAG;

/** @param keys at least one, of 32 bytes each; the highest version seals, all open. Versions 1 to 255. */
export function createSealer(keys: readonly { version: number; key: Buffer }[]): Sealer {
  const byVersion = new Map(keys.map(({ version, key }) => [version, key]));
  const newest = Math.max(...byVersion.keys());
  const sealing = byVersion.get(newest);
  if (!sealing) throw new Error('a sealer needs a key');
  return {
    newest,
    seal(secret, place) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([newest]), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, place) {
      const key = byVersion.get(sealed[0] ?? 0);
      if (!key || sealed.length < HEAD) throw new WrongKey(`no key of version ${sealed[0] ?? 'none'} for ${place}`);
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE))
        .setAAD(Buffer.from(place))
        .setAuthTag(sealed.subarray(1 + NONCE, HEAD));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(HEAD)), decipher.final()]).toString('utf8');
      } catch {
        throw new WrongKey(`the key of version ${sealed[0]} does not open ${place}`);
      }
    },
  };
}
