import { hash, timingSafeEqual } from 'node:crypto';
import type { Hmac } from './hmac.ts';

/**
 * Whether a webhook was signed by the app: `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the raw bytes with the
 * app's secret, in hex (Meta's page webhooks/create-webhook-endpoint). Raw, for Meta signs its own escaping of the JSON;
 * compared in constant time.
 * @param mac of the app's secret.
 */
export function isSignedBy(mac: Hmac, body: Buffer, header: string | undefined): boolean {
  if (header?.length !== 71 || !header.startsWith('sha256=')) return false;
  const given = Buffer.from(header.slice(7), 'hex');
  const right = mac(body);
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Compares two secrets in time that does not tell where they differ. */
export function isSameSecret(given: string, right: string): boolean {
  const hashOf = (text: string) => hash('sha256', text, 'buffer');
  return timingSafeEqual(hashOf(given), hashOf(right));
}
