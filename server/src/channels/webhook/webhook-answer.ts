import type { Outcome } from '../../domain/outcome.ts';
import type { GuardedAnswer } from '../../net/guarded-fetch.ts';
import { retryAfter } from '../../net/retry-after.ts';

/** What may be better a moment later, though the status begins with 4: time-out, too early, too many. */
const PASSING = new Set([408, 425, 429]);
/** What an id looks like that the store can hold and find again. */
const ID = /^[\x21-\x7e]{1,512}$/;
const LONGEST_DETAIL = 300;

/**
 * What a webhook's answer means. Any 2xx is sent, by the status alone: an id that cannot be read is no reason to send twice.
 * @param ownId stands in for the webhook's id of the message, when it gives none.
 */
export function readWebhookAnswer({ status, headers, body }: GuardedAnswer, ownId: string): Outcome {
  if (status >= 200 && status <= 299) return { kind: 'sent', wamid: idIn(body) ?? ownId };
  const answer = { code: status, title: `the webhook answered ${status}`, detail: excerptOf(body) };
  if (status >= 500 || PASSING.has(status)) {
    return { kind: 'again', ...answer, retryAfter: retryAfter(headers['retry-after']) };
  }
  if (status < 400) return { kind: 'refused', ...answer, detail: 'it leads elsewhere, which is not followed' };
  return { kind: 'refused', ...answer };
}

function idIn(body: string): string | null {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  const { messageId, message_id: other } = answer as Record<string, unknown>;
  for (const id of [messageId, other]) {
    if (typeof id === 'string' && ID.test(id)) return id;
    if (Number.isSafeInteger(id)) return String(id);
  }
  return null;
}

/** PostgreSQL holds neither NUL nor half of a surrogate pair, and the cut may make one. */
function excerptOf(body: string): string | null {
  const text = body.slice(0, LONGEST_DETAIL).toWellFormed().replaceAll('\0', '\ufffd').trim();
  return text === '' ? null : text;
}
