import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';

/** Changes a person asks for, and those that time brings. */
const cancel = {
  name: 'change_cancel',
  text: `
with d as (
  delete from due where tenant_id = $1 and message_id = $2 and state = 'queued' returning tenant_id, message_id
), m as (
  update messages m set state_before = m.state, state = 'cancelled', ended_at = now()
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

const retry = {
  name: 'change_retry',
  text: `
with m as (
  update messages m set state_before = m.state, state = 'queued', error = null, failed_at = null, sent_at = null, wamid = null
  where m.tenant_id = $1 and m.id = $2 and m.state = 'failed' and m.direction = 'outbound'
    -- What was only recorded has no attempt of ours, and gets none.
    and (m.attempt > 0 or m.error ->> 'error' in ('template_unavailable', 'recipient_suppressed'))
    and (m.expires_at is null or m.expires_at > now())
    and not exists (select from contact_identities i where i.tenant_id = m.tenant_id and i.contact_id = m.contact_id
      and (i.suppressed & 2 <> 0 or (i.suppressed & 1 <> 0 and m.category = 'marketing')))
  returning m.tenant_id, m.id, m.sender_id, m.type, m.template, m.attempt, m.priority, m.expires_at
), d as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, attempt, template_id)
  select m.tenant_id, m.id, s.lane_id, m.sender_id, m.priority, now(), m.expires_at, m.attempt,
    (select t.id from templates t where t.tenant_id = m.tenant_id and t.account_id = s.account_id
       and t.name = m.template ->> 'name' and t.language = m.template ->> 'language')
  from m join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  returning lane_id
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, $3, 'message.queued', id, jsonb_build_object('state', 'queued', 'attempt', attempt) from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'failed', 'queued', $4, 1 from m
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select exists (select from m) as done, exists (select from messages where tenant_id = $1 and id = $2) as known,
  (select lane_id from d) as lane_id`,
};

/**
 * Makes a failed message due again. `lane_id`: where its work is now.
 * @param slot which of the counters' rows to add to.
 */
export async function requeueFailed(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
  event: EventId,
  slot: number,
): Promise<Change & { lane_id: number | null }> {
  const [row] = await tx.query<Change & { lane_id: number | null }>(retry, [tenant, id, event, slot]);
  return row ?? { done: false, known: false, lane_id: null };
}

const expire = {
  name: 'change_expire',
  text: `
with x as materialized (
  select tenant_id, message_id from due
  where lane_id = any($1::int[]) and state = 'queued' and expires_at <= now()
  order by expires_at limit $3 for update skip locked
), d as (
  delete from due d using x where d.tenant_id = x.tenant_id and d.message_id = x.message_id
  returning d.tenant_id, d.message_id
), m as (
  update messages m set state_before = m.state, state = 'expired', ended_at = now()
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
select tenant_id, id as message_id from m`,
};

/** Ends messages of lanes whose validity is over before they left. At most as many as there are event ids. */
export function expireQueued(
  tx: Queryable,
  lanes: readonly number[],
  events: readonly EventId[],
): Promise<{ tenant_id: TenantId; message_id: MessageId }[]> {
  return tx.query<{ tenant_id: TenantId; message_id: MessageId }>(expire, [lanes, events, events.length]);
}
