import type { Queryable } from '../db/pool.ts';
import type { InstanceId } from '../domain/ids.ts';
import { LONGEST_LEASE, type OwnedLane } from '../domain/lane.ts';

const beat = {
  name: 'instance_beat',
  text: `
insert into instances (id, expires_at, description) values ($1, clock_timestamp() + $2 * interval '1 ms', $3)
on conflict (id) do update set expires_at = excluded.expires_at
returning (extract(epoch from expires_at) * 1000)::float8 - $2 as wall`,
};

/**
 * Renews an instance's lease for `lease` ms from now, or makes its row. A lease that had run out may be renewed as well:
 * lanes that nobody took meanwhile are still its own, and the others have another owner and epoch.
 * @returns the database's clock, in milliseconds since 1970.
 */
export async function beatInstance(
  tx: Queryable,
  instance: InstanceId,
  lease: number,
  description: string,
): Promise<number> {
  return (await tx.query<{ wall: number }>(beat, [instance, lease, description]))[0]?.wall ?? Number.NaN;
}

const endOthers = { name: 'instance_end_others', text: 'delete from instances where id <> $1' };

/** Ends every other instance's lease. Only for who knows that it is alone: the holder of the embedded store. */
export async function endOtherInstances(tx: Queryable, instance: InstanceId): Promise<void> {
  await tx.query(endOthers, [instance]);
}

const endOne = { name: 'instance_end', text: 'delete from instances where id = $1' };
const releaseLanes = { name: 'lanes_release', text: 'update lanes set owner = null where owner = $1' };

/** Gives all lanes of an instance back at once and ends its lease. */
export async function endInstance(tx: Queryable, instance: InstanceId): Promise<void> {
  await tx.query(releaseLanes, [instance]);
  await tx.query(endOne, [instance]);
}

const releaseSome = {
  name: 'lanes_release_some',
  text: `
update lanes l set owner = null from unnest($2::int[], $3::bigint[]) as mine(id, epoch)
where l.owner = $1 and l.id = mine.id and l.epoch = mine.epoch
returning l.id`,
};

/** Gives some lanes of an instance back, unless they have another owner by now. @returns how many. */
export async function releaseOwnedLanes(
  tx: Queryable,
  instance: InstanceId,
  lanes: readonly OwnedLane[],
): Promise<number> {
  const ids = lanes.map((lane) => lane.id);
  const epochs = lanes.map((lane) => lane.epoch);
  return (await tx.query(releaseSome, [instance, ids, epochs])).length;
}

const forget = {
  name: 'instance_forget',
  text: `
delete from instances i
where i.expires_at > clock_timestamp() + interval '${LONGEST_LEASE} ms'
  or (i.expires_at < clock_timestamp() - interval '1 minute' and not exists (select from lanes l where l.owner = i.id))`,
};

/**
 * Takes away the rows of instances that are gone: those that ended a minute ago and own nothing, and those whose lease ends
 * later than any lease can, since the clock was set back after their end. Who lives after all makes its row again.
 */
export async function forgetInstances(tx: Queryable): Promise<void> {
  await tx.query(forget);
}

const takeLanes = {
  name: 'lanes_take',
  text: `
with orphaned as (
  select l.id from lanes l
  where l.owner is null or (l.owner <> $1 and $3 and not exists (select from instances i where i.id = l.owner
    and i.expires_at > clock_timestamp() and i.expires_at <= clock_timestamp() + interval '${LONGEST_LEASE} ms'))
  order by l.id limit $2 for update of l skip locked
)
update lanes l set owner = $1, epoch = l.epoch + 1 from orphaned o
where l.id = o.id and exists (select from instances i where i.id = $1 and i.expires_at > clock_timestamp())
returning l.id, l.epoch`,
};

/**
 * Takes lanes without an owner, and adds one to their epochs: what the old owner still writes is refused. Those that
 * somebody else takes in the same moment are left to him.
 * @param most how many; null: all of them.
 * @param ofTheDead whether also those whose owner lives no more; else only those that were given back, or are new.
 */
export function takeOrphanedLanes(
  tx: Queryable,
  instance: InstanceId,
  most: number | null,
  ofTheDead: boolean,
): Promise<OwnedLane[]> {
  return tx.query<OwnedLane>(takeLanes, [instance, most, ofTheDead]);
}

const doubtOpen = {
  name: 'lanes_doubt_open',
  text: `
with before as (
  select tenant_id, message_id, state from due where lane_id = any($1::int[]) and state <> 'queued'
), doubtful as (
  update due d set state = 'unconfirmed', due_at = clock_timestamp() + $3 * interval '1 ms', epoch = l.epoch
  from before b, lanes l
  where d.tenant_id = b.tenant_id and d.message_id = b.message_id and d.state <> 'queued' and l.id = d.lane_id
  returning d.tenant_id, d.message_id, d.attempt, b.state = 'sending' as is_new
), numbered as (
  select *, row_number() over () as n from doubtful where is_new
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, ($2::uuid[])[n], 'message.unconfirmed', message_id,
    jsonb_build_object('state', 'unconfirmed', 'attempt', attempt)
  from numbered
)
select count(*)::int as count from doubtful`,
};

const countOpen = {
  name: 'lanes_count_open',
  text: `select count(*)::int as count from due where lane_id = any($1::int[]) and state <> 'queued'`,
};

/** How many attempts are open in lanes. */
export async function countOpenAttempts(tx: Queryable, lanes: readonly number[]): Promise<number> {
  return (await tx.query<{ count: number }>(countOpen, [lanes]))[0]?.count ?? 0;
}

/**
 * Makes every attempt that is open in lanes doubtful, under the lanes' new epoch: their owner is gone, and nobody knows how
 * far they came. Their grace begins anew, for receipts could not come in while nobody was there to take them.
 * @param events an id for each of them.
 */
export async function doubtOpenAttempts(
  tx: Queryable,
  lanes: readonly number[],
  events: readonly string[],
  grace: number,
): Promise<number> {
  return (await tx.query<{ count: number }>(doubtOpen, [lanes, events, grace]))[0]?.count ?? 0;
}
