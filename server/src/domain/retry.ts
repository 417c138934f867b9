import { providerError } from './provider-errors.ts';

/** How retries are spaced. Milliseconds. */
export interface RetrySettings {
  base: number;
  cap: number;
}

const HOLD = 60_000;
/** A provider's wish beyond this is taken as this. */
const LONGEST_WISH = 3_600_000;

/**
 * How long to wait before the attempt after the `attempt`th, in milliseconds: full jitter over an exponentially growing
 * span, so that messages that failed together do not come back together; the provider's own wish is a lower bound.
 * `random` is a number from 0 to 1.
 */
export function backoff(attempt: number, settings: RetrySettings, wish: number | null, random: number): number {
  const span = Math.min(settings.cap, settings.base * 2 ** Math.min(attempt - 1, 30));
  return Math.max(random * span, Math.min(Math.max(wish ?? 0, 0), LONGEST_WISH));
}

/** Once more in `delay` ms, or never again. */
export type AfterError = { kind: 'again'; delay: number } | { kind: 'fail' };

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
  const { class: kind, tries } = providerError(code);
  switch (kind) {
    case 'refuse':
      return { kind: 'fail' };
    case 'hold':
      return { kind: 'again', delay: HOLD * (0.5 + random / 2) };
    case 'pair':
      return { kind: 'again', delay: Math.max(4 ** Math.min(attempt, 5) * 1000, wish ?? 0) };
    case 'throttle':
      return { kind: 'again', delay: backoff(attempt, settings, wish, random) };
    case 'retry':
      if (tries !== null && attempt >= tries) return { kind: 'fail' };
      return { kind: 'again', delay: backoff(attempt, settings, wish, random) };
  }
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
