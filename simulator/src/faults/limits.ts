import type { Limit } from './plan.ts';

/** One message every six seconds to one user is the rate (.../about-the-platform, read 2026). */
const PAIR_INTERVAL = 6000;
/** So many may go within one interval, borrowed from the time that follows. */
const PAIR_BURST = 45;
const MAX_PAIRS = 200_000;

/** Lets at most `limit` messages pass within any second: a ring of the times at which the last `limit` passed. */
class Window {
  readonly limit: number;
  readonly #times: Float64Array;
  #next = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
  }

  hasRoom(now: number): boolean {
    return now - (this.#times[this.#next] ?? 0) >= 1000;
  }

  take(now: number): void {
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.limit;
  }
}

interface Pair {
  burstEnds: number;
  count: number;
  /** When everything borrowed is paid back. */
  freeAt: number;
}

/** Counts what has passed and says which limit the next message would break. Times are milliseconds, monotonic. */
export class LimitCounters {
  readonly #windows = new Map<string, Window>();
  readonly #pairs = new Map<string, Pair>();

  /**
   * Takes one message through all limits, or through none: returns Meta's code of the limit it breaks (130429 the
   * number's throughput, 131056 the pair's rate), or undefined when it may pass.
   */
  pass(
    limits: readonly Limit[],
    number: { id: string; throughput: number },
    to: string,
    now: number,
  ): number | undefined {
    let perSecond = Number.POSITIVE_INFINITY;
    let pairs = false;
    for (const limit of limits) {
      if (limit.kind === 'pair_rate') pairs = true;
      else perSecond = Math.min(perSecond, limit.per_second ?? number.throughput);
    }
    const window = Number.isFinite(perSecond) ? this.#window(number.id, perSecond) : undefined;
    if (window && !window.hasRoom(now)) return 130429;
    if (pairs && !this.#passPair(`${number.id} ${to}`, now)) return 131056;
    window?.take(now);
    return undefined;
  }

  clear(): void {
    this.#windows.clear();
    this.#pairs.clear();
  }

  #window(id: string, limit: number): Window {
    const known = this.#windows.get(id);
    if (known?.limit === limit) return known;
    const window = new Window(limit);
    this.#windows.set(id, window);
    return window;
  }

  #passPair(key: string, now: number): boolean {
    const pair = this.#pairs.get(key);
    if (pair && now < pair.burstEnds && pair.count < PAIR_BURST) {
      pair.count++;
      pair.freeAt += PAIR_INTERVAL;
      return true;
    }
    if (pair && now < pair.freeAt) return false;
    this.#pairs.delete(key);
    if (this.#pairs.size >= MAX_PAIRS) this.#forget(now);
    this.#pairs.set(key, { burstEnds: now + PAIR_INTERVAL, count: 1, freeAt: now + PAIR_INTERVAL });
    return true;
  }

  /** Makes room: pairs that owe nothing, and the oldest tenth if there are none. */
  #forget(now: number): void {
    for (const [key, pair] of this.#pairs) if (pair.freeAt <= now) this.#pairs.delete(key);
    let surplus = this.#pairs.size - MAX_PAIRS * 0.9;
    for (const key of this.#pairs.keys()) {
      if (surplus-- <= 0) break;
      this.#pairs.delete(key);
    }
  }
}
