import { bigints, doubles, integers, smallints, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DeferralCause } from '../domain/causes.ts';
import type { EventId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { type LaneClaim, narrowed } from '../domain/lane.ts';
import type { Content, Template } from '../domain/message.ts';
import type { ByPriority } from '../domain/schedule/priorities.ts';
import type { Candidate } from '../domain/schedule/schedule.ts';

/**
 * The writes of a lane's work. Each holds the rows of its lanes FOR SHARE and checks that the instance owns them at the
 * epoch it thinks: a takeover updates those rows, so a deposed owner changes nothing. Settling matches the attempt as well.
 */

/** A message that may leave, with what its selection and its call need. */
export interface Claimed extends Candidate {
  attempt: number;
  type: string;
  content: Content | null;
  template: Template | null;
  reply_to: string | null;
  /** When it was read, by the database's clock: milliseconds since 1970. */
  wall: number;
}

// now() and not clock_timestamp(): only a stable function can bound the index.
const claim = {
  name: 'sending_claim',
  text: `
select d.tenant_id, d.message_id, d.lane_id, d.sender_id, d.attempt, d.priority, d.expires_at, m.conversation_id, m.batch_id, m.type, m.category,
  m.address, m.content, m.template, m.reply_to, greatest(m.created_at, m.scheduled_at) as waiting_since,
  (extract(epoch from now()) * 1000)::float8 as wall
from unnest($1::int[], $2::uuid[], $3::int[], $4::int[], $5::int[]) as s(lane_id, sender_id, high, normal, low)
cross join lateral (
  ${dueOf(0, 'high')} union all ${dueOf(1, 'normal')} union all ${dueOf(2, 'low')}
) d
join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id`,
};

function dueOf(priority: number, limit: string): string {
  return `(select * from due where lane_id = s.lane_id and sender_id = s.sender_id and state = 'queued' and held is null
    and priority = ${priority} and due_at <= now() order by due_at, message_id limit s.${limit})`;
}

/**
 * Reads what is due, of each sender and priority at most as much as was asked for, by due time. A read only: the recorded attempt
 * is the first write.
 */
export function findDue(
  tx: Queryable,
  asks: readonly { lane: number; sender: SenderId; limits: Readonly<ByPriority> }[],
): Promise<Claimed[]> {
  return tx.query<Claimed>(claim, [
    integers(asks, (ask) => ask.lane),
    uuids(asks, (ask) => ask.sender),
    integers(asks, (ask) => ask.limits[0]),
    integers(asks, (ask) => ask.limits[1]),
    integers(asks, (ask) => ask.limits[2]),
  ]);
}

/** An attempt that is recorded: now, and not before, its call may begin. */
export interface Begun {
  message_id: MessageId;
  attempt: number;
  started_at: Date;
}

/** The lanes of the question that the instance still owns, held until the statement is committed. */
export const OWNED = `
owned as materialized (
  select l.id, l.epoch from lanes l
  join unnest($2::int[], $3::bigint[]) as mine(id, epoch) on mine.id = l.id and mine.epoch = l.epoch
  where l.owner = $1 for share of l
)`;

/**
 * The epoch of a lane of `owned`, null of any other. Two arrays that are made once a statement: a join would compare each row with each
 * lane, and could find rows by their lane, where their key is what is to find them.
 */
export function ownedEpoch(lane: string): string {
  return `(array(select epoch from owned order by id))[array_position(array(select id from owned order by id), ${lane})]`;
}

/** What the column can count. One message more would fail the statement, and all that begin with it. */
const MOST_ATTEMPTS = 32_767;

/**
 * Not `=`: the index of what waits would fit, and be walked whole for each batch while nobody has counted what waits, as in the first campaign
 * of a new installation. The row is to be found by its key.
 */
const IS_QUEUED = `d.state is not distinct from 'queued'`;

// Nor `=` for the lane, for the same reason.
const begin = {
  name: 'sending_begin',
  text: `
with ${OWNED}
update due d set state = 'sending', attempt = d.attempt + 1, epoch = ${ownedEpoch('d.lane_id')},
  started_at = clock_timestamp(), due_at = clock_timestamp() + $7 * interval '1 ms', cause = null
from unnest($4::uuid[], $5::uuid[], $6::smallint[], $8::int[]) as i(tenant_id, message_id, attempt, lane_id)
where d.tenant_id = i.tenant_id and d.message_id = i.message_id and ${IS_QUEUED} and d.attempt = i.attempt
  and d.held is null and ${ownedEpoch('d.lane_id')} is not null and (d.expires_at is null or d.expires_at > clock_timestamp())
  and d.due_at <= clock_timestamp() and d.lane_id is not distinct from i.lane_id and d.attempt < ${MOST_ATTEMPTS}
returning d.message_id, d.attempt, d.started_at`,
};

/**
 * Records that attempts begin. What was cancelled, expired, moved to a later time or another lane, or taken over since it was read is left
 * out of the answer.
 * @param grace milliseconds until an attempt without an answer becomes doubtful.
 */
export function beginAttempts(
  tx: Queryable,
  owner: LaneClaim,
  claimed: readonly Claimed[],
  grace: number,
): Promise<Begun[]> {
  const mine = narrowed(owner, new Set(claimed.map((c) => c.lane_id)));
  return tx.query<Begun>(begin, [
    mine.instance,
    integers(mine.lanes, (lane) => lane),
    bigints(mine.epochs, (epoch) => epoch),
    uuids(claimed, (c) => c.tenant_id),
    uuids(claimed, (c) => c.message_id),
    smallints(claimed, (c) => c.attempt),
    grace,
    integers(claimed, (c) => c.lane_id),
  ]);
}

const putOffStatement = {
  name: 'sending_put_off',
  text: `
with ${OWNED}
update due d set due_at = clock_timestamp() + i.delay * interval '1 ms', cause = i.cause
from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::float8[], $8::text[])
  as i(tenant_id, message_id, attempt, delay, cause)
where d.tenant_id = i.tenant_id and d.message_id = i.message_id and ${IS_QUEUED} and d.attempt = i.attempt
  and d.held is null and ${ownedEpoch('d.lane_id')} is not null and d.due_at <= clock_timestamp()
returning d.message_id`,
};

/** What is due, and is not to leave before `delay` ms from now. */
export interface PutOff {
  candidate: Pick<Claimed, 'tenant_id' | 'message_id' | 'attempt'>;
  delay: number;
  cause: DeferralCause;
}

/** Puts due work off. What was cancelled, begun, moved to a later time or taken over since it was read is left out of the answer. */
export function putOffDue(
  tx: Queryable,
  owner: LaneClaim,
  putOff: readonly PutOff[],
): Promise<{ message_id: MessageId }[]> {
  return tx.query<{ message_id: MessageId }>(putOffStatement, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(putOff, (p) => p.candidate.tenant_id),
    uuids(putOff, (p) => p.candidate.message_id),
    smallints(putOff, (p) => p.candidate.attempt),
    doubles(putOff, (p) => p.delay),
    texts(putOff, (p) => p.cause),
  ]);
}

/** Names one attempt of one message. */
export interface AttemptKey {
  tenant: TenantId;
  message: MessageId;
  attempt: number;
  event: EventId;
}

const settleSentStatement = {
  name: 'sending_settle_sent',
  text: `
with ${OWNED}, i as materialized (
  select * from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::text[])
  as i(tenant_id, message_id, attempt, event_id, wamid)
), d as (
  delete from due d using i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.event_id, i.wamid
), m as (
  update messages m set state_before = m.state, state = 'sent', attempt = d.attempt, wamid = d.wamid, sent_at = now(),
    sending_at = d.started_at, answered_at = clock_timestamp()
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt, m.wamid, m.created_at, d.event_id
), w as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, message_id from d on conflict do nothing
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.sent', id,
    jsonb_build_object('state', 'sent', 'wamid', wamid, 'attempt', attempt, 'sent_at', now())
  from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'sent', $9, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select tenant_id, id as message_id, extract(epoch from now() - created_at)::float8 as seconds from m`,
};

/** A message whose state a settlement changed, and how long after its acceptance. */
export interface SettledRow {
  tenant_id: TenantId;
  message_id: MessageId;
  seconds: number;
}

/**
 * Settles attempts that the provider accepted. What was already settled by a receipt, or belongs to another owner now, is
 * left as it is and out of the answer.
 */
export function settleSent(
  tx: Queryable,
  owner: LaneClaim,
  sent: readonly (AttemptKey & { wamid: string })[],
  slot: number,
): Promise<SettledRow[]> {
  return tx.query<SettledRow>(settleSentStatement, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(sent, (s) => s.tenant),
    uuids(sent, (s) => s.message),
    smallints(sent, (s) => s.attempt),
    uuids(sent, (s) => s.event),
    texts(sent, (s) => s.wamid),
    slot,
  ]);
}

const settleFailed = {
  name: 'sending_settle_failed',
  text: `
with ${OWNED}, i as materialized (
  select * from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::int[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::text[])
  as i(tenant_id, message_id, attempt, event_id, code, word, title, detail, source, outcome)
), d as (
  delete from due d using i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.event_id, i.code, i.word, i.title, i.detail, i.source,
    i.outcome
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, attempt, started_at, outcome, code, coalesce(detail, title) from d
  on conflict do nothing
), f as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, message_id, attempt, source, code, now(), title, detail from d
  on conflict do nothing
), m as (
  update messages m set state_before = m.state, state = 'failed', attempt = d.attempt, failed_at = now(),
    error = jsonb_build_object('error', d.word, 'code', d.code, 'title', d.title, 'detail', d.detail)
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt, m.error, m.created_at, d.event_id
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.failed', id,
    jsonb_build_object('state', 'failed', 'error', error, 'attempt', attempt, 'failed_at', now())
  from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'failed', $14, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select tenant_id, id as message_id, extract(epoch from now() - created_at)::float8 as seconds from m`,
};

/** An attempt that ended a message: refused by the provider, or told by a policy. */
export interface FailedAttempt extends AttemptKey {
  code: number;
  /** The word a client reads: `send_failed`, `outcome_unknown`, … */
  word: string;
  title: string;
  detail: string | null;
  source: 'answer' | 'policy';
  outcome: 'refused' | 'tell';
}

/** Settles attempts that ended their message. */
export function settleFailedAttempts(
  tx: Queryable,
  owner: LaneClaim,
  failed: readonly FailedAttempt[],
  slot: number,
): Promise<SettledRow[]> {
  return tx.query<SettledRow>(settleFailed, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(failed, (f) => f.tenant),
    uuids(failed, (f) => f.message),
    smallints(failed, (f) => f.attempt),
    uuids(failed, (f) => f.event),
    integers(failed, (f) => f.code),
    texts(failed, (f) => f.word),
    texts(failed, (f) => f.title),
    texts(failed, (f) => f.detail),
    texts(failed, (f) => f.source),
    texts(failed, (f) => f.outcome),
    slot,
  ]);
}

const settleAgain = {
  name: 'sending_settle_again',
  text: `
with ${OWNED}, i as materialized (
  select * from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::float8[], $9::text[], $10::int[], $11::text[], $12::text[])
  as i(tenant_id, message_id, attempt, event_id, delay, outcome, code, detail, cause)
), before as (
  select d.tenant_id, d.message_id, d.state, d.started_at from due d join i using (tenant_id, message_id)
), d as (
  update due d set state = 'queued', cause = i.cause,
    due_at = case when i.delay < 0 then d.started_at else clock_timestamp() end + i.delay * interval '1 ms',
    resends = d.resends + (i.outcome = 'resend')::int
  from i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.event_id, i.outcome, i.code, i.detail
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, attempt, started_at, outcome, code, detail from d
  on conflict do nothing
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.queued', message_id, jsonb_build_object('state', 'queued', 'attempt', attempt)
  from d join before using (tenant_id, message_id) where before.state = 'unconfirmed'
)
select tenant_id, message_id, 0::float8 as seconds from d`,
};

/** An attempt after which the message waits for another. */
export interface AttemptAgain extends AttemptKey {
  /** Milliseconds from now. Negative: it is due since so long before the attempt began. */
  delay: number;
  outcome: 'retry' | 'resend';
  code: number | null;
  detail: string | null;
  /** Why it waits for its time; null: it does not, or its queue is paused. */
  cause: DeferralCause | null;
}

/** Settles attempts that are followed by another. */
export function settleForAnother(
  tx: Queryable,
  owner: LaneClaim,
  again: readonly AttemptAgain[],
): Promise<SettledRow[]> {
  return tx.query<SettledRow>(settleAgain, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(again, (a) => a.tenant),
    uuids(again, (a) => a.message),
    smallints(again, (a) => a.attempt),
    uuids(again, (a) => a.event),
    doubles(again, (a) => a.delay),
    texts(again, (a) => a.outcome),
    integers(again, (a) => a.code),
    texts(again, (a) => a.detail),
    texts(again, (a) => a.cause),
  ]);
}

const settleUnknown = {
  name: 'sending_settle_unknown',
  text: `
with ${OWNED}, d as (
  update due d set state = 'unconfirmed'
  from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[]) as i(tenant_id, message_id, attempt, event_id)
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state = 'sending'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.attempt, i.event_id
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.unconfirmed', message_id,
    jsonb_build_object('state', 'unconfirmed', 'attempt', attempt)
  from d
)
select tenant_id, message_id, 0::float8 as seconds from d`,
};

/** Makes attempts doubtful: the request left and no answer came. Their grace period runs from the attempt's start. */
export function settleUnknownAttempts(
  tx: Queryable,
  owner: LaneClaim,
  unknown: readonly AttemptKey[],
): Promise<SettledRow[]> {
  return tx.query<SettledRow>(settleUnknown, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(unknown, (u) => u.tenant),
    uuids(unknown, (u) => u.message),
    smallints(unknown, (u) => u.attempt),
    uuids(unknown, (u) => u.event),
  ]);
}
