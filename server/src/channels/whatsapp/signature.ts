import { hash, timingSafeEqual } from 'node:crypto';
import type { Hmac } from './hmac.ts';

// Filled and compared without waiting for anything in between, so that all calls may share them.
const given = Buffer.alloc(32);
const right = Buffer.alloc(32);

/**
 * Whether a webhook was signed by the app: `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the raw bytes with the
 * app's secret, in hex (Meta's page webhooks/create-webhook-endpoint). Raw, for Meta signs its own escaping of the JSON;
 * compared in constant time.
 * @param mac of the app's secret.
 */
export function isSignedBy(mac: Hmac, body: Buffer, header: string | undefined): boolean {
  if (header?.length !== 71 || !header.startsWith('sha256=')) return false;
  // What is no hex ends the writing early.
  if (given.write(header.slice(7), 'hex') !== given.length) return false;
  right.write(mac(body, 'hex'), 'hex');
  return timingSafeEqual(given, right);
}

/** Compares two secrets in time that does not tell where they differ. */
export function isSameSecret(given: string, right: string): boolean {
  const hashOf = (text: string) => hash('sha256', text, 'buffer');
  return timingSafeEqual(hashOf(given), hashOf(right));
}
