import { createHmac, hash } from 'node:crypto';

/** HMAC-SHA256 with one key, of any text or bytes: its 32 bytes as text. */
export type Hmac = (data: string | Buffer, encoding: 'hex' | 'base64url') => string;

const BLOCK = 64;
const DIGEST = 32;
/** Data longer than this is rare, and its hashing the larger part of the work. Bytes. */
const SHORT = 16 << 10;

/**
 * Makes the function of a key. It is HMAC as RFC 2104 writes it, of two hashes in one call each: Node's own is an object with a
 * native handle for each use, which the collector has to finalise, and several are made for each message. Hashes are taken as text:
 * a Buffer of one costs three times as much, for the same reason.
 */
export function hmacSha256(key: string | Buffer): Hmac {
  const bytes = Buffer.from(key);
  const short = bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes;
  // Nothing is waited for between filling these and hashing them, so that all calls may share them.
  const inner = padded(short, 0x36, BLOCK + SHORT);
  const outer = padded(short, 0x5c, BLOCK + DIGEST);
  return (data, encoding) => {
    const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    if (length > SHORT) return createHmac('sha256', bytes).update(data).digest(encoding);
    if (typeof data === 'string') inner.write(data, BLOCK);
    else data.copy(inner, BLOCK);
    outer.write(hash('sha256', inner.subarray(0, BLOCK + length), 'binary'), BLOCK, 'binary');
    return hash('sha256', outer, encoding);
  };
}

/** The key in its block, each byte turned by `pad`, with room behind it. */
function padded(key: Buffer, pad: number, length: number): Buffer {
  const block = Buffer.alloc(length, pad);
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
  return block;
}
