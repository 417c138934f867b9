import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type InstanceId, newId } from '../domain/ids.ts';
import { type LaneShare, laneShare, type OwnedLane } from '../domain/lane.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { findLaneView, findOwnedLanes, isAnyOrphaned } from '../store/lanes.read.ts';
import {
  beatInstance,
  countOpenAttempts,
  doubtOpenAttempts,
  endInstance,
  endOtherInstances,
  forgetInstances,
  releaseOwnedLanes,
  takeOrphanedLanes,
} from '../store/lanes.write.ts';

/**
 * Holding lanes. An instance lives while it renews its row; the lanes it owns live with it. Who finds a lane whose owner is
 * gone takes it with a higher epoch, and makes the attempts that were open there doubtful in the same transaction. Several
 * instances share the lanes evenly: each counts the living ones and the lanes, takes what is missing of its share, and gives
 * back what is too much (domain/lane.ts).
 */
export interface HoldOptions {
  /** Milliseconds that a renewal is good for. */
  lease: number;
  /** Milliseconds until a doubtful attempt may be decided. */
  grace: number;
  /** What an operator reads in the table: host and process. */
  description: string;
}

/** Which lanes may be taken. */
export interface Taking {
  /** At most so many; null: all of them. */
  most: number | null;
  /** Whether those whose owner lives no more, too. Not after a jump of the database's clock, when all leases look over. */
  ofTheDead: boolean;
}

export interface Taken {
  lanes: OwnedLane[];
  /** Attempts in these lanes that nobody knows the outcome of. */
  doubtful: number;
}

/** What an instance holds after a renewal. */
export interface Held {
  /** All lanes this instance owns now. */
  lanes: OwnedLane[];
  /** Those it has just taken. */
  taken: OwnedLane[];
  /** Those it has owned after the last renewal and owns no more: handed over, or lost. */
  released: number[];
  /** Attempts in the lanes just taken that nobody knows the outcome of. */
  doubtful: number;
}

/** Renews the instance's lease. @returns the database's clock, in milliseconds since 1970. */
export async function renewLease(db: Db, instance: InstanceId, options: HoldOptions): Promise<number> {
  await failpoint('renew.before');
  return retryingOnConflict(() => beatInstance(db, instance, options.lease, options.description));
}

/** Takes lanes that nobody owns, if the instance lives. */
export async function takeLanes(
  db: Db,
  instance: InstanceId,
  { most, ofTheDead }: Taking,
  grace: number,
): Promise<Taken> {
  const taken = await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      const lanes = await takeOrphanedLanes(tx, instance, most, ofTheDead);
      if (lanes.length === 0) return { lanes, doubtful: 0 };
      const ids = lanes.map((lane) => lane.id);
      const open = await countOpenAttempts(tx, ids);
      if (open === 0) return { lanes, doubtful: 0 };
      const events = Array.from({ length: open }, () => newId());
      return { lanes, doubtful: await doubtOpenAttempts(tx, ids, events, grace) };
    }),
  );
  if (taken.lanes.length > 0) await failpoint('takeover.after');
  return taken;
}

/** The lanes that an instance owns. */
export function ownedLanes(db: Db, instance: InstanceId): Promise<OwnedLane[]> {
  return findOwnedLanes(db, instance);
}

/** Whether there may be lanes to take. */
export function areLanesOrphaned(db: Db): Promise<boolean> {
  return isAnyOrphaned(db);
}

/**
 * What the instance's share of the lanes is now.
 * @param forget whether rows of instances that are gone may be taken away. Not after a jump of the database's clock, when those of the
 * living look so as well.
 * @returns also how many lanes have no living owner.
 */
export async function shareOfLanes(
  db: Db,
  instance: InstanceId,
  forget: boolean,
): Promise<LaneShare & { orphaned: number }> {
  let view = await findLaneView(db);
  if (forget && view.forgettable) {
    await retryingOnConflict(() => forgetInstances(db));
    view = await findLaneView(db);
  }
  const owned = view.living.reduce((sum, { lanes }) => sum + lanes, 0);
  return { ...laneShare(view, instance), orphaned: view.total - owned };
}

/** Gives some lanes back, at the epochs they were taken at, so that others take them at once. @returns how many. */
export async function handLanesOver(db: Db, instance: InstanceId, lanes: readonly OwnedLane[]): Promise<number> {
  await failpoint('handover.before_commit');
  const count = await retryingOnConflict(() => releaseOwnedLanes(db, instance, lanes));
  await failpoint('handover.after_commit');
  return count;
}

/** Renews the instance's lease and takes every lane whose owner is gone: what an instance does that is alone. */
export async function holdLanes(db: Db, instance: InstanceId, options: HoldOptions): Promise<Held> {
  await renewLease(db, instance, options);
  const { lanes: taken, doubtful } = await takeLanes(db, instance, { most: null, ofTheDead: true }, options.grace);
  return { lanes: await ownedLanes(db, instance), taken, released: [], doubtful };
}

/** Declares all other instances gone. Only for who holds the embedded store's lock, and so knows that it is alone. */
export async function declareAlone(db: Db, instance: InstanceId): Promise<void> {
  await endOtherInstances(db, instance);
}

/** Gives all lanes back, so that others take them at once. */
export async function letLanesGo(db: Db, instance: InstanceId): Promise<void> {
  await failpoint('handover.before_commit');
  await retryingOnConflict(() => db.transaction((tx) => endInstance(tx, instance)));
  await failpoint('handover.after_commit');
}
