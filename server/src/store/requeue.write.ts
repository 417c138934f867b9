import { doubles, integers, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import { RETRY_RESTS, type RetryRefusal } from '../domain/dead-letters.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';

/** Whether a failed message was made due again, and if not, why. */
export interface Requeued {
  id: MessageId;
  /** null: it is due again. */
  refusal: RetryRefusal | null;
  /** Where its work is now; null: nowhere. */
  lane_id: number | null;
}

const requeue = {
  name: 'change_retry',
  text: `
with i as materialized (
  select * from unnest($2::uuid[], $3::uuid[]) as i(id, event_id)
), asked as materialized (
  select m.id, i.event_id, r.cause, t.due_at, case
    when l.message_id is null then 'not_failed'
    -- What was only recorded has no attempt of ours, and gets none.
    when m.direction <> 'outbound' or (m.attempt = 0 and l.word not in ('template_unavailable', 'recipient_suppressed'))
      then 'recorded'
    when coalesce(m.expires_at, greatest(m.created_at, m.scheduled_at) + $9::float8 * interval '1 ms') <= t.due_at then 'expired'
    when exists (select from contact_identities c where c.tenant_id = m.tenant_id and c.contact_id = m.contact_id
      and (c.suppressed & 2 <> 0 or (c.suppressed & 1 <> 0 and m.category = 'marketing'))) then 'recipient_suppressed'
    when l.uncertain and not $5 then 'may_have_arrived'
    end as refusal
  from i
  join messages m on m.tenant_id = $1 and m.id = i.id
  left join dead_letters l on l.tenant_id = m.tenant_id and l.message_id = m.id
  left join unnest($6::int[], $7::float8[], $8::text[]) as r(code, rest, cause) on r.code = l.code
  -- It may have failed before the time that it is scheduled for.
  cross join lateral (select greatest(now(), m.scheduled_at, l.failed_at + r.rest * interval '1 ms') as due_at) t
), m as (
  update messages m set state_before = m.state, state = 'queued', error = null, failed_at = null, sent_at = null, wamid = null,
    sending_at = null, answered_at = null
  from asked a where m.tenant_id = $1 and m.id = a.id and a.refusal is null and m.state = 'failed'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.template, m.attempt, m.priority, m.expires_at, a.event_id, a.due_at,
    case when a.due_at > now() then a.cause end as cause
), d as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, attempt, template_id, cause)
  select m.tenant_id, m.id, s.lane_id, m.sender_id, m.priority, m.due_at, m.expires_at, m.attempt,
    (select t.id from templates t where t.tenant_id = m.tenant_id and t.account_id = s.account_id
       and t.name = m.template ->> 'name' and t.language = m.template ->> 'language'), m.cause
  from m join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  returning message_id, lane_id
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.queued', id, jsonb_build_object('state', 'queued', 'attempt', attempt) from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'failed', 'queued', $4, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select a.id, a.refusal, (select d.lane_id from d where d.message_id = a.id) as lane_id from asked a`,
};

/**
 * Makes failed messages due again. What the provider wants not to be sent again before a time waits for it, and what is scheduled for
 * a later time for that.
 * @param asked each message once, with the id of its event. Those that the tenant has not are left out of the answer.
 * @param slot which of the counters' rows to add to.
 * @param acceptDuplicates also those that may have arrived.
 * @param validity milliseconds from when it may leave in which a message without an end of its own is sent; null: for ever.
 */
export function requeueFailed(
  tx: Queryable,
  tenant: TenantId,
  asked: readonly { id: MessageId; event: EventId }[],
  slot: number,
  acceptDuplicates: boolean,
  validity: number | null = null,
): Promise<Requeued[]> {
  return tx.query<Requeued>(requeue, [
    tenant,
    uuids(asked, (one) => one.id),
    uuids(asked, (one) => one.event),
    slot,
    acceptDuplicates,
    integers(RETRY_RESTS, (one) => one.code),
    doubles(RETRY_RESTS, (one) => one.rest),
    texts(RETRY_RESTS, (one) => one.cause),
    validity,
  ]);
}
