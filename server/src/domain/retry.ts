import type { DeferralCause } from './causes.ts';
import { providerError } from './provider-errors.ts';

/** How retries are spaced. Milliseconds. */
export interface RetrySettings {
  base: number;
  cap: number;
}

/** How long at most a message waits for a paused template that is not known here. */
const HOLD = 60_000;
/** A provider's wish beyond this is taken as this. Milliseconds. */
export const LONGEST_WISH = 3_600_000;

/**
 * How long to wait before the attempt after the `attempt`th, in milliseconds: full jitter over an exponentially growing
 * span, so that messages that failed together do not come back together; the provider's own wish is a lower bound.
 * `random` is a number from 0 to 1.
 */
export function backoff(attempt: number, settings: RetrySettings, wish: number | null, random: number): number {
  const span = Math.min(settings.cap, settings.base * 2 ** Math.min(attempt - 1, 30));
  return Math.max(random * span, atLeast(wish));
}

/**
 * What follows an error of the provider's for its message.
 * - `again`: once more in `delay` ms; `cause` says what it waits for.
 * - `held`: whenever what holds it ends: the pause of its queue, or of its template. A template that is not known here cannot hold it:
 *   then it goes once more in `delay` ms.
 * - `fail`: never again.
 */
export type AfterError =
  | { kind: 'again'; delay: number; cause: DeferralCause }
  | { kind: 'held'; by: 'pause' }
  | { kind: 'held'; by: 'template'; delay: number }
  | { kind: 'fail' };

/**
 * What follows an error the provider told, by the table.
 * @param attempt how many attempts there were, this one included.
 */
export function afterError(
  code: number,
  attempt: number,
  settings: RetrySettings,
  wish: number | null,
  random: number,
): AfterError {
  const { class: kind, tries, schedule } = providerError(code);
  if (tries !== null && attempt >= tries) return { kind: 'fail' };
  switch (schedule.kind) {
    case 'never':
      return { kind: 'fail' };
    case 'held':
      if (kind !== 'template') return { kind: 'held', by: 'pause' };
      return { kind: 'held', by: 'template', delay: HOLD * (0.5 + random / 2) };
    case 'backoff': {
      const { base, cap } = schedule;
      const spans = { base: base ?? settings.base, cap: cap ?? settings.cap };
      return { kind: 'again', delay: backoff(attempt, spans, wish, random), cause: 'retry_wait' };
    }
    case 'fixed':
      return { kind: 'again', delay: Math.max(schedule.base, atLeast(wish)), cause: 'retry_wait' };
    case 'power': {
      // The first time the exponent is 0 (Meta: about-the-platform).
      const delay = Math.min(schedule.base * 4 ** Math.min(attempt - 1, 15), schedule.cap);
      return { kind: 'again', delay: Math.max(delay, atLeast(wish)), cause: 'pair_rate' };
    }
  }
}

/** A provider's wish as milliseconds to wait. */
export function atLeast(wish: number | null): number {
  return Math.min(Math.max(wish ?? 0, 0), LONGEST_WISH);
}

/** What came of telling the provider something that is no message: what was read, whom a number blocks. */
export type Telling =
  /** It may go well later. `retryAfter`: the provider's wish in milliseconds, if it has one. */
  { kind: 'later'; detail: string; retryAfter: number | null } | { kind: 'refused'; detail: string };

/** After so many tries, some hours, it is given up: by then nobody waits for it. */
const MOST_TELLINGS = 12;

/** Milliseconds until the next try, or null: there is none. `random` is a number from 0 to 1. */
export function nextTelling(
  outcome: Telling | { kind: 'told' | 'done' },
  tries: number,
  settings: RetrySettings,
  random: number,
): number | null {
  if (outcome.kind !== 'later' || tries >= MOST_TELLINGS) return null;
  return backoff(tries, settings, outcome.retryAfter, random);
}
