import type { Signals, Topic } from '../signals/signals.ts';

/**
 * Waiting until a job has done what a request wrote down: a signal tells when this instance did it, and a look from time to
 * time when another one did.
 */
export interface RecordWaits {
  /**
   * Waits until `look` finds that it is done.
   * @returns null when `ms` are over, the client is gone, the server stops, or too many wait already.
   */
  until<T>(topic: Topic, ms: number, gone: AbortSignal, look: () => Promise<T | null>): Promise<T | null>;
  /** Lets all go that wait, and lets nobody wait any more. */
  stop(): void;
}

/** Milliseconds between looks that no signal asked for. */
const LOOK_EVERY = 500;
/** Most requests that wait at once. */
const USUALLY_MOST = 200;

/** Makes the waiting room of one instance. */
export function createRecordWaits(signals: Signals, most = USUALLY_MOST): RecordWaits {
  const leaving = new Set<() => void>();
  let stopped = false;
  return {
    async until(topic, ms, gone, look) {
      if (stopped || gone.aborted || leaving.size >= most) return null;
      const deadline = performance.now() + ms;
      let over = false;
      let wake = () => {};
      const leave = () => {
        over = true;
        wake();
      };
      const unlisten = signals.listen(topic, () => wake());
      gone.addEventListener('abort', leave);
      leaving.add(leave);
      try {
        while (!over) {
          const told = new Promise<void>((resolve) => {
            wake = resolve;
          });
          const found = await look();
          if (found !== null) return found;
          const left = deadline - performance.now();
          if (left <= 0) return null;
          const timer = setTimeout(wake, Math.min(left, LOOK_EVERY));
          await told;
          clearTimeout(timer);
        }
        return null;
      } finally {
        unlisten();
        gone.removeEventListener('abort', leave);
        leaving.delete(leave);
      }
    },
    stop() {
      stopped = true;
      for (const leave of leaving) leave();
    },
  };
}
