/**
 * The one lifecycle of long-lived parts. The rules, for each part and for all together:
 *
 * - `start` resolves when the part works, or rejects.
 * - `stop` resolves when it has let go of everything. It may be called at any time: before a start, during one, after one
 *   that failed, and again; it never harms.
 * - Parts start in order and stop in reverse, so that each finds what it stands on.
 *
 * The model is River's `rivershared/startstop`.
 */
export interface Part {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Makes a part that keeps the rules from two plain functions: `start` runs once however often it is called, `stop` waits
 * for a start under way and runs once; a `stop` before any start means the part never starts. `stop` is also run after a
 * start that failed, and must cope with what that left.
 */
export function part(name: string, start: () => Promise<void>, stop: () => Promise<void>): Part {
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  return {
    name,
    start() {
      if (starting === undefined && stopping !== undefined)
        return Promise.reject(new Error(`${name} was stopped before it started`));
      starting ??= start();
      return starting;
    },
    stop() {
      stopping ??= starting === undefined ? Promise.resolve() : starting.then(stop, stop);
      return stopping;
    },
  };
}

/** What happened to a part, for the log. `ms` is how long it took. */
export interface PartEvent {
  part: string;
  event: 'started' | 'start_failed' | 'stopped' | 'stop_failed' | 'stop_overdue';
  ms: number;
  error?: unknown;
}

export interface StartOptions {
  /** Told of each part's start and stop. Must not throw. */
  observe?: (event: PartEvent) => void;
  /** Aborted: no further part starts, those that run are stopped, and `startAll` rejects with the signal's reason. */
  signal?: AbortSignal;
  /** How long one part's stop is waited for, in milliseconds (4000). */
  stopEach?: number;
  /** How long all stops together are waited for (9000). Afterwards each part left still gets a moment. */
  stopTotal?: number;
}

/** Everything runs. */
export interface Running {
  /** Stops all, the last started first. Never rejects; gives what did not go well. Further calls get the same answer. */
  stop(): Promise<readonly PartEvent[]>;
}

/** The least a part gets to stop in, when the time for all is used up. */
const LAST_MOMENT = 250;

/**
 * Starts parts one after the other. When one fails, it and those before it are stopped and its error is thrown.
 * @throws whatever the failing part's start rejected with, or the signal's reason.
 */
export async function startAll(parts: readonly Part[], options: StartOptions = {}): Promise<Running> {
  const begun: Part[] = [];
  for (const one of parts) {
    const since = performance.now();
    try {
      options.signal?.throwIfAborted();
      begun.push(one);
      await one.start();
      options.observe?.({ part: one.name, event: 'started', ms: performance.now() - since });
    } catch (error) {
      if (!options.signal?.aborted) {
        options.observe?.({ part: one.name, event: 'start_failed', ms: performance.now() - since, error });
      }
      await stopInReverse(begun, options);
      throw error;
    }
  }
  let stopping: Promise<readonly PartEvent[]> | undefined;
  return {
    stop() {
      stopping ??= stopInReverse(begun, options);
      return stopping;
    },
  };
}

async function stopInReverse(begun: readonly Part[], options: StartOptions): Promise<readonly PartEvent[]> {
  const { observe, stopEach = 4000, stopTotal = 9000 } = options;
  const end = performance.now() + stopTotal;
  const faults: PartEvent[] = [];
  for (const one of begun.toReversed()) {
    const since = performance.now();
    const event = await stopWithin(one, Math.max(LAST_MOMENT, Math.min(stopEach, end - since)));
    const told = { ...event, part: one.name, ms: performance.now() - since };
    observe?.(told);
    if (told.event !== 'stopped') faults.push(told);
  }
  return faults;
}

/** Waits for a stop no longer than `ms`. A part that takes longer is left behind: the process ends all the same. */
async function stopWithin(one: Part, ms: number): Promise<Pick<PartEvent, 'event' | 'error'>> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<'stop_overdue'>((resolve) => {
    timer = setTimeout(resolve, ms, 'stop_overdue');
  });
  try {
    const event = await Promise.race([one.stop().then(() => 'stopped' as const), overdue]);
    return { event };
  } catch (error) {
    return { event: 'stop_failed', error };
  } finally {
    clearTimeout(timer);
  }
}
