import { invalid } from './content/fields.ts';
import { AldisError } from './errors.ts';
import { parseTime, TIME_FORMAT } from './times.ts';

/**
 * When a message may leave, and until when. All times here are of the database's clock, in milliseconds since 1970: an instance whose
 * own clock is wrong refuses nothing and sends nothing early for it.
 */
export interface MessageTimes {
  /** Not before; null: at once. */
  scheduled_at: number | null;
  /** Not after; null: as long as the configuration lets a message wait. */
  expires_at: number | null;
}

/** The times of a request as it writes them. */
export interface AskedTimes {
  scheduled_at?: string;
  expires_at?: string;
  /** Seconds from when it may leave, in the place of `expires_at`. */
  ttl?: number;
}

/** Milliseconds ahead that a message may be scheduled. */
const AHEAD = 366 * 86_400_000;
/** Of `ttl`, in seconds. */
export const LONGEST_TTL = AHEAD / 1000;

/** Whether a request says anything of time, so that the database has to be asked what time it is. */
export function namesTime({ scheduled_at, expires_at, ttl }: AskedTimes): boolean {
  return scheduled_at !== undefined || expires_at !== undefined || ttl !== undefined;
}

/**
 * The times of a new message.
 * @throws {AldisError} `scheduled_in_past`, `scheduled_too_far`, `invalid_field`
 */
export function timesOf(request: AskedTimes, now: number): MessageTimes {
  const scheduled_at = timeOf('scheduled_at', request.scheduled_at);
  let expires_at = timeOf('expires_at', request.expires_at);
  if (scheduled_at !== null) checkScheduled(scheduled_at, now);
  if (request.ttl !== undefined) {
    if (expires_at !== null) throw invalid('ttl', 'says again what expires_at says; give one of the two');
    expires_at = Math.max(now, scheduled_at ?? now) + request.ttl * 1000;
  } else if (expires_at !== null) checkExpiry(expires_at, scheduled_at, now);
  return { scheduled_at, expires_at };
}

/** What is to change of the times of a message that waits. Absent: nothing; null of `scheduled_at`: now; of `expires_at`: no end. */
export interface TimesChange {
  scheduled_at?: number | null;
  expires_at?: number | null;
}

/**
 * Reads a change of times as a request writes it.
 * @throws {AldisError} `invalid_field`
 */
export function readTimesChange(request: { scheduled_at?: string | null; expires_at?: string | null }): TimesChange {
  const { scheduled_at, expires_at } = request;
  const change: TimesChange = {};
  if (scheduled_at !== undefined) change.scheduled_at = timeOf('scheduled_at', scheduled_at);
  if (expires_at !== undefined) change.expires_at = timeOf('expires_at', expires_at);
  return change;
}

/**
 * The times of a message after a change.
 * @throws {AldisError} `scheduled_in_past`, `scheduled_too_far`, `invalid_field`
 */
export function changedTimes(before: MessageTimes, change: TimesChange, now: number): MessageTimes {
  const { scheduled_at, expires_at } = { ...before, ...change };
  if (typeof change.scheduled_at === 'number') checkScheduled(change.scheduled_at, now);
  if (expires_at !== null) checkExpiry(expires_at, scheduled_at, now);
  // Now is a time as well: what was made long ago has not waited since then.
  return { scheduled_at: change.scheduled_at === null ? now : scheduled_at, expires_at };
}

function checkScheduled(scheduled: number, now: number): void {
  const field = 'scheduled_at';
  if (scheduled < now) throw new AldisError('scheduled_in_past', undefined, { field });
  if (scheduled > now + AHEAD) throw new AldisError('scheduled_too_far', undefined, { field });
}

function checkExpiry(expires: number, scheduled: number | null, now: number): void {
  if (expires <= now) throw invalid('expires_at', 'must be in the future');
  if (scheduled !== null && expires <= scheduled) throw invalid('expires_at', 'must be after scheduled_at');
  // A year to wait and a year to be sent in: more is a slip of the pen.
  if (expires > now + 2 * AHEAD) throw invalid('expires_at', 'must be less than two years ahead');
}

function timeOf(field: string, text: string | null | undefined): number | null {
  if (text === undefined || text === null) return null;
  const time = parseTime(text);
  if (time === null) throw invalid(field, `must be ${TIME_FORMAT}`);
  return time;
}
