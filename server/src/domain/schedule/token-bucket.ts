/**
 * A token bucket: `rate` tokens a second, at most `burst` saved up. A function of the clock and its own state, with no
 * timer, so that dispatch and a simulation run the same code. Times are milliseconds of a monotonic clock.
 */
export interface TokenBucket {
  /** Whole tokens that may be taken now. */
  available(now: number): number;
  /** Takes tokens that `available` gave. */
  take(count: number, now: number): void;
  /** Milliseconds until one token is there. 0: now. */
  wait(now: number): number;
  /** Sets another rate; what is saved up stays, within the new burst. */
  setRate(rate: number): void;
  /** Throws away what is saved up: the provider said that we are too fast. */
  empty(now: number): void;
}

/** The part of the rate that flows. What may be saved up is the rest of it, and not quite one more. */
const FLOW = 0.985;
const NEARLY_ONE = 0.999;

/**
 * What flows in a second and what is saved up at its beginning are together less than one more than the rate. Tokens are taken whole, so
 * no window of a second sees more than the rate. Who comes a few milliseconds late for a token has lost nothing.
 */
function sizeOf(rate: number): { perMs: number; burst: number } {
  return { perMs: (rate * FLOW) / 1000, burst: rate * (1 - FLOW) + NEARLY_ONE };
}

/** Makes a bucket that starts with room for one token: an owner that takes over does not know what left just before. */
export function tokenBucket(rate: number, now: number): TokenBucket {
  let { perMs, burst } = sizeOf(rate);
  let level = 1;
  let at = now;

  function refill(time: number): void {
    if (time <= at) return;
    level = Math.min(burst, level + (time - at) * perMs);
    at = time;
  }

  return {
    available(time) {
      refill(time);
      return Math.floor(level);
    },
    take(count, time) {
      refill(time);
      level -= count;
    },
    wait(time) {
      refill(time);
      return level >= 1 ? 0 : (1 - level) / perMs;
    },
    setRate(next) {
      ({ perMs, burst } = sizeOf(next));
      level = Math.min(level, burst);
    },
    empty(time) {
      refill(time);
      level = Math.min(level, 0);
    },
  };
}
