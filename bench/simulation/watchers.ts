/** What no limit lets happen, looked for without the code that keeps the limits. Times are milliseconds of the virtual day. */
export interface RateWatcher {
  left(at: number): void;
  /** The most in any window of a second. */
  readonly most: number;
}

export function watchRate(): RateWatcher {
  let window: number[] = [];
  let head = 0;
  let most = 0;
  return {
    left(at) {
      window.push(at);
      while ((window[head] as number) <= at - 1000) head++;
      most = Math.max(most, window.length - head);
      if (head > 4096) {
        window = window.slice(head);
        head = 0;
      }
    },
    get most() {
      return most;
    },
  };
}

/** WhatsApp's own words: one in 6 seconds, and 45 at once. */
const PAIR_EVERY = 6000;
const PAIR_BURST = 45;

export interface PairWatcher {
  left(pair: string, at: number): void;
  readonly breaches: number;
}

/** In any window a pair has at most 45 messages, and one more for each whole 6 seconds of it. */
export function watchPairs(): PairWatcher {
  const pairs = new Map<string, number[]>();
  let breaches = 0;
  return {
    left(pair, at) {
      const times = pairs.get(pair) ?? [];
      if (times.length === 0) pairs.set(pair, times);
      times.push(at);
      // A window that is 600 s long has 145: longer ones follow from these.
      if (times.length > 160) times.shift();
      for (let n = PAIR_BURST + 1; n <= times.length; n++) {
        const span = at - (times[times.length - n] as number);
        if (n > PAIR_BURST + Math.floor(span / PAIR_EVERY)) {
          breaches++;
          break;
        }
      }
    },
    get breaches() {
      return breaches;
    },
  };
}

/** How long messages waited, in a histogram of a resolution of a twentieth. */
export interface Waits {
  add(milliseconds: number): void;
  quantile(q: number): number;
  readonly count: number;
}

export function createWaits(): Waits {
  const buckets = new Map<number, number>();
  let count = 0;
  return {
    add(milliseconds) {
      const bucket = Math.ceil(Math.log(Math.max(milliseconds, 1)) / Math.log(1.05));
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      count++;
    },
    quantile(q) {
      let left = Math.ceil(count * q);
      for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
        left -= buckets.get(bucket) ?? 0;
        if (left <= 0) return Math.round(1.05 ** bucket);
      }
      return 0;
    },
    get count() {
      return count;
    },
  };
}

/** Events by their time, the soonest first. */
export interface Agenda<T> {
  add(at: number, what: T): void;
  /** The soonest time. Infinity: nothing is left. */
  readonly next: number;
  take(): T;
  readonly size: number;
}

export function createAgenda<T>(): Agenda<T> {
  const heap: { at: number; what: T }[] = [];
  const at = (i: number) => heap[i] as { at: number; what: T };
  return {
    add(time, what) {
      let i = heap.push({ at: time, what }) - 1;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (at(parent).at <= at(i).at) break;
        [heap[parent], heap[i]] = [at(i), at(parent)];
        i = parent;
      }
    },
    get next() {
      return heap[0]?.at ?? Number.POSITIVE_INFINITY;
    },
    take() {
      const { what } = at(0);
      const last = heap.pop() as { at: number; what: T };
      if (heap.length === 0) return what;
      heap[0] = last;
      for (let i = 0; ; ) {
        const [left, right] = [2 * i + 1, 2 * i + 2];
        let least = i;
        if (left < heap.length && at(left).at < at(least).at) least = left;
        if (right < heap.length && at(right).at < at(least).at) least = right;
        if (least === i) return what;
        [heap[least], heap[i]] = [at(i), at(least)];
        i = least;
      }
    },
    get size() {
      return heap.length;
    },
  };
}
