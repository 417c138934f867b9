import { createHmac } from 'node:crypto';

/**
 * The value of `X-Hub-Signature-256`: HMAC-SHA256 of the raw bytes with the app's secret
 * (.../webhooks/create-webhook-endpoint).
 */
export function signatureOf(body: string, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

const SPECIAL = /[^\x20-\x7e]|\//;
const ALL_SPECIAL = /[^\x20-\x7e]|\//g;

/**
 * JSON as Meta writes it into webhooks: every character outside ASCII as `\uXXXX` and `/` as `\/`. The signature is over
 * these bytes, so a receiver that parses and writes anew before it verifies is found out.
 */
export function escapedJson(value: unknown): string {
  const text = JSON.stringify(value);
  return SPECIAL.test(text) ? text.replace(ALL_SPECIAL, escape) : text;
}

function escape(character: string): string {
  return character === '/' ? '\\/' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
