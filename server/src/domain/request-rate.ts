/** How many requests a tenant may make: on average in a second, and at once. */
export interface RequestRate {
  per_second: number;
  burst: number;
}

/** What a tenant has of its own, or the configuration names; null: nothing. */
export interface RateSetting {
  requests_per_second: number | null;
  request_burst: number | null;
}

/** Requests at once where nothing says how many: those of two seconds. */
const USUAL_SECONDS = 2;

/** The rate of a tenant. null: it may ask as often as it likes. A burst of its own goes with a rate from the configuration. */
export function requestRateOf(own: RateSetting, usual: RateSetting): RequestRate | null {
  const per_second = own.requests_per_second ?? usual.requests_per_second;
  if (per_second === null) return null;
  const inherited = own.requests_per_second === null ? usual.request_burst : null;
  return { per_second, burst: own.request_burst ?? inherited ?? per_second * USUAL_SECONDS };
}

/**
 * A token bucket that starts full. Unlike that of dispatch it has a burst of its own, and tells what is left and when it is
 * full. Times are milliseconds of a monotonic clock.
 */
export interface RequestBucket {
  readonly rate: RequestRate;
  /** Takes a request if there is room for one. */
  take(now: number): RequestVerdict;
  /** Sets another rate; what is left stays, within the new burst. */
  setRate(rate: RequestRate): void;
  /** Sets what is left, as somebody knows who sees more than this bucket does. Below 0: more was taken than there was. */
  setLevel(level: number, now: number): void;
}

export interface RequestVerdict {
  allowed: boolean;
  /** Requests that may come at once after this one. */
  remaining: number;
  /** Whole seconds, at least 1: until there is room for one when there is none left, else until the burst is there again. */
  reset: number;
}

export function requestBucket(first: RequestRate, start: number): RequestBucket {
  let rate = first;
  let level = first.burst;
  let at = start;
  return {
    get rate() {
      return rate;
    },
    take(now) {
      if (now > at) {
        level = Math.min(rate.burst, level + ((now - at) / 1000) * rate.per_second);
        at = now;
      }
      const allowed = level >= 1;
      if (allowed) level--;
      const remaining = Math.max(0, Math.floor(level));
      const missing = remaining === 0 ? 1 - level : rate.burst - level;
      return { allowed, remaining, reset: Math.max(1, Math.ceil(missing / rate.per_second)) };
    },
    setLevel(left, now) {
      level = Math.min(rate.burst, left);
      at = Math.max(at, now);
    },
    setRate(next) {
      rate = next;
      level = Math.min(level, next.burst);
    },
  };
}
