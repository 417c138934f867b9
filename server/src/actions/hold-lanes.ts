import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type InstanceId, newId } from '../domain/ids.ts';
import type { OwnedLane } from '../domain/lane.ts';
import { failpoint } from '../runtime/failpoints.ts';
import {
  beatInstance,
  countOpenAttempts,
  doubtOpenAttempts,
  endInstance,
  endOtherInstances,
  findOwnedLanes,
  takeOrphanedLanes,
} from '../store/lanes.write.ts';

/**
 * Holding lanes. An instance lives while it renews its row; the lanes it owns live with it. Who finds a lane whose owner is
 * gone takes it with a higher epoch, and makes the attempts that were open there doubtful in the same transaction.
 */
export interface HoldOptions {
  /** Milliseconds that a renewal is good for. */
  lease: number;
  /** Milliseconds until a doubtful attempt may be decided. */
  grace: number;
  /** What an operator reads in the table: host and process. */
  description: string;
}

export interface Held {
  /** All lanes this instance owns now. */
  lanes: OwnedLane[];
  /** Those it has just taken. */
  taken: OwnedLane[];
  /** Attempts in the lanes just taken that nobody knows the outcome of. */
  doubtful: number;
}

/** Renews the instance's lease and takes every lane whose owner is gone. */
export async function holdLanes(db: Db, instance: InstanceId, options: HoldOptions): Promise<Held> {
  await failpoint('renew.before');
  await beatInstance(db, instance, options.lease, options.description);
  const { taken, doubtful } = await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      const lanes = await takeOrphanedLanes(tx, instance);
      if (lanes.length === 0) return { taken: lanes, doubtful: 0 };
      const ids = lanes.map((lane) => lane.id);
      const open = await countOpenAttempts(tx, ids);
      if (open === 0) return { taken: lanes, doubtful: 0 };
      const events = Array.from({ length: open }, () => newId());
      return { taken: lanes, doubtful: await doubtOpenAttempts(tx, ids, events, options.grace) };
    }),
  );
  if (taken.length > 0) await failpoint('takeover.after');
  return { lanes: await findOwnedLanes(db, instance), taken, doubtful };
}

/** Declares all other instances gone. Only for who holds the embedded store's lock, and so knows that it is alone. */
export async function declareAlone(db: Db, instance: InstanceId): Promise<void> {
  await endOtherInstances(db, instance);
}

/** Gives all lanes back, so that others take them at once. */
export async function letLanesGo(db: Db, instance: InstanceId): Promise<void> {
  await retryingOnConflict(() => db.transaction((tx) => endInstance(tx, instance)));
}
