import type { Queryable } from '../db/pool.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Signals } from '../signals/signals.ts';
import { findSettledMessages, type SettledMessage } from '../store/messages.read.ts';

/**
 * Waiting until a message has been sent, or will not be. When this instance settles it, a signal tells; the messages that were
 * told of together are looked up together. All that wait are also looked up in one question every 50 ms: another instance may
 * settle them, a receipt, or a person who cancels.
 */
export interface MessageWaits {
  /**
   * What came of a message.
   * @returns null when `ms` are over, the client is gone, the server stops, or too many wait already.
   */
  untilSettled(tenant: TenantId, id: MessageId, ms: number, gone: AbortSignal): Promise<SettledMessage | null>;
  /** Lets all go that wait, and lets nobody wait any more. */
  stop(): void;
}

export interface MessageWaitsDeps {
  db: Queryable;
  signals: Signals;
  logger: Pick<Logger, 'warn'>;
  /** Most requests that wait at once. */
  most?: number;
}

/** Milliseconds. */
const LOOK_EVERY = 50;
/** What 800 requests a second make of a provider that answers nothing for 10 s, and some. */
const USUALLY_MOST = 10_000;
/** Most messages in one question. */
const MOST_TOGETHER = 1000;

interface Waiter {
  tenant: TenantId;
  id: MessageId;
  end(settled: SettledMessage | null): void;
}

/** Makes the waiting room of one instance. */
export function createMessageWaits({ db, signals, logger, most = USUALLY_MOST }: MessageWaitsDeps): MessageWaits {
  // In the order of their last look, so that a turn comes to all when there are more than one question takes.
  const waiters = new Set<Waiter>();
  let told = new Set<Waiter>();
  let looking = false;
  let planned = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  /** Looks up those that were told of once all that settled together have been. */
  function plan(): void {
    if (planned || looking) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      const asked = [...told];
      told = new Set();
      void look(asked);
    });
  }

  async function look(asked: readonly Waiter[]): Promise<void> {
    if (asked.length === 0 || looking) return;
    looking = true;
    try {
      const found = new Map((await findSettledMessages(db, asked)).map((message) => [message.id, message]));
      for (const waiter of asked) {
        const settled = found.get(waiter.id);
        if (settled) waiter.end(settled);
      }
    } catch (error) {
      logger.warn({ error }, 'looking for messages that are waited for failed');
    } finally {
      looking = false;
      if (told.size > 0) plan();
    }
  }

  function lookAtAll(): void {
    if (looking) return;
    const asked: Waiter[] = [];
    for (const waiter of waiters) {
      if (asked.length === MOST_TOGETHER) break;
      asked.push(waiter);
    }
    for (const waiter of asked) {
      waiters.delete(waiter);
      waiters.add(waiter);
    }
    void look(asked);
  }

  return {
    untilSettled(tenant, id, ms, gone) {
      if (stopped || gone.aborted || waiters.size >= most) return Promise.resolve(null);
      return new Promise((resolve) => {
        const waiter: Waiter = { tenant, id, end };
        const leave = () => end(null);
        const deadline = setTimeout(leave, ms);
        const unlisten = signals.listen(`message:${id}`, () => {
          told.add(waiter);
          plan();
        });
        gone.addEventListener('abort', leave);
        waiters.add(waiter);
        timer ??= setInterval(lookAtAll, LOOK_EVERY);

        function end(settled: SettledMessage | null): void {
          clearTimeout(deadline);
          unlisten();
          gone.removeEventListener('abort', leave);
          waiters.delete(waiter);
          told.delete(waiter);
          if (waiters.size === 0) {
            clearInterval(timer);
            timer = undefined;
          }
          resolve(settled);
        }
      });
    },
    stop() {
      stopped = true;
      for (const waiter of waiters) waiter.end(null);
    },
  };
}
