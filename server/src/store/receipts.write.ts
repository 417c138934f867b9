import { doubles, integers, jsons, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DeferralCause } from '../domain/causes.ts';
import type { EventId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { FailedReceipt, MergedReceipt, ParkedReceipt } from '../domain/receipt.ts';
import { refuses } from './refusals.ts';

/**
 * Whether a receipt's time is news: nothing was known, or it lies in an earlier second than what was. The provider tells
 * whole seconds, so that a repeated receipt, heard later, says nothing new. Nothing happens before the message was made.
 */
function isEarlier(column: string): string {
  return `(i.${column} is not null and (m.${column} is null
      or date_trunc('second', greatest(i.${column}, m.created_at)) < date_trunc('second', m.${column})))`;
}

/** Bad news stays until better news than 'sent' comes, unless all that was told is that nobody knew. */
const STAYS_FAILED = `(m.state = 'failed' and i.state = 'sent' and m.error ->> 'error' <> 'outcome_unknown')`;

/**
 * Whether a receipt is a late 'sent' of an attempt that is known to have failed afterwards: it says nothing new.
 * @param attempt the column with the attempt that is meant when the receipt names none.
 */
function isStale(attempt: string): string {
  return `(i.state = 'sent' and exists (select from failures f where f.tenant_id = i.tenant_id
      and f.message_id = i.message_id and f.source = 'receipt' and f.attempt >= coalesce(i.attempt, ${attempt})))`;
}

/**
 * Receipts are merged into messages in any order and any number: states only rise, times only fall, and a row that would
 * not change is not written.
 *
 * Due work is taken before the message, as in settling, so that the two never wait for each other.
 */
const apply = {
  name: 'receipts_apply',
  text: `
with i as materialized (
  select tenant_id, message_id, wamid, state::message_state as state, sent_at, delivered_at, read_at, played_at, event_id,
    attempt
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::uuid[], $12::smallint[])
  as i(tenant_id, message_id, wamid, state, sent_at, delivered_at, read_at, played_at, event_id, attempt)
), d as (
  delete from due d using i where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt > 0
    and not ${isStale('d.attempt')}
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.wamid
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome)
  select tenant_id, message_id, attempt, started_at, 'receipt' from d where started_at is not null
  on conflict do nothing
), w as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, message_id from d on conflict do nothing
), m as (
  update messages m set
    state_before = m.state,
    state = case
      when ${STAYS_FAILED} then 'failed'
      when m.state in ('queued', 'failed', 'cancelled', 'expired') then i.state
      else greatest(m.state, i.state) end,
    wamid = coalesce(m.wamid, i.wamid),
    attempt = coalesce(d.attempt, m.attempt),
    sent_at = case when ${isEarlier('sent_at')} then greatest(i.sent_at, m.created_at) else m.sent_at end,
    delivered_at = case when ${isEarlier('delivered_at')} then greatest(i.delivered_at, m.created_at) else m.delivered_at end,
    read_at = case when ${isEarlier('read_at')} then greatest(i.read_at, m.created_at) else m.read_at end,
    played_at = case when ${isEarlier('played_at')} then greatest(i.played_at, m.created_at) else m.played_at end,
    error = case when ${STAYS_FAILED} then m.error end,
    failed_at = case when ${STAYS_FAILED} then m.failed_at end,
    ended_at = null
  from i left join d on d.tenant_id = i.tenant_id and d.message_id = i.message_id
  where m.tenant_id = i.tenant_id and m.id = i.message_id and m.direction = 'outbound'
    and (m.state <> 'queued' or d.message_id is not null)
    and ((m.state < i.state and m.state < 'failed') or m.state in ('cancelled', 'expired')
      or (m.state = 'failed' and not ${STAYS_FAILED})
      or ${isEarlier('sent_at')} or ${isEarlier('delivered_at')} or ${isEarlier('read_at')} or ${isEarlier('played_at')})
    and not (${isStale('m.attempt')} and (m.attempt > i.attempt or m.state in ('cancelled', 'expired')))
  returning m.tenant_id, m.id, m.sender_id, m.type, m.state, m.state_before, m.attempt, m.wamid, m.sent_at, m.delivered_at,
    m.read_at, m.played_at, m.failed_at, m.error, i.event_id
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.' || state, id, jsonb_strip_nulls(jsonb_build_object('state', state, 'wamid', wamid,
    'attempt', attempt, 'sent_at', sent_at, 'delivered_at', delivered_at, 'read_at', read_at, 'played_at', played_at,
    'failed_at', failed_at, 'error', error,
    -- Only where the type leaves it open whether the message was with the provider before: a repeated 'sent', a skipped one.
    'was', case when (state = 'sent') = (state_before in ('sent', 'delivered', 'read', 'played')) then state_before end))
  from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, state_before::text, state::text, $10, count(*) from m
  where state <> state_before
  group by tenant_id, sender_id, type, state_before, state order by tenant_id, sender_id, type, state_before, state
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
), done as (
  delete from inbound_work where id = any($11::uuid[])
)
select tenant_id, id as message_id, state_before = 'queued' as by_receipt from m`,
};

/** A message that receipts changed. `by_receipt`: it had no answer of its own yet. */
export interface ReceiptChange {
  tenant_id: TenantId;
  message_id: MessageId;
  by_receipt: boolean;
}

/** Merges receipts into their messages, and marks inbound work as done, in one statement. */
export function applyMergedReceipts(
  tx: Queryable,
  receipts: readonly (MergedReceipt & { event: EventId })[],
  slot: number,
  doneWork: readonly string[],
): Promise<ReceiptChange[]> {
  return tx.query<ReceiptChange>(apply, [
    uuids(receipts, (r) => r.tenant),
    uuids(receipts, (r) => r.message),
    texts(receipts, (r) => r.wamid),
    texts(receipts, (r) => r.state),
    times(receipts, (r) => r.sent),
    times(receipts, (r) => r.delivered),
    times(receipts, (r) => r.read),
    times(receipts, (r) => r.played),
    uuids(receipts, (r) => r.event),
    slot,
    doneWork,
    smallints(receipts, (r) => r.attempt),
  ]);
}

const fail = {
  name: 'receipts_fail',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::timestamptz[], $6::int[], $7::text[],
    $8::text[], $9::uuid[], $10::float8[], $13::text[])
  as i(tenant_id, message_id, wamid, attempt, at, code, title, detail, event_id, delay, cause)
), named as materialized (
  select i.tenant_id, i.message_id, i.wamid, i.at, i.code, i.title, i.detail, i.event_id, i.cause,
    -- No further attempt when the message's time will be over, or its recipient has opted out, and none at all when it was only
    -- recorded, not sent by us. Nor when it has failed: then only the reason is news.
    case when m.state <> 'failed' and coalesce(i.attempt, m.attempt) > 0 and not ${refuses('m.category')} and now() + i.delay * interval '1 ms' < least(m.expires_at,
      coalesce(m.scheduled_at, m.created_at) + $12 * interval '1 ms') then i.delay end as delay,
    coalesce(i.attempt, m.attempt) as named_attempt, d.state as due_state
  from i
  join messages m on m.tenant_id = i.tenant_id and m.id = i.message_id and m.direction = 'outbound'
  left join due d on d.tenant_id = i.tenant_id and d.message_id = i.message_id
), f as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, message_id, named_attempt, 'receipt', code, at, title, detail from named
  on conflict do nothing
), d as (
  delete from due d using named i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.named_attempt and d.state <> 'queued'
    and i.delay is null
  returning d.tenant_id, d.message_id, d.attempt, d.started_at
), back as (
  update due d set state = 'queued', due_at = clock_timestamp() + i.delay * interval '1 ms', cause = i.cause
  from named i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.named_attempt and d.state <> 'queued'
    and i.delay is not null
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.due_state, i.event_id
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, x.attempt, x.started_at, 'receipt', named.code, named.title
  from (select * from d union all select tenant_id, message_id, attempt, started_at from back) x
  join named using (tenant_id, message_id)
  on conflict do nothing
), m as (
  update messages m set state_before = m.state,
    attempt = i.named_attempt,
    wamid = case when i.delay is null then coalesce(m.wamid, i.wamid) else null end,
    state = case when i.delay is null then 'failed'::message_state else 'queued' end,
    sent_at = case when i.delay is null then m.sent_at end,
    sending_at = case when i.delay is null then m.sending_at end,
    answered_at = case when i.delay is null then m.answered_at end,
    failed_at = case when i.delay is null then greatest(i.at, m.created_at) end,
    error = case when i.delay is null then
      jsonb_build_object('error', 'send_failed', 'code', i.code, 'title', i.title, 'detail', i.detail) end
  from named i left join d on d.tenant_id = i.tenant_id and d.message_id = i.message_id
  where m.tenant_id = i.tenant_id and m.id = i.message_id
    and ((m.state = 'sent' and m.attempt = i.named_attempt) or (m.state = 'queued' and d.message_id is not null)
      or (m.state = 'failed' and m.attempt = i.named_attempt and m.error ->> 'error' = 'outcome_unknown'))
  returning m.tenant_id, m.id, m.sender_id, m.type, m.state, m.state_before, m.attempt, m.wamid, m.sent_at, m.failed_at,
    m.error, m.priority, m.expires_at, i.event_id, i.delay, i.cause
), again as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, attempt, cause)
  select m.tenant_id, m.id, s.lane_id, m.sender_id, m.priority, clock_timestamp() + m.delay * interval '1 ms',
    m.expires_at, m.attempt, m.cause
  from m join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  where m.state = 'queued'
), w as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, message_id from named on conflict do nothing
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.' || state, id, jsonb_strip_nulls(jsonb_build_object('state', state, 'wamid', wamid,
    'attempt', attempt, 'sent_at', sent_at, 'failed_at', failed_at, 'error', error))
  from m
  union all
  select tenant_id, event_id, 'message.queued', message_id, jsonb_build_object('state', 'queued', 'attempt', attempt)
  from back where due_state = 'unconfirmed'
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, state_before::text, state::text, $11, count(*) from m
  where state <> state_before
  group by tenant_id, sender_id, type, state_before, state order by tenant_id, sender_id, type, state_before, state
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select tenant_id, id as message_id, false as by_receipt from m
union all
select tenant_id, message_id, false from back`,
};

/** Bad news with what follows: another attempt in `delay` ms, or (null) the end. */
export interface FailedReceiptRow extends FailedReceipt {
  event: EventId;
  delay: number | null;
  /** What another attempt waits for; null: the pause of its queue. */
  cause: DeferralCause | null;
}

/**
 * Applies bad news: kept in the history in any case; it changes the message only while the attempt it names is the latest
 * and nothing better is known. At most one entry a message.
 * @param validity milliseconds from its acceptance, or from its scheduled time, in which a message may be tried.
 */
export function applyFailedReceipts(
  tx: Queryable,
  failed: readonly FailedReceiptRow[],
  slot: number,
  validity: number,
): Promise<ReceiptChange[]> {
  return tx.query<ReceiptChange>(fail, [
    uuids(failed, (r) => r.tenant),
    uuids(failed, (r) => r.message),
    texts(failed, (r) => r.wamid),
    smallints(failed, (r) => r.attempt),
    times(failed, (r) => r.at),
    integers(failed, (r) => r.code),
    texts(failed, (r) => r.title),
    texts(failed, (r) => r.detail),
    uuids(failed, (r) => r.event),
    doubles(failed, (r) => r.delay),
    slot,
    validity,
    texts(failed, (r) => r.cause),
  ]);
}

const findByWamid = {
  name: 'receipts_find_by_wamid',
  text: `
select w.tenant_id, w.wamid, w.message_id, m.sender_id from wamids w
join unnest($1::uuid[], $2::text[]) as i(tenant_id, wamid) using (tenant_id, wamid)
join messages m on m.tenant_id = w.tenant_id and m.id = w.message_id`,
};

export interface WamidRow {
  tenant_id: TenantId;
  wamid: string;
  message_id: MessageId;
  sender_id: SenderId;
}

/** Which messages the provider's ids name. */
export function findMessagesByWamid(
  tx: Queryable,
  asked: readonly { tenant: TenantId; wamid: string }[],
): Promise<WamidRow[]> {
  return tx.query<WamidRow>(findByWamid, [asked.map((a) => a.tenant), asked.map((a) => a.wamid)]);
}

const park = {
  name: 'receipts_park',
  text: `
insert into parked_receipts (tenant_id, wamid, status, receipt)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[]) on conflict do nothing`,
};

/** Keeps receipts whose message is not known (yet). */
export async function parkReceipts(tx: Queryable, parked: readonly ParkedReceipt[]): Promise<void> {
  await tx.query(park, [
    uuids(parked, (p) => p.tenant_id),
    texts(parked, (p) => p.wamid),
    texts(parked, (p) => p.status),
    jsons(parked, (p) => jsonText(p.receipt)),
  ]);
}

const findParked = {
  name: 'receipts_find_parked',
  text: `
select p.tenant_id, p.wamid, p.status, p.receipt
from parked_receipts p join wamids w on w.tenant_id = p.tenant_id and w.wamid = p.wamid limit $1`,
};

/** Parked receipts whose message is known by now. */
export function findParkedReceipts(tx: Queryable, limit: number): Promise<ParkedReceipt[]> {
  return tx.query<ParkedReceipt>(findParked, [limit]);
}

const unpark = {
  name: 'receipts_unpark',
  text: `
delete from parked_receipts p using unnest($1::uuid[], $2::text[], $3::text[]) as i(tenant_id, wamid, status)
where p.tenant_id = i.tenant_id and p.wamid = i.wamid and p.status = i.status`,
};

/** Forgets parked receipts that were applied. */
export async function deleteParkedReceipts(tx: Queryable, parked: readonly ParkedReceipt[]): Promise<void> {
  await tx.query(unpark, [
    uuids(parked, (p) => p.tenant_id),
    texts(parked, (p) => p.wamid),
    texts(parked, (p) => p.status),
  ]);
}
