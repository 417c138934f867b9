import type { InstanceId } from './ids.ts';

/** A lane that an instance owns, by the epoch of its takeover. */
export interface OwnedLane {
  id: number;
  epoch: number;
}

/** The lanes an instance works in, by the epochs of its takeovers: what each write of a lane's work is checked against. */
export interface LaneClaim {
  instance: InstanceId;
  lanes: readonly number[];
  epochs: readonly number[];
}

/** A claim to these lanes only, as far as they are in it: a statement locks each lane that it is given. */
export function narrowed(claim: LaneClaim, lanes: ReadonlySet<number>): LaneClaim {
  const places = [...claim.lanes.keys()].filter((i) => lanes.has(claim.lanes[i] as number));
  return {
    instance: claim.instance,
    lanes: places.map((i) => claim.lanes[i] as number),
    epochs: places.map((i) => claim.epochs[i] as number),
  };
}

/**
 * Most milliseconds that a lease can be good for: no instance renews for longer (`engine.lease` is at most half of it). One
 * that ends later is none: the database's clock was set back since, and its owner has not renewed it.
 */
export const LONGEST_LEASE = 120_000;

/** What an instance sees of how the lanes are shared. */
export interface LaneView {
  /** The instances that live, in the order of their ids, with how many lanes each owns. */
  living: readonly { id: InstanceId; lanes: number }[];
  /** All lanes, those without a living owner too. */
  total: number;
}

/** What an instance does about its share. */
export interface LaneShare {
  /** How many lanes are its own when all are shared evenly. */
  quota: number;
  /** So many lanes without a living owner are its to take. */
  take: number;
  /** So many of its lanes are to be handed over. */
  give: number;
}

/**
 * An instance's share of the lanes. Shares differ by one at most, and who has one more is decided by the order of ids, so
 * that all come to the same shares, which add up to all lanes, without asking each other. Ids are given in the order of
 * starts: a newcomer changes nobody's place, and a death makes nobody's share smaller. A lane is handed over only where
 * another instance has at least two less: moving it costs a pause of its sending.
 */
export function laneShare({ living, total }: LaneView, instance: InstanceId): LaneShare {
  const place = living.findIndex(({ id }) => id === instance);
  const own = living[place];
  if (!own) return { quota: 0, take: 0, give: 0 };
  const quota = Math.floor(total / living.length) + (place < total % living.length ? 1 : 0);
  const owned = living.reduce((sum, { lanes }) => sum + lanes, 0);
  const fewest = Math.min(...living.map(({ lanes }) => lanes));
  return {
    quota,
    take: Math.max(0, Math.min(quota - own.lanes, total - owned)),
    give: own.lanes - fewest >= 2 ? Math.max(0, own.lanes - quota) : 0,
  };
}
