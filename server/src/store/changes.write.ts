import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';
import type { Direction, State } from '../domain/message.ts';
import type { MessageTimes } from '../domain/message-times.ts';

/** Changes a person asks for, and those that time brings. */
const cancel = {
  name: 'change_cancel',
  text: `
with d as (
  delete from due where tenant_id = $1 and message_id = $2 and state = 'queued'
  returning tenant_id, message_id, attempt
), m as (
  update messages m set state_before = m.state, state = 'cancelled', attempt = d.attempt, ended_at = now()
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, $3, 'message.cancelled', id,
    jsonb_build_object('state', 'cancelled', 'attempt', attempt, 'ended_at', now()) from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'cancelled', $4, 1 from m
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select exists (select from m) as done, exists (select from messages where tenant_id = $1 and id = $2) as known`,
};

/** Whether a change was made, and if not, whether there is such a message. */
export interface Change {
  done: boolean;
  known: boolean;
}

/**
 * Cancels a message that has not begun to leave.
 * @param slot which of the counters' rows to add to.
 */
export async function cancelQueued(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
  event: EventId,
  slot: number,
): Promise<Change> {
  return (await tx.query<Change>(cancel, [tenant, id, event, slot]))[0] ?? { done: false, known: false };
}

const waiting = {
  name: 'change_find_waiting',
  text: `
select coalesce(d.state, m.state) as state, coalesce(d.attempt, m.attempt) as attempt, d.message_id is not null as due, m.direction,
  (extract(epoch from m.scheduled_at) * 1000)::float8 as scheduled_at, (extract(epoch from m.expires_at) * 1000)::float8 as expires_at,
  (extract(epoch from now()) * 1000)::float8 as now
from messages m left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
where m.tenant_id = $1 and m.id = $2`,
};

/** A message whose times may be changed. Times are milliseconds since 1970, by the database's clock. */
export interface Waiting extends MessageTimes {
  state: State;
  /** The last that ended, or has begun. */
  attempt: number;
  /** false: it has no due work: it has ended, or its batch is still being stored. */
  due: boolean;
  direction: Direction;
  now: number;
}

/** What has to be known of a message to change its times; null: the tenant has none of that id. */
export async function findWaiting(tx: Queryable, tenant: TenantId, id: MessageId): Promise<Waiting | null> {
  return (await tx.query<Waiting>(waiting, [tenant, id]))[0] ?? null;
}

// Another due time is no wait of the scheduler's any more.
const reschedule = {
  name: 'change_reschedule',
  text: `
with d as (
  update due set due_at = case when $4::boolean then greatest(now(), $5::timestamptz) else due_at end,
    cause = case when $4::boolean then null else cause end, expires_at = $6::timestamptz
  where tenant_id = $1 and message_id = $2 and state = 'queued' and (attempt = 0 or not $4::boolean)
  returning tenant_id, message_id, lane_id, attempt
), m as (
  update messages m set state_before = m.state, scheduled_at = $5::timestamptz, expires_at = $6::timestamptz
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.scheduled_at, m.expires_at
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select m.tenant_id, $3, 'message.rescheduled', m.id, jsonb_build_object('state', 'queued', 'attempt', d.attempt,
    'scheduled_at', m.scheduled_at, 'expires_at', m.expires_at)
  from m join d on d.message_id = m.id
)
select lane_id from d`,
};

/**
 * Changes when a message that waits may leave, and until when.
 * @param moved whether its time to leave is changed, which has to be before its first attempt.
 * @returns the lane of its work; null: it does not wait any more.
 */
export async function rescheduleQueued(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
  event: EventId,
  times: MessageTimes,
  moved: boolean,
): Promise<number | null> {
  const { scheduled_at, expires_at } = times;
  const time = (at: number | null) => (at === null ? null : new Date(at));
  const values = [tenant, id, event, moved, time(scheduled_at), time(expires_at)];
  return (await tx.query<{ lane_id: number }>(reschedule, values))[0]?.lane_id ?? null;
}

/** Ends messages as expired. @param found selects the keys of due work that is queued; $2: an id for the event of each. */
function ending(found: string): string {
  return `
with x as materialized (${found}), d as (
  delete from due d using x where d.tenant_id = x.tenant_id and d.message_id = x.message_id
  returning d.tenant_id, d.message_id, d.attempt
), m as (
  update messages m set state_before = m.state, state = 'expired', attempt = d.attempt, ended_at = now()
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt
), numbered as (
  select *, row_number() over () as n from m
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, ($2::uuid[])[n], 'message.expired', id,
    jsonb_build_object('state', 'expired', 'attempt', attempt, 'ended_at', now()) from numbered
), c as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'expired', 0, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select tenant_id, id as message_id from m`;
}

const expire = {
  name: 'change_expire',
  text: ending(`
  select tenant_id, message_id from due
  where lane_id = any($1::int[]) and state = 'queued' and expires_at <= now()
  order by expires_at limit $3 for update skip locked
`),
};

/** Ends messages of lanes whose validity is over before they left. At most as many as there are event ids. */
export function expireQueued(
  tx: Queryable,
  lanes: readonly number[],
  events: readonly EventId[],
): Promise<MessageKey[]> {
  return tx.query<MessageKey>(expire, [lanes, events, events.length]);
}

/** Names a message. */
export interface MessageKey {
  tenant_id: TenantId;
  message_id: MessageId;
}

const expireNamed = {
  name: 'change_expire_named',
  text: ending(`
  select d.tenant_id, d.message_id from unnest($1::uuid[], $3::uuid[]) as i(tenant_id, message_id)
  join due d on d.tenant_id = i.tenant_id and d.message_id = i.message_id
  where d.state = 'queued' and d.expires_at is null and d.due_at <= now() for update of d skip locked
`),
};

/**
 * Ends messages that whoever selects found too old to be sent, unless they have begun to leave or were given other times since.
 * @param events an id for each.
 */
export function expireNamedMessages(
  tx: Queryable,
  messages: readonly MessageKey[],
  events: readonly EventId[],
): Promise<MessageKey[]> {
  return tx.query<MessageKey>(expireNamed, [
    uuids(messages, (m) => m.tenant_id),
    events,
    uuids(messages, (m) => m.message_id),
  ]);
}

// Of each sender and priority what has been due for longest, in queues that nobody selects from; and what is held.
const expireStale = {
  name: 'change_expire_stale',
  text: ending(`
  select d.tenant_id, d.message_id from due d join (
    (select w.tenant_id, w.message_id from senders s cross join generate_series(0, 2) as p(priority) cross join lateral (
       select * from due where lane_id = s.lane_id and sender_id = s.id and priority = p.priority::smallint and state = 'queued'
         and held is null and due_at < now() - $4::float8 * interval '1 ms' and expires_at is null order by due_at limit $3) w
     where s.lane_id = any ($1::int[]))
    union all
    (select tenant_id, message_id from due
     where lane_id = any ($1::int[]) and held is not null and due_at < now() - $4::float8 * interval '1 ms' and expires_at is null
     order by due_at limit $3)
  ) found on found.tenant_id = d.tenant_id and found.message_id = d.message_id
  where d.state = 'queued' limit $3 for update of d skip locked
`),
};

/**
 * Ends messages of lanes that have no end of their own, and have been due for longer than `validity` ms: in queues that are paused or
 * stopped, or held. At most as many as there are event ids.
 */
export function expireStaleQueued(
  tx: Queryable,
  lanes: readonly number[],
  events: readonly EventId[],
  validity: number,
): Promise<MessageKey[]> {
  return tx.query<MessageKey>(expireStale, [lanes, events, events.length, validity]);
}
