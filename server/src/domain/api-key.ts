import { hash, randomBytes } from 'node:crypto';

/** A new API key: 192 random bits behind a prefix that tells what it is. It is shown once; only its hash is stored. */
export function newApiKey(): string {
  return `aldis_${randomBytes(24).toString('base64url')}`;
}

/** What is stored of a key: its SHA-256. */
export function hashApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
