import type { Held } from '../../src/actions/hold-lanes.ts';
import type { Db } from '../../src/db/pool.ts';
import { createLease, type LeaseOptions } from '../../src/dispatch/lease.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import type { OwnedLane } from '../../src/domain/lane.ts';
import { createLogger } from '../../src/runtime/logger.ts';

/** An instance that holds lanes of a database together with others, and sends nothing. */
export interface Holder {
  instance: InstanceId;
  lease: ReturnType<typeof createLease>;
  /** What it was told of each renewal. */
  held: Held[];
  /** How often its lease ran out. */
  losses: number;
  /** Jumps of the database's clock that it has seen. */
  steps: number[];
  lanes(): number;
  /** Cuts it off from the database for good, as a death does: nothing is given back. */
  die(): void;
  /** Moves the database's clock, as this instance reads it, by so many milliseconds. */
  setDatabaseClock(offset: number): void;
  /** How far its own clocks are ahead, in milliseconds. */
  clock: { now: number; monotonic: number };
}

const logger = createLogger({
  log: { level: 'silent', format: 'json' },
  environment: 'development',
  service: { name: 'test' },
});

const stops: (() => Promise<void>)[] = [];

/** Stops all that were made, before their database goes. */
export async function stopHolders(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

export function holder(db: Db, options: Partial<LeaseOptions> = {}): Holder {
  let dead = false;
  let offset = 0;
  const clock = { now: 0, monotonic: 0 };
  const own: Db = {
    ...db,
    async query<Row extends object>(statement: { name: string; text: string }, values?: readonly unknown[]) {
      if (dead) throw new Error('the connection was lost');
      const rows = await db.query<Row>(statement, values);
      if (statement.name !== 'instance_beat') return rows;
      return rows.map((row) => ({ ...row, wall: (row as unknown as { wall: number }).wall + offset }));
    },
    transaction: (work) => (dead ? Promise.reject(new Error('the connection was lost')) : db.transaction(work)),
    close: () => Promise.resolve(),
  };
  const one: Holder = {
    instance: newId<InstanceId>(),
    held: [],
    losses: 0,
    steps: [],
    clock,
    lanes: () => one.lease.claim().lanes.length,
    die: () => {
      dead = true;
    },
    setDatabaseClock: (milliseconds) => {
      offset = milliseconds;
    },
    lease: undefined as unknown as Holder['lease'],
  };
  one.lease = createLease({
    db: own,
    leases: own,
    clock: { now: () => Date.now() + clock.now, monotonic: () => performance.now() + clock.monotonic },
    logger,
    instance: one.instance,
    lease: 60_000,
    renewal: 20,
    grace: 60_000,
    description: 'test',
    alone: false,
    onLost: () => {
      one.losses++;
    },
    onClockStep: (step) => one.steps.push(step),
    ...options,
    onHeld: async (held) => {
      one.held.push(held);
      await options.onHeld?.(held);
    },
  });
  stops.push(() => {
    dead = false;
    return one.lease.stop();
  });
  return one;
}

/** Makes lanes that nobody owns. */
export async function makeLanes(db: Db, count: number): Promise<void> {
  await db.query(
    {
      name: 'test_make_lanes',
      text: `insert into lanes (portfolio_id) select gen_random_uuid()::text from generate_series(1, $1)`,
    },
    [count],
  );
}

/** All lanes, with their owners. */
export function allLanes(db: Db): Promise<(OwnedLane & { owner: InstanceId | null })[]> {
  return db.query({ name: 'test_all_lanes', text: 'select id, epoch, owner from lanes order by id' });
}

/** Writes until when an instance lives, in milliseconds from now. */
export async function setExpiry(db: Db, instance: InstanceId, from_now: number): Promise<void> {
  await db.query(
    {
      name: 'test_set_expiry',
      text: `insert into instances (id, expires_at, description) values ($1, clock_timestamp() + $2 * interval '1 ms', 'test')
        on conflict (id) do update set expires_at = excluded.expires_at`,
    },
    [instance, from_now],
  );
}
