import { askJson } from '../net/json-client.ts';

/** A set of keys as an issuer publishes it (RFC 7517, section 5). */
export interface KeySet {
  keys: Record<string, unknown>[];
}

/** More are no issuer's. */
const MOST_KEYS = 100;

/**
 * Asks an issuer, whose address the operator named, for the keys it signs with. Follows no redirect.
 * @param timeout milliseconds. @throws when it does not answer in time, or with what is no set of keys.
 */
export async function askKeySet(url: string, timeout: number): Promise<KeySet> {
  const { status, text } = await askJson(new URL(url), timeout, undefined, { accept: 'application/json' });
  if (status !== 200) throw new Error(`status ${status}`);
  const said: unknown = JSON.parse(text);
  if (!isKeySet(said)) throw new Error('the answer is no set of keys');
  if (said.keys.length > MOST_KEYS) throw new Error(`more than ${MOST_KEYS} keys`);
  return said;
}

function isKeySet(said: unknown): said is KeySet {
  return (
    typeof said === 'object' &&
    said !== null &&
    'keys' in said &&
    Array.isArray(said.keys) &&
    said.keys.every((key) => typeof key === 'object' && key !== null)
  );
}
