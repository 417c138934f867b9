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

/** The part of the rate that may be saved up; the rest flows. Together no window of a second sees more than the rate. */
const BURST_SHARE = 0.03;

/** Makes a bucket that starts with room for one token: an owner that takes over does not know what left just before. */
export function tokenBucket(rate: number, now: number): TokenBucket {
  let perMs = (rate * (1 - BURST_SHARE)) / 1000;
  let burst = Math.max(1, rate * BURST_SHARE);
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
      perMs = (next * (1 - BURST_SHARE)) / 1000;
      burst = Math.max(1, next * BURST_SHARE);
      level = Math.min(level, burst);
    },
    empty(time) {
      refill(time);
      level = Math.min(level, 0);
    },
  };
}
