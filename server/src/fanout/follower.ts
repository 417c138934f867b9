import {
  adoptTenants,
  beginFollowing,
  followedTenants,
  freeTenants,
  type HeldTenant,
  holdSomeTenants,
  holdTenantOn,
  holdTenants,
} from '../actions/follow-events.ts';
import type { Db } from '../db/pool.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import { createPause } from '../runtime/pause.ts';
import type { Signals } from '../signals/signals.ts';
import { createLooks } from './looks.ts';

/**
 * Follows the event log of every tenant from a position that is kept, one instance at a time for each tenant. A pass takes a
 * tenant for a while, reads a page of its events, does what is to be done, keeps how far it came, and lets the tenant go. While it takes
 * longer the tenant is held on; so the hold is short, and what a dead instance had in hand is soon another's. A crash in between
 * repeats what was not kept.
 *
 * Signals tell which tenant has events: that one is looked at, at once (`looks.ts`). All of them are walked over as well, as often as
 * that is cheap: what no signal told is found then.
 */
export interface FollowerOptions {
  db: Db;
  signals: Pick<Signals, 'listen'>;
  clock: Clock;
  instance: InstanceId;
  /** The name of the position in the log, and of the part. */
  consumer: string;
  /** No other instance follows. */
  alone: boolean;
  /**
   * true: it follows every tenant, from its own first start on. false: those whose position somebody else makes. A function makes
   * positions for tenants that it should follow from now on: called at the start, and then every second, or less often where there
   * are many tenants.
   */
  adopts: boolean | (() => Promise<void>);
  /** Tenants at once. */
  together: number;
  /** Milliseconds between two walks over all tenants when nothing waits. More when there are so many that a walk takes long. */
  pollInterval: number;
  /** Milliseconds for which a tenant is held, and held on while its pass is under way. After a crash another instance waits this long. */
  lease: number;
  /** The longest that a pass lets its tenant rest, in milliseconds; absent: not at all. */
  longestRest?: number;
  /**
   * One pass. It lets the tenant go itself. `ending` is aborted when the follower is to stop, or another instance has taken the
   * tenant: what takes long ends early.
   * When it throws, the tenant stays held until the lease is over.
   * @returns milliseconds for which the tenant rests; 0: there is more, or may be. Null: nothing is known.
   */
  pass: (tenant: HeldTenant, ending: AbortSignal) => Promise<number | null>;
  /** Told what failed. Must not throw. */
  failed: (error: unknown) => void;
}

/** What a follower's maker is given from outside, whatever it follows for. */
export type FollowerSurroundings = Pick<
  FollowerOptions,
  'db' | 'signals' | 'clock' | 'instance' | 'alone' | 'pollInterval' | 'lease'
>;

const ADOPT_EVERY = 1000;
/** What goes over all tenants is followed by a rest so many times as long as itself: it costs a fiftieth of a connection's time. */
const REST_OF_WALKS = 50;
/** But never longer than this, in milliseconds: then a signal that was lost is made good. */
const LONGEST_REST = 10_000;
/** It takes as long as the shortest of so many of them: what the others took longer says how busy the machine is. */
const LAST_WALKS = 5;
/** Tenants of one look. */
const TOGETHER = 100;
/** A tenant is held on so often in the time of one lease. */
const RENEWALS = 3;
/** But not for longer than this, in milliseconds: then it hangs, and another instance may do better. */
const LONGEST_PASS = 300_000;

export function createFollower(options: FollowerOptions): Part {
  const { db, signals, clock, instance, consumer, adopts, lease, longestRest = 0, pollInterval, failed } = options;
  const ending = new AbortController();
  const passes = new Map<TenantId, Promise<void>>();
  const ends = new Set<AbortController>();
  const looks = createLooks();
  /** Woken when a place becomes free, when a signal comes, and at the end. */
  const rest = createPause();
  let unlisten = () => {};
  let loop: Promise<void> = Promise.resolve();
  let adoptAt = clock.monotonic() + ADOPT_EVERY;
  let walkAt = 0;
  /** How long the last of them took, in milliseconds. */
  const walks: number[] = [];
  const adoptions: number[] = [];

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      rest.reset();
      let wait = pollInterval;
      try {
        wait = await round();
      } catch (error) {
        failed(error);
      }
      await rest.wait(wait);
    }
    await Promise.all(passes.values());
  }

  /**
   * Fills the places for tenants as they become free, so that a slow tenant delays no other.
   * @returns milliseconds until the next is worth while, unless something wakes it before.
   */
  async function round(): Promise<number> {
    if (adopts && clock.monotonic() >= adoptAt) adoptAt = await timed(adopt, adoptions, ADOPT_EVERY);
    if (passes.size < options.together && clock.monotonic() >= walkAt) walkAt = await timed(walk, walks, pollInterval);
    if (passes.size < options.together) await look();
    // Without a place there is nothing to look for: whoever ends makes one.
    if (passes.size >= options.together) return pollInterval;
    return Math.max(1, Math.min(walkAt, looks.next()) - clock.monotonic());
  }

  function adopt(): Promise<void> {
    return adopts === true ? adoptTenants(db, consumer) : adopts ? adopts() : Promise.resolve();
  }

  /** Does what goes over all tenants. @returns when it is worth its costs again. */
  async function timed(work: () => Promise<void>, took: number[], least: number): Promise<number> {
    const began = clock.monotonic();
    await work();
    const now = clock.monotonic();
    took.push(now - began);
    if (took.length < LAST_WALKS) return now + least;
    if (took.length > LAST_WALKS) took.shift();
    return now + Math.max(least, Math.min(Math.min(...took) * REST_OF_WALKS, LONGEST_REST));
  }

  async function walk(): Promise<void> {
    const limit = options.together - passes.size;
    for (const tenant of await holdTenants(db, consumer, instance, { lease, limit, longestRest })) begin(tenant);
  }

  async function look(): Promise<void> {
    const limit = options.together - passes.size;
    const due = looks.due(clock.monotonic(), TOGETHER);
    if (due.length === 0) return;
    const held = await holdSomeTenants(db, consumer, instance, { lease, limit, longestRest }, due);
    for (const tenant of held) begin(tenant);
    // There may be more than there are places: those stay due.
    if (held.length === limit) return;
    const missed = due.filter((tenant) => !passes.has(tenant));
    if (missed.length === 0) return;
    const followed = await followedTenants(db, consumer, missed);
    for (const tenant of missed) looks.missed(tenant, clock.monotonic(), followed.has(tenant));
  }

  function begin(tenant: HeldTenant): void {
    const { tenant_id } = tenant;
    // Its lease was over, and nobody else took it: the pass that is under way goes on.
    if (passes.has(tenant_id)) return;
    looks.begun(tenant_id);
    const own = new AbortController();
    ends.add(own);
    if (ending.signal.aborted) own.abort();
    const letGo = holdOn(tenant_id, own);
    const end = (pause: number | null): void => {
      letGo();
      ends.delete(own);
      passes.delete(tenant_id);
      looks.done(tenant_id, clock.monotonic(), pause);
      rest.wake();
    };
    passes.set(
      tenant_id,
      options.pass(tenant, own.signal).then(end, (error: unknown) => {
        failed(error);
        end(lease);
      }),
    );
  }

  /** Holds a tenant on until what it returns is called; ends the pass when another instance has it. */
  function holdOn(tenant: TenantId, own: AbortController): () => void {
    const until = clock.monotonic() + LONGEST_PASS;
    let asking = false;
    const renew = async (): Promise<void> => {
      if (asking || clock.monotonic() > until) return;
      asking = true;
      // What fails here fails in the pass as well, which tells of it.
      if (!(await holdTenantOn(db, tenant, consumer, instance, lease).catch(() => true))) own.abort();
      asking = false;
    };
    const timer = setInterval(() => void renew(), lease / RENEWALS);
    return () => clearInterval(timer);
  }

  function told(tenant?: TenantId): void {
    const now = clock.monotonic();
    const planned = tenant === undefined ? 'full' : looks.told(tenant, now);
    if (planned === 'planned') return;
    if (planned === 'full') {
      if (walkAt <= now + pollInterval) return;
      walkAt = now + pollInterval;
    }
    rest.wake();
  }

  return part(
    consumer,
    async () => {
      // Before anything can happen: what happens from here on is followed.
      if (adopts) await (adopts === true ? beginFollowing(db, consumer) : adopts());
      if (options.alone) await freeTenants(db, consumer);
      unlisten = signals.listen('events', told);
      loop = run();
    },
    async () => {
      ending.abort();
      for (const own of ends) own.abort();
      unlisten();
      rest.wake();
      await loop;
    },
  );
}
