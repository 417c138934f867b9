import { createHmac, randomBytes } from 'node:crypto';

/**
 * How what is posted to a tenant's endpoint is signed: the Standard Webhooks specification, symmetric (`v1`). The secret is
 * `whsec_` and base64; what is signed is `ID.TIMESTAMP.BODY`.
 */
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** A new secret, of 256 random bits. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** The bytes that sign, of a secret as it was shown. */
export function signingKey(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64');
}

/**
 * The three headers of a delivery.
 * @param keys what signs: the secret's key, and while it lasts that of the one before. One signature each, parted by spaces.
 * @param id the event's: the same at every try and replay, so that the receiver knows it again.
 * @param now milliseconds since 1970, of this try.
 */
export function signatureHeaders(
  keys: readonly Buffer[],
  id: string,
  now: number,
  body: string,
): { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string } {
  const timestamp = String(Math.floor(now / 1000));
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
