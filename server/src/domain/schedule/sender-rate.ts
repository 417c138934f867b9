import { tokenBucket } from './token-bucket.ts';

/**
 * How fast a sender may send: its throughput, less what comes in, for WhatsApp counts both (Meta: throughput, read 2026-09). When
 * WhatsApp says that it is too fast all the same (130429), the rate is halved at once and comes back gently. Times are milliseconds of a
 * monotonic clock.
 */
export interface SenderRate {
  available(now: number): number;
  take(count: number, now: number): void;
  wait(now: number): number;
  /** @param rate messages a second, in and out. @param inbound of these, those that come in. */
  set(rate: number, inbound: number): void;
  /** WhatsApp said that it is too fast. Said of calls that were under way together, it counts once. */
  slow(now: number): void;
  /** Messages a second that it takes itself to have now. */
  readonly perSecond: number;
}

const LEAST_FACTOR = 1 / 16;
/** After so many milliseconds without such an answer the rate grows by a tenth. */
const GROWS_EVERY = 5000;
const GROWTH = 1.1;
/** Answers to what was sent before the rate was lowered say nothing of the new rate. */
const SAME_TROUBLE = 1000;

export function createSenderRate(rate: number, inbound: number, now: number): SenderRate {
  let allowed = rate;
  let coming = inbound;
  let factor = 1;
  let changedAt = now;
  const bucket = tokenBucket(effective(), now);

  function effective(): number {
    return Math.max(1, Math.min(allowed * factor, allowed - coming));
  }

  function grow(time: number): void {
    if (factor === 1 || time - changedAt < GROWS_EVERY) return;
    factor = Math.min(1, factor * GROWTH);
    changedAt = time;
    bucket.setRate(effective());
  }

  return {
    available(time) {
      grow(time);
      return bucket.available(time);
    },
    take: bucket.take,
    wait: bucket.wait,
    set(nextRate, nextInbound) {
      if (nextRate === allowed && nextInbound === coming) return;
      allowed = nextRate;
      coming = nextInbound;
      bucket.setRate(effective());
    },
    slow(time) {
      if (factor === 1 || time - changedAt >= SAME_TROUBLE) {
        factor = Math.max(LEAST_FACTOR, factor / 2);
        changedAt = time;
        bucket.setRate(effective());
      }
      bucket.empty(time);
    },
    get perSecond() {
      return effective();
    },
  };
}
