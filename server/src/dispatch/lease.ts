import { declareAlone, type Held, type HoldOptions, holdLanes, letLanesGo } from '../actions/hold-lanes.ts';
import type { Db } from '../db/pool.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';

/**
 * The lease of this instance over its lanes: renewed by a timer of its own, good for as long as the monotonic clock says,
 * counted from before the renewal was asked for. The database decides who owns a lane; this is what the instance may
 * believe of it until it hears again.
 */
export interface Lease extends Part {
  /** The lanes owned, by the epochs of their takeovers. */
  claim(): LaneClaim;
  /** Milliseconds left of the lease. Negative: it has run out. */
  left(): number;
}

export interface LeaseOptions extends HoldOptions {
  db: Db;
  clock: Clock;
  logger: Logger;
  instance: InstanceId;
  /** Milliseconds between renewals. */
  renewal: number;
  /** The holder of the embedded store is alone and takes all lanes at once. */
  alone: boolean;
  /** Told after each renewal. */
  onHeld: (held: Held) => Promise<void>;
  /** Told when the lease ran out before it was renewed. */
  onLost: () => void;
}

export function createLease(options: LeaseOptions): Lease {
  const { db, clock, logger, instance } = options;
  let deadline = Number.NEGATIVE_INFINITY;
  let claim: LaneClaim = { instance, lanes: [], epochs: [] };

  async function renew(): Promise<void> {
    const asked = clock.monotonic();
    if (deadline > Number.NEGATIVE_INFINITY && asked > deadline) {
      options.onLost();
      logger.warn({ overdue_ms: Math.round(asked - deadline) }, 'the lease ran out before it was renewed');
    }
    const held = await holdLanes(db, instance, options);
    claim = { instance, lanes: held.lanes.map((lane) => lane.id), epochs: held.lanes.map((lane) => lane.epoch) };
    deadline = asked + options.lease;
    if (held.taken.length > 0) {
      logger.info({ lanes: held.taken.length, doubtful: held.doubtful }, 'lanes taken');
    }
    await options.onHeld(held);
  }

  const renewals = createRounds({
    every: options.renewal,
    round: renew,
    failed: (error) => logger.warn({ error }, 'the lease could not be renewed'),
  });

  return {
    ...part(
      'lease',
      async () => {
        if (options.alone) await declareAlone(db, instance);
        await renew();
        renewals.start();
      },
      async () => {
        await renewals.stop();
        deadline = Number.NEGATIVE_INFINITY;
        await letLanesGo(db, instance);
      },
    ),
    claim: () => claim,
    left: () => deadline - clock.monotonic(),
  };
}
