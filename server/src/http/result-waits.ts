import type { Signals, Topic } from '../signals/signals.ts';

/**
 * Waiting for the result of work that a request started and a job does: a signal tells when this instance did it; it is also looked
 * from time to time, for another instance may. Whoever waits too long is answered with what is then.
 */
export interface ResultWaits {
  /**
   * Looks until `isDone`, or `ms` are over, or the client is gone, or the server stops; gives what it found last. When too many wait
   * already, it looks once.
   */
  until<T>(
    topic: Topic,
    ms: number,
    gone: AbortSignal,
    look: () => Promise<T>,
    isDone: (found: T) => boolean,
  ): Promise<T>;
  /** Lets all go that wait, and lets nobody wait any more. */
  stop(): void;
}

/** Milliseconds between two looks without a signal. */
const LOOK_EVERY = 250;
/** Most requests that wait at once: each looks several times a second. */
const MOST = 100;

/** Makes the waiting room of one instance. */
export function createResultWaits({ signals }: { signals: Signals }): ResultWaits {
  const sleepers = new Set<() => void>();
  let stopped = false;

  return {
    async until(topic, ms, gone, look, isDone) {
      const deadline = performance.now() + ms;
      let told = false;
      let wake = () => {};
      const end = () => {
        told = true;
        wake();
      };
      // Listened to before the first look, so that nothing falls between a look and the wait.
      const unlisten = signals.listen(topic, end);
      gone.addEventListener('abort', end);
      const full = sleepers.size >= MOST;
      sleepers.add(end);
      try {
        for (;;) {
          told = false;
          const found = await look();
          const left = deadline - performance.now();
          if (isDone(found) || left <= 0 || gone.aborted || stopped || full) return found;
          if (told) continue;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, Math.min(LOOK_EVERY, left));
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
      } finally {
        sleepers.delete(end);
        unlisten();
        gone.removeEventListener('abort', end);
      }
    },
    stop() {
      stopped = true;
      for (const end of sleepers) end();
    },
  };
}
