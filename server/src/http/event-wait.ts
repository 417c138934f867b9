import type { TenantId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Waiting for events. A signal tells that some were committed; without one it is looked again every half second. Committed
 * is not yet shown: an event appears when every transaction that began before it has ended. So after a signal it is looked at
 * once, then again soon and ever less often; meanwhile further signals only begin that series anew, so that a stream of them
 * does not become a stream of questions.
 */
export interface EventWaits {
  /**
   * Looks until `look` finds something, or `ms` are over, or the client is gone, or the server stops; gives what it found
   * last. When too many wait already, it looks once.
   */
  untilFound<Found extends { length: number }>(
    tenant: TenantId,
    ms: number,
    gone: AbortSignal,
    look: () => Promise<Found>,
  ): Promise<Found>;
  /** Lets all go that wait, and lets nobody wait any more. */
  stop(): void;
}

const IDLE = 500;
const SOON = 5;
/** Most requests that wait at once: each is a connection, and a question to the store twice a second. */
const MOST = 256;

/** Makes the waiting room of one instance. */
export function createEventWaits({ signals, clock }: { signals: Signals; clock: Clock }): EventWaits {
  const sleepers = new Set<() => void>();
  let waiting = 0;
  let stopped = false;

  return {
    async untilFound(tenant, ms, gone, look) {
      const deadline = clock.monotonic() + ms;
      let pause = IDLE;
      let signalled = false;
      let wake = () => {};
      const end = () => wake();
      // Listened to before the first look, so that nothing falls between a look and the wait.
      const unlisten = signals.listen(`events:${tenant}`, () => {
        signalled = true;
        if (pause === IDLE) wake();
      });
      gone.addEventListener('abort', end);
      sleepers.add(end);
      waiting++;
      try {
        for (;;) {
          signalled = false;
          const found = await look();
          const left = deadline - clock.monotonic();
          if (found.length > 0 || left <= 0 || gone.aborted || stopped || waiting > MOST) return found;
          if (signalled) pause = SOON;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, Math.min(pause, left));
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
          pause = signalled ? SOON : Math.min(pause * 2, IDLE);
        }
      } finally {
        waiting--;
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
