import { subscribe } from 'node:diagnostics_channel';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Part } from './lifecycle.ts';
import { createRounds } from './rounds.ts';

/** What `--expose-gc` gives (V8's own, no part of Node's API). */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

export interface IdleCollectionOptions {
  /** Null: the runtime was started without it, and nothing is collected but by the runtime itself. */
  collect: Collect | null;
  /** The share of time in which the event loop worked since this was last asked, 0 to 1. */
  busy(): number;
  /** How many requests have come since this was last asked. */
  asked(): number;
  /** Bytes that the nursery takes from the system. */
  nursery?(): number;
  /** Milliseconds between two looks (1000). */
  every?: number;
  failed(error: unknown): void;
}

const EVERY = 1000;
/**
 * A program that does no more than this is idle, and has to be it for so many looks: ten thousand sockets that only answer pings, but not
 * requests that would wait, of which a look may see one, as of who watches its health.
 */
const IDLE_BELOW = 0.2;
const MOST_ASKED = 1;
const LOOKS = 3;
/** A nursery of this size is worth a pause. */
const WORTH_IT = 8 * 2 ** 20;

/**
 * Gives back, once a burst of work is over, what it made the nursery grow to, and the garbage that it left behind: the runtime does neither
 * before there is work again. It takes a pause of a tenth of a second, so it waits until next to nothing has been asked for seconds, and is not done
 * again before the nursery has grown again.
 */
export function createIdleCollection(options: IdleCollectionOptions): Part {
  const { collect, busy, asked, nursery = sizeOfNursery, every = EVERY, failed } = options;
  let calm = 0;
  const rounds = createRounds({
    every,
    async round() {
      const [share, requests] = [busy(), asked()];
      calm = share < IDLE_BELOW && requests <= MOST_ASKED ? calm + 1 : 0;
      if (calm < LOOKS || nursery() < WORTH_IT) return;
      collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      calm = 0;
    },
    failed,
  });
  return {
    name: 'idle collection',
    async start() {
      if (collect !== null) rounds.start();
    },
    stop: () => rounds.stop(),
  };
}

/** How busy the event loop was since this was last asked. */
export function loopBusiness(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const { utilization } = performance.eventLoopUtilization(before);
    before = performance.eventLoopUtilization();
    return utilization;
  };
}

/** How many requests the HTTP servers of this process were given since this was last asked. */
export function requestCount(): () => number {
  let count = 0;
  subscribe('http.server.request.start', () => count++);
  return () => {
    const asked = count;
    count = 0;
    return asked;
  };
}

function sizeOfNursery(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/** The collector, where the runtime was started with `--expose-gc`. */
export function exposedCollector(): Collect | null {
  const { gc } = globalThis as { gc?: Collect };
  return gc ?? null;
}
