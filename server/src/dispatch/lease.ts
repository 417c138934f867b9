import { moveGrace, pullBack } from '../actions/follow-clock.ts';
import {
  areLanesOrphaned,
  declareAlone,
  type Held,
  type HoldOptions,
  handLanesOver,
  letLanesGo,
  ownedLanes,
  renewLease,
  shareOfLanes,
  type Taken,
  takeLanes,
} from '../actions/hold-lanes.ts';
import type { Db } from '../db/pool.ts';
import { type ClockReading, clockStep } from '../domain/clock-step.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { LaneClaim, OwnedLane } from '../domain/lane.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';

/**
 * The lease of this instance over its lanes: renewed by a timer of its own, good for as long as the own clocks say, counted
 * from before the renewal was asked for. The database decides who owns a lane; this is what the instance may believe of it
 * until it hears again.
 *
 * Several instances share the lanes. At each renewal an instance counts who lives and how many lanes there are
 * (domain/lane.ts). What is missing of its share it takes from the lanes that nobody owns, for which it looks twice a second;
 * what is too much it hands over: it begins nothing more there, lets the calls end and settle, and gives the lanes back.
 * Each lane has one decision maker, its owner. What nobody has taken after two looks is taken by anybody.
 *
 * The database's clock may jump. A jump shows as a difference to the own monotonic clock, and for the time of one lease the
 * instance then believes of nobody that he is dead: whoever lives renews in that time. What waits by the database's clock is
 * moved along (actions/follow-clock.ts). The same patience is kept after the own lease ran out, for then the database may have
 * been away for everybody.
 */
export interface Lease extends Part {
  /** The lanes owned, by the epochs of their takeovers. */
  claim(): LaneClaim;
  /** Milliseconds left of the lease. Negative: it has run out. */
  left(): number;
  /**
   * The latest time that the database's clock should show now, in milliseconds since 1970, by the own monotonic clock since
   * the last renewal. null: it has never been read.
   */
  databaseTime(): number | null;
}

export interface LeaseOptions extends HoldOptions {
  /** For what is long: moving what waits along with the database's clock. */
  db: Db;
  /** For all else, used by nobody besides: under whatever load of the other one a renewal does not wait for its turn. */
  leases: Db;
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
  /** Told that the database's clock was set on (positive) or back, by so many milliseconds. */
  onClockStep?: (milliseconds: number) => void;
  /** Begins nothing more in these lanes, and in no others; resolves when their calls are over and settled. */
  leave?: (lanes: readonly number[]) => Promise<void>;
  /** Most milliseconds to wait for that: as long as a call may take. */
  patience?: number;
}

/** No call begins with less than this left of the lease, in milliseconds. */
export const LEAST_LEASE = 1000;
/** Milliseconds between two looks for lanes without an owner: the longest that a lane given back waits for its next. */
const LOOK = 500;
/** A jump of the database's clock that counts, in milliseconds; and one after which what waits is moved along. */
const JUMP = 1000;
const FAR_JUMP = 5000;
/** What waits in lanes that are taken so long after the clock was set back follows it too. Later everything there is of the new time. */
const FOLLOWS = 60_000;
/** Lanes are handed over when an instance has too many at so many renewals one after the other. */
const SURE = 2;
/**
 * Whoever lives takes what it misses within a look. What nobody has taken after two, in milliseconds, was the share of one who
 * cannot: of one who died a moment ago, mostly. A longer wait would add to the lease that was waited out already.
 */
const FORSAKEN = 2 * LOOK;
/** After taking lanes that nobody else took, so many leases pass before any are handed over again. */
const RELUCTANCE = 4;

export function createLease(options: LeaseOptions): Lease {
  const { db, leases, clock, logger, instance, alone } = options;
  let deadline = Number.NEGATIVE_INFINITY;
  let wallDeadline = Number.NEGATIVE_INFINITY;
  let claim: LaneClaim = { instance, lanes: [], epochs: [] };
  let reading: ClockReading | undefined;
  let trustFrom = Number.NEGATIVE_INFINITY;
  /** It ran out, and that was told. */
  let isLost = false;
  let orphanedSince: number | null = null;
  let givenTooMuch = 0;
  let keepUntil = Number.NEGATIVE_INFINITY;
  let handingOver: Promise<void> | undefined;
  let setBack = 0;
  let followUntil = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> = Promise.resolve();
  let pulling: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const asked = clock.monotonic();
    const wallAsked = clock.now();
    if (deadline > Number.NEGATIVE_INFINITY && left() < 0) {
      if (!isLost) {
        options.onLost();
        logger.warn({ overdue_ms: -Math.round(left()) }, 'the lease ran out before it was renewed');
      }
      isLost = true;
      trustFrom = asked + options.lease;
    }
    const wall = await renewLease(leases, instance, options);
    await compareClocks({ wall, asked, answered: clock.monotonic() });
    const { lanes: taken, doubtful } = alone ? await takeAll() : await takeShare(asked);
    const lanes = await ownedLanes(leases, instance);
    const released = claim.lanes.filter((id) => !lanes.some((lane) => lane.id === id));
    claim = { instance, lanes: lanes.map((lane) => lane.id), epochs: lanes.map((lane) => lane.epoch) };
    deadline = asked + options.lease;
    wallDeadline = wallAsked + options.lease;
    isLost = false;
    if (taken.length > 0) {
      logger.info({ lanes: taken.length, doubtful }, 'lanes taken');
      if (asked < followUntil) pull(taken.map(({ id }) => id));
    }
    await tell({ lanes, taken, released, doubtful });
  }

  /** What is done about it may take long: then it goes on beside the renewals, or the lease would run out by it. */
  async function tell(held: Held): Promise<void> {
    const told = telling.then(() => options.onHeld(held));
    telling = told.catch((error: unknown) => logger.warn({ error }, 'what is held could not be taken up'));
    await within(options.renewal / 2, telling);
  }

  /** Whichever clock says less: the monotonic one stands still while the machine sleeps. */
  function left(): number {
    return Math.min(deadline - clock.monotonic(), wallDeadline - clock.now());
  }

  async function compareClocks(now: ClockReading): Promise<void> {
    const step = reading ? clockStep(reading, now) : 0;
    if (Math.abs(step) >= JUMP) trustFrom = now.answered + options.lease;
    if (Math.abs(step) >= FAR_JUMP) {
      logger.warn({ step_ms: Math.round(step) }, "the database's clock was set");
      options.onClockStep?.(step);
      await moveGrace(db, claim.lanes, step, options.grace);
    }
    reading = now;
    if (step <= -FAR_JUMP) {
      setBack = -step;
      followUntil = now.answered + FOLLOWS;
      pull(claim.lanes);
    }
  }

  /** Lets what waits go on beside the renewals: it may be much. Lanes taken later may have had an owner who could not. */
  function pull(lanes: readonly number[]): void {
    const before = pulling ?? Promise.resolve();
    pulling = before
      .then(() => pullBack(db, lanes, setBack))
      .catch((error: unknown) => logger.warn({ error }, "what waits could not follow the database's clock"));
  }

  /** Of those who are alone nobody else is alive. */
  async function takeAll(): Promise<Taken> {
    // What is locked by the last statement of who was here before is there at the next renewal.
    const isFirst = deadline === Number.NEGATIVE_INFINITY;
    if (!isFirst && (await shareOfLanes(leases, instance, true)).orphaned === 0) return { lanes: [], doubtful: 0 };
    return takeLanes(leases, instance, { most: null, ofTheDead: true }, options.grace);
  }

  async function takeShare(now: number): Promise<Taken> {
    const ofTheDead = now >= trustFrom;
    const { take, give, orphaned } = await shareOfLanes(leases, instance, ofTheDead);
    if (orphaned === 0) orphanedSince = null;
    else orphanedSince ??= now;
    const forsaken = orphanedSince !== null && now - orphanedSince >= FORSAKEN;
    givenTooMuch = give > 0 ? givenTooMuch + 1 : 0;
    if (givenTooMuch >= SURE && ofTheDead && now >= keepUntil) handOver(give);
    if (!forsaken && take === 0) return { lanes: [], doubtful: 0 };
    const taken = await takeLanes(leases, instance, { most: forsaken ? null : take, ofTheDead }, options.grace);
    if (taken.lanes.length > take) keepUntil = now + RELUCTANCE * options.lease;
    return taken;
  }

  /** Begins to hand lanes over, the last ones. Renewals go on meanwhile. One hand-over at a time. */
  function handOver(count: number): void {
    if (handingOver) return;
    const first = claim.lanes.length - count;
    const lanes = claim.lanes
      .map((id, i): OwnedLane => ({ id, epoch: claim.epochs[i] as number }))
      .slice(Math.max(0, first));
    handingOver = hand(lanes)
      .catch((error: unknown) => logger.warn({ error }, 'lanes could not be handed over'))
      .finally(() => {
        handingOver = undefined;
        givenTooMuch = 0;
        renewals.wake();
      });
  }

  async function hand(lanes: readonly OwnedLane[]): Promise<void> {
    const { leave = () => Promise.resolve(), patience = options.lease } = options;
    try {
      await within(patience, leave(lanes.map(({ id }) => id)));
      const count = await handLanesOver(leases, instance, lanes);
      logger.info({ lanes: count }, 'lanes handed over');
    } finally {
      // What could not be given back goes on here.
      await leave([]);
    }
  }

  async function look(): Promise<void> {
    if (await areLanesOrphaned(leases)) renewals.wake();
  }

  const renewals = createRounds({
    every: options.renewal,
    round: renew,
    failed: (error) => logger.warn({ error }, 'the lease could not be renewed'),
  });
  const looks = createRounds({
    every: Math.min(LOOK, options.renewal),
    round: look,
    failed: (error) => logger.debug({ error }, 'lanes could not be looked at'),
  });

  return {
    ...part(
      'lease',
      async () => {
        if (alone) await declareAlone(leases, instance);
        await renew();
        await telling;
        renewals.start();
        if (!alone) looks.start();
      },
      async () => {
        await looks.stop();
        await renewals.stop();
        await Promise.all([handingOver, pulling, telling]);
        deadline = Number.NEGATIVE_INFINITY;
        await letLanesGo(leases, instance);
      },
    ),
    claim: () => claim,
    left,
    databaseTime: () => (reading ? reading.wall + clock.monotonic() - reading.asked : null),
  };
}

/** Waits for something, for at most so many milliseconds. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
