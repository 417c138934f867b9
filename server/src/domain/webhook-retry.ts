/** What follows a try to post an event to a tenant's endpoint. Times are milliseconds. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** From a try that failed to the next: three days in all, each shorter by up to a fifth, at random. */
const PAUSES: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
  24 * HOUR,
];

/** How often a delivery is tried. */
export const MOST_TRIES = PAUSES.length + 1;
/** A wish of the receiver's (Retry-After) beyond this is taken as this. */
const LONGEST_WISH = HOUR;

/** What came of a try. `retryAfter`: what the receiver wishes, where it may. */
export type TryOutcome =
  | { kind: 'delivered'; status: number }
  | { kind: 'failed'; status: number | null; detail: string; answer: string | null; retryAfter: number | null };

/**
 * How long to wait after the `tries`th try failed, or null: it was the last.
 * @param wish the receiver's, a lower bound.
 * @param random a number from 0 to 1.
 */
export function pauseAfter(tries: number, wish: number | null, random: number): number | null {
  const pause = PAUSES[tries - 1];
  if (pause === undefined) return null;
  return Math.max(pause * (1 - random / 5), Math.min(wish ?? 0, LONGEST_WISH));
}

/** The status by which a receiver says that it is gone for good. */
export const GONE = 410;

/** Whether a status says for how long the receiver wants to be left alone. */
export function mayWish(status: number): boolean {
  return status === 429 || status === 503;
}

/** Why an answer is no delivery; null: it is one. */
export function refusalOf(status: number): string | null {
  if (status >= 200 && status <= 299) return null;
  if (status >= 300 && status <= 399) return `it answered ${status}: it leads elsewhere, which is not followed`;
  return status === GONE ? 'it answered 410: it is gone' : `it answered ${status}`;
}

/** Characters of an answer that are kept of a try that failed. */
const LONGEST_ANSWER = 500;

/** The beginning of an answer as the store can hold it: neither NUL nor half of a surrogate pair, which the cut may make. */
export function beginningOf(answer: string): string | null {
  const text = answer.slice(0, LONGEST_ANSWER).toWellFormed().replaceAll('\0', '\ufffd').trim();
  return text === '' ? null : text;
}
