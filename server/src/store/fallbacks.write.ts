import { bigints, integers, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import type { FailedReceiptRow } from './receipts.write.ts';
import { refuses } from './refusals.ts';
import { type FailedAttempt, OWNED, ownedEpoch } from './sending.write.ts';

/**
 * A message that the provider takes no longer, for the customer's window is closed, becomes its fallback: a template, which is
 * sent at any time. Once: the fallback it was stored with is gone then. What the customer has opted out of meanwhile is not sent.
 * Messages without one are left as they are, and out of the answer.
 */

/** Of the messages of `i` those that have a fallback which may go, with what becomes of them. @param more further conditions. */
const fallbacks = (more: string) => `
  select m.tenant_id, m.id as message_id, m.type as type_before, m.attempt as settled_attempt, m.fallback ->> 'category' as category,
    m.fallback - '{category,template_id,held}'::text[] as template, t.id as template_id,
    case when t.status = 'PAUSED' then 'template' end as held
  from i join messages m on m.tenant_id = i.tenant_id and m.id = i.message_id
  left join templates t on t.tenant_id = m.tenant_id and t.id = (m.fallback ->> 'template_id')::uuid
  where m.fallback ? 'name' ${more} and not ${refuses("m.fallback ->> 'category'")}`;

/** What is written of a message `m` that becomes its fallback `f`. */
const BECOMES = (source: 'answer' | 'receipt') =>
  `type = 'template', template = f.template, category = f.category, fallback = '{"taken": "${source}"}'`;

/** The event of each message of `m`, and its counts: there is one less of its type, and one more template. */
const TOLD = (slot: string) => `
e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.queued', id, jsonb_build_object('state', 'queued', 'attempt', attempt) from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound'::message_direction, type, '', state, ${slot}, sum(n) from (
    select tenant_id, sender_id, type_before as type, state_before::text as state, -1 as n from m
    union all
    select tenant_id, sender_id, 'template', 'queued', 1 from m
  ) x
  group by tenant_id, sender_id, type, state order by tenant_id, sender_id, type, state
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)`;

/** A message that became its fallback, and where its work is. */
export interface FallbackTaken {
  tenant_id: TenantId;
  message_id: MessageId;
  lane_id: number;
}

const byAnswer = {
  name: 'fallbacks_by_answer',
  text: `
with ${OWNED}, i as materialized (
  select * from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::int[], $9::text[], $10::text[])
  as i(tenant_id, message_id, attempt, event_id, code, title, detail)
), f as materialized (${fallbacks("and m.state = 'queued'")}
), d as (
  update due d set state = 'queued', due_at = clock_timestamp(), template_id = f.template_id, held = f.held
  from i join f using (tenant_id, message_id)
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.lane_id, d.attempt, d.started_at, i.event_id, i.code, i.title, i.detail
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, attempt, started_at, 'retry', code, coalesce(detail, title) from d
  on conflict do nothing
), w as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, message_id, attempt, 'answer', code, now(), title, detail from d
  on conflict do nothing
), m as (
  update messages m set state_before = m.state, ${BECOMES('answer')}
  from f join d using (tenant_id, message_id)
  where m.tenant_id = f.tenant_id and m.id = f.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.state_before, f.type_before, d.attempt, d.event_id
), ${TOLD('$11')}
select tenant_id, message_id, lane_id from d`,
};

/** Attempts that were answered so. */
export function takeFallbacks(
  tx: Queryable,
  owner: LaneClaim,
  failed: readonly FailedAttempt[],
  slot: number,
): Promise<FallbackTaken[]> {
  return tx.query<FallbackTaken>(byAnswer, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(failed, (f) => f.tenant),
    uuids(failed, (f) => f.message),
    smallints(failed, (f) => f.attempt),
    uuids(failed, (f) => f.event),
    integers(failed, (f) => f.code),
    texts(failed, (f) => f.title),
    texts(failed, (f) => f.detail),
    slot,
  ]);
}

// Due work is taken before the message, as in settling, so that the two never wait for each other.
const byReceipt = {
  name: 'fallbacks_by_receipt',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::timestamptz[], $6::int[], $7::text[],
    $8::text[], $9::uuid[])
  as i(tenant_id, message_id, wamid, attempt, at, code, title, detail, event_id)
), f as materialized (
  select f.*, i.wamid, i.at, i.code, i.title, i.detail, i.event_id,
    coalesce(i.attempt, f.settled_attempt) as named_attempt
  from (${fallbacks(`
    and now() < least(m.expires_at, coalesce(m.scheduled_at, m.created_at) + $11 * interval '1 ms')`)}
  ) f join i using (tenant_id, message_id)
), d as (
  update due d set state = 'queued', due_at = clock_timestamp(), template_id = f.template_id, held = f.held
  from f
  where d.tenant_id = f.tenant_id and d.message_id = f.message_id and d.attempt = f.named_attempt and d.state <> 'queued'
  returning d.tenant_id, d.message_id, d.lane_id, d.attempt, d.started_at
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, d.attempt, d.started_at, 'receipt', f.code, f.title
  from d join f using (tenant_id, message_id)
  on conflict do nothing
), m as (
  update messages m set state_before = m.state, state = 'queued', attempt = f.named_attempt, wamid = null, sent_at = null,
    sending_at = null, answered_at = null,
    ${BECOMES('receipt')}
  from f left join d using (tenant_id, message_id)
  where m.tenant_id = f.tenant_id and m.id = f.message_id
    and ((m.state = 'sent' and m.attempt = f.named_attempt) or (m.state = 'queued' and d.message_id is not null))
  returning m.tenant_id, m.id, m.sender_id, m.state_before, m.attempt, m.priority, m.expires_at, f.type_before, f.event_id,
    f.wamid, f.code, f.at, f.title, f.detail, f.template_id, f.held, d.lane_id
), again as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, attempt, template_id, held)
  select m.tenant_id, m.id, s.lane_id, m.sender_id, m.priority, clock_timestamp(), m.expires_at, m.attempt, m.template_id,
    m.held
  from m join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  where m.lane_id is null
  returning tenant_id, message_id, lane_id
), w as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, id, attempt, 'receipt', code, at, title, detail from m
  on conflict do nothing
), k as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, id from m on conflict do nothing
), ${TOLD('$10')}
select tenant_id, id as message_id, lane_id from m where lane_id is not null
union all
select tenant_id, message_id, lane_id from again`,
};

/**
 * Attempts of which receipts tell so; each names its attempt.
 * @param validity milliseconds from its acceptance, or from its scheduled time, in which a message may be tried.
 */
export function takeFallbacksByReceipt(
  tx: Queryable,
  failed: readonly Omit<FailedReceiptRow, 'delay'>[],
  slot: number,
  validity: number,
): Promise<FallbackTaken[]> {
  return tx.query<FallbackTaken>(byReceipt, [
    uuids(failed, (r) => r.tenant),
    uuids(failed, (r) => r.message),
    texts(failed, (r) => r.wamid),
    smallints(failed, (r) => r.attempt),
    times(failed, (r) => r.at),
    integers(failed, (r) => r.code),
    texts(failed, (r) => r.title),
    texts(failed, (r) => r.detail),
    uuids(failed, (r) => r.event),
    slot,
    validity,
  ]);
}
