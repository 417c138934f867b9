import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/**
 * Looking after the due work of a sender that was changed under it. Its token is new: what waits for one goes on at once. It is in
 * another lane: what is still due in the one before follows. The statements take some rows at a time; work that has begun is left to
 * whoever does it, and follows when it is due again.
 */
export interface TendedSender {
  tenant_id: TenantId;
  id: SenderId;
  lane_id: number;
  previous_lane_id: number | null;
  /** Whether nothing new can come of the change any more. */
  over: boolean;
}

const findAll = {
  name: 'tending_find',
  text: `
select tenant_id, id, lane_id, previous_lane_id, tend_until <= clock_timestamp() as over
from senders where tend_until is not null order by tend_until limit $1`,
};

/** Senders that are to be looked after, of all tenants. */
export function findTendedSenders(tx: Queryable, limit: number): Promise<TendedSender[]> {
  return tx.query<TendedSender>(findAll, [limit]);
}

const follow = {
  name: 'tending_follow',
  text: `
update due d set lane_id = $3
from (
  select tenant_id, message_id from due
  where lane_id = $4 and sender_id = $2 and tenant_id = $1 and state = 'queued' and held is null
  limit $5 for update skip locked
) stray
where d.tenant_id = stray.tenant_id and d.message_id = stray.message_id and d.state = 'queued'
returning d.message_id`,
};

/** Moves queued work of a sender from the lane before to its own. @returns how many. */
export async function followLane(
  tx: Queryable,
  { tenant_id, id, lane_id, previous_lane_id }: TendedSender,
  limit: number,
): Promise<number> {
  return (await tx.query(follow, [tenant_id, id, lane_id, previous_lane_id, limit])).length;
}

const end = {
  name: 'tending_end',
  text: `
update senders s set tend_until = null, previous_lane_id = null
where s.tenant_id = $1 and s.id = $2 and s.lane_id = $3 and s.tend_until <= clock_timestamp() and (
  s.previous_lane_id is null or not (
    exists (select from due where lane_id = s.previous_lane_id and sender_id = $2 and state = 'queued' and held is null)
    or exists (select from due where lane_id = s.previous_lane_id and sender_id = $2 and state <> 'queued')
    or exists (select from due where tenant_id = $1 and template_id is not null and lane_id = s.previous_lane_id
      and sender_id = $2 and held is not null)
  )
)
returning s.id`,
};

/** Ends it, unless there is still work in the lane before. */
export async function endTending(tx: Queryable, { tenant_id, id, lane_id }: TendedSender): Promise<void> {
  await tx.query(end, [tenant_id, id, lane_id]);
}

// From one sender's queue to the next by the index: as many looks as there are senders with queued work, however much that is.
const adopt = {
  name: 'tending_adopt',
  text: `
with recursive queue as (
  (select tenant_id, lane_id, sender_id from due where state = 'queued' and held is null order by lane_id, sender_id limit 1)
  union all
  select next.tenant_id, next.lane_id, next.sender_id from queue q cross join lateral (
    select d.tenant_id, d.lane_id, d.sender_id from due d
    where d.state = 'queued' and d.held is null and (d.lane_id, d.sender_id) > (q.lane_id, q.sender_id)
    order by d.lane_id, d.sender_id limit 1
  ) next
), stray as (
  select distinct on (s.tenant_id, s.id) s.tenant_id, s.id, q.lane_id from queue q
  join senders s on s.tenant_id = q.tenant_id and s.id = q.sender_id and s.lane_id <> q.lane_id
  where s.previous_lane_id is null
  order by s.tenant_id, s.id, q.lane_id
)
update senders s set previous_lane_id = i.lane_id, tend_until = greatest(s.tend_until, clock_timestamp())
from stray i where s.tenant_id = i.tenant_id and s.id = i.id and s.previous_lane_id is null
returning s.id`,
};

/**
 * Has senders looked after that have queued work in another lane, of all tenants: it was written for the lane before when the move
 * was long over, and nobody sends from there. Of several such lanes one at a time.
 * @returns how many.
 */
export async function adoptStrays(tx: Queryable): Promise<number> {
  return (await tx.query(adopt)).length;
}

const begin = {
  name: 'tending_begin',
  text: `
update senders set tend_until = greatest(tend_until, clock_timestamp() + $3 * interval '1 ms')
where tenant_id = $1 and id = any($2::uuid[])`,
};

/** Has senders looked after for so many milliseconds, and once more. */
export async function tendSenders(
  tx: Queryable,
  tenant: TenantId,
  senders: readonly SenderId[],
  tend: number,
): Promise<void> {
  await tx.query(begin, [tenant, senders, tend]);
}
