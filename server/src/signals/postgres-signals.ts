import { firstIdAt } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { createPause } from '../runtime/pause.ts';
import type { Carrier, Ear } from './carrier.ts';
import type { Notice } from './notice.ts';

/**
 * Notices as rows of the database, read by each instance a few times a second: what two instances have that share nothing else.
 * An instance that is alone writes none, and asks twice a second whether it still is.
 */
export interface NoticeBoard {
  /** Where a reader begins who wants what comes from now on. */
  end(): Promise<NoticePlace>;
  /** What the others wrote behind a place, in order, and how many others live. `next`: where to read on. */
  read(place: NoticePlace): Promise<{ notices: Notice[]; next: NoticePlace; others: number; more: boolean }>;
  write(notice: Notice): Promise<void>;
  /** Forgets notices with ids below `before`. */
  prune(before: string): Promise<void>;
}

/** Of the last notice that was read, as the board orders them. */
export interface NoticePlace {
  xid: string;
  id: string;
}

export interface PostgresSignalsOptions {
  board: NoticeBoard;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

/** Milliseconds. */
const GATHER = 25;
const READ_EVERY = 250;
const LOOK_EVERY = 500;
const KEPT = 60_000;
const PRUNE_EVERY = 30_000;
/** After so long without a reading something may have been pruned unread. */
const GAP = KEPT / 2;

export function createPostgresSignals({ board, clock, logger }: PostgresSignalsOptions): Carrier {
  const rest = createPause();
  let loop: Promise<void> = Promise.resolve();
  let stopped = false;
  let others = 0;
  let works = false;

  async function run(ear: Ear): Promise<void> {
    let place: NoticePlace | null = null;
    let readAt = clock.monotonic();
    let prunedAt = Number.NEGATIVE_INFINITY;
    while (!stopped) {
      rest.reset();
      try {
        const now = clock.monotonic();
        if (place !== null && now - readAt > GAP) {
          place = null;
          ear.missed();
        }
        place ??= await board.end();
        const page = await board.read(place);
        place = page.next;
        readAt = now;
        works = true;
        for (const notice of page.notices) ear.heard(notice);
        const before = others;
        others = page.others;
        if (before === 0 && others > 0) ear.joined();
        if (page.more) continue;
        if (now - prunedAt > PRUNE_EVERY) {
          prunedAt = now;
          await board.prune(firstIdAt(clock.now() - KEPT));
        }
      } catch (error) {
        if (works) logger.warn({ error }, 'what other instances tell cannot be read now');
        works = false;
      }
      if (!stopped) await rest.wait(others > 0 ? READ_EVERY : LOOK_EVERY);
    }
  }

  return {
    name: 'postgres',
    gather: GATHER,
    get works() {
      return works;
    },
    get others() {
      return others;
    },
    async start(ear) {
      if (!stopped) loop = run(ear);
    },
    async send(notice) {
      await board.write(notice);
      return Number.POSITIVE_INFINITY;
    },
    async stop() {
      stopped = true;
      rest.wake();
      await loop;
    },
  };
}
