import type { Outcome } from '../../domain/outcome.ts';
import type { ProviderResponse } from '../../net/provider-client.ts';
import { retryAfter } from '../../net/retry-after.ts';

/**
 * Reads what the Cloud API answered to a send. Only its own words count: an id with 200, or an error object of the Graph
 * API. Anything else (a gateway's page, a cut body, garbage with 200) may hide an accepted message: unknown.
 */
export function readAnswer({ status, headers, body }: ProviderResponse): Outcome {
  const answer = parse(body);
  if (status === 200) {
    const messages = isRecord(answer) ? answer['messages'] : undefined;
    const first: unknown = Array.isArray(messages) ? messages[0] : undefined;
    const id = isRecord(first) ? first['id'] : undefined;
    if (typeof id === 'string' && WAMID.test(id)) return { kind: 'sent', wamid: id };
  }
  const error = isRecord(answer) ? answer['error'] : undefined;
  if (status >= 400 && isRecord(error) && isCode(error['code'])) {
    const data = error['error_data'];
    const details = isRecord(data) ? data['details'] : undefined;
    return {
      kind: 'error',
      code: error['code'],
      title: text(error['message'], 300) ?? 'error',
      detail: text(details, 1000),
      retryAfter: retryAfter(headers['retry-after']),
    };
  }
  return { kind: 'unknown', detail: `HTTP ${status} without an answer of the Graph API` };
}

/** What an id looks like that the store can hold and find again. */
const WAMID = /^[\x21-\x7e]{1,512}$/;

/** Whether a value can be a code of the Graph API: a whole number of 32 bits. */
export function isCode(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, longest: number): string | null {
  if (typeof value !== 'string' || value.length === 0) return null;
  // PostgreSQL holds neither NUL nor half of a surrogate pair, and the cut may make one.
  return value.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd');
}
