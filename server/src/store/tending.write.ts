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

// What the provider held back waits at most a minute: further ahead there is only what was scheduled.
const releaseHeld = {
  name: 'tending_release_held',
  text: `
update due d set due_at = clock_timestamp()
from (
  select d.tenant_id, d.message_id from due d
  join attempts a on a.tenant_id = d.tenant_id and a.message_id = d.message_id and a.attempt = d.attempt
  where d.lane_id = $2 and d.sender_id = $3 and d.state = 'queued' and d.held is null
    and d.priority = any('{0,1,2}'::smallint[]) and d.due_at > now() and d.due_at <= now() + interval '2 minutes'
    and d.tenant_id = $1 and d.attempt > 0 and (a.code = any($4::int[]) or a.code between 200 and 299)
  limit $5 for update of d skip locked
) held
where d.tenant_id = held.tenant_id and d.message_id = held.message_id and d.state = 'queued'
returning d.message_id`,
};

/** Makes due what waits since an error of these codes, or a missing permission. @returns how many. */
export async function releaseHeldMessages(
  tx: Queryable,
  { tenant_id, id, lane_id }: TendedSender,
  codes: readonly number[],
  limit: number,
): Promise<number> {
  return (await tx.query(releaseHeld, [tenant_id, lane_id, id, codes, limit])).length;
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
