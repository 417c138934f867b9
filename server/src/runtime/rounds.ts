import { createPause } from './pause.ts';

/** Work that recurs: one round at a time, a rest after each. */
export interface RoundsOptions {
  /** Milliseconds from the end of a round to the next. */
  every: number;
  /** Whether the first round comes with the start. Usually it comes after the first rest. */
  atOnce?: boolean;
  /**
   * One round. `ending` is aborted when they are to stop: what takes long ends early by it. A round that did not come to
   * the end of its work may wake the next one.
   */
  round: (ending: AbortSignal) => Promise<void>;
  /** Told what a round threw. Must not throw. */
  failed: (error: unknown) => void;
}

export interface Rounds {
  /** Begins, once however often it is called, and never after a stop. */
  start(): void;
  /** Lets the next round come at once. During a round: as soon as it is over, unless it fails, for then the rest is kept. */
  wake(): void;
  /** Resolves when no round runs and none will come. May be called before a start, and again. */
  stop(): Promise<void>;
}

/** Makes rounds that have not begun. One that fails does not keep the others from coming. */
export function createRounds({ every, atOnce = false, round, failed }: RoundsOptions): Rounds {
  const rest = createPause();
  const ending = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    if (!atOnce) await rest.wait(every);
    while (!ending.signal.aborted) {
      rest.reset();
      try {
        await round(ending.signal);
      } catch (error) {
        failed(error);
        // A round that wakes the next one and fails each time would never rest.
        rest.reset();
      }
      if (!ending.signal.aborted) await rest.wait(every);
    }
  }

  return {
    start() {
      running ??= run();
    },
    wake: rest.wake,
    async stop() {
      ending.abort();
      rest.wake();
      await running;
    },
  };
}
