import { bigints, doubles, integers, smallints, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DoubtPolicy } from '../domain/doubt.ts';
import type { MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import type { ChannelName } from '../domain/sender.ts';
import { refuses } from './refusals.ts';
import { type AttemptKey, OWNED, ownedEpoch } from './sending.write.ts';

/** A doubtful attempt whose grace period is over. */
export interface Doubtful {
  tenant_id: TenantId;
  message_id: MessageId;
  sender_id: SenderId;
  lane_id: number;
  attempt: number;
  /** How many attempts of the message were followed by another because nobody knew. */
  resends: number;
  category: string;
  channel: ChannelName;
  doubt_policy: DoubtPolicy;
  /** Whether a receipt came for an attempt of the same sender that began later. */
  evident: boolean;
  /**
   * Whether all is applied that was stored when that was first seen, by whichever instance, and nothing has waited for longer than 2 s:
   * the receipt that settles the doubt may be among it.
   */
  heard: boolean;
  /** Whether its recipient has opted out since. */
  suppressed: boolean;
  /** Whether its time is over: it is not to be sent any more. */
  over: boolean;
  /** How long nobody has known, in milliseconds. */
  age: number;
}

const findDoubtfulStatement = {
  name: 'doubt_find',
  text: `
with waiting as materialized (select min(created_at) as oldest from inbound_work)
select d.tenant_id, d.message_id, d.sender_id, d.lane_id, d.attempt, m.category, s.channel, t.doubt_policy,
  (select count(*)::int from attempts a
   where a.tenant_id = d.tenant_id and a.message_id = d.message_id and a.outcome = 'resend') as resends,
  -- What lies ahead of the clock was written before that was set back.
  coalesce(e.attempt_started_at > d.started_at and e.attempt_started_at <= clock_timestamp(), false) as evident,
  w.oldest is null or (w.oldest > coalesce(q.evident_at, now())
    and w.oldest between clock_timestamp() - interval '2 seconds' and clock_timestamp()) as heard,
  ${refuses('m.category')} as suppressed,
  coalesce(m.expires_at <= now(), false)
    or coalesce(greatest(m.created_at, m.scheduled_at) + $4::float8 * interval '1 ms' <= now(), false) as over,
  (extract(epoch from clock_timestamp() - d.started_at) * 1000)::float8 as age
from due d
cross join waiting w
join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id
join tenants t on t.id = d.tenant_id
join senders s on s.tenant_id = d.tenant_id and s.id = d.sender_id
left join sender_evidence e on e.tenant_id = d.tenant_id and e.sender_id = d.sender_id
left join doubts q on q.tenant_id = d.tenant_id and q.message_id = d.message_id and q.attempt = d.attempt
where d.lane_id = any($1::int[]) and d.state <> 'queued'
  and d.due_at <= least(now(), coalesce(to_timestamp($3::float8 / 1000), now()))
order by d.due_at limit $2`,
};

/**
 * Reads doubtful attempts of lanes that are to be looked at, the oldest first.
 * @param until what the database's clock is trusted to show, in milliseconds since 1970; null: what it shows.
 * @param validity milliseconds from when it may leave after which a message is not sent any more; null: for ever.
 */
export function findDoubtful(
  tx: Queryable,
  lanes: readonly number[],
  limit: number,
  until: number | null,
  validity: number | null,
): Promise<Doubtful[]> {
  return tx.query<Doubtful>(findDoubtfulStatement, [lanes, limit, until, validity]);
}

/** A decision that is put off. */
export interface PostponedDoubt extends AttemptKey {
  /** Milliseconds until it is looked at again. */
  delay: number;
  /** Whether a receipt came for an attempt of the same sender that began later. */
  evident: boolean;
}

const postpone = {
  name: 'doubt_postpone',
  text: `
with ${OWNED}, before as (
  select d.tenant_id, d.message_id, d.state from due d
  join unnest($4::uuid[], $5::uuid[]) as i(tenant_id, message_id) using (tenant_id, message_id)
), d as (
  update due d set state = 'unconfirmed', due_at = clock_timestamp() + i.delay * interval '1 ms'
  from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::float8[], $9::smallint[])
    as i(tenant_id, message_id, attempt, event_id, delay, evident)
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and ${ownedEpoch('d.lane_id')} is not null
  returning d.tenant_id, d.message_id, d.attempt, i.event_id, i.evident
), q as (
  insert into doubts (tenant_id, message_id, attempt, evident_at)
  select tenant_id, message_id, attempt, case when evident = 1 then clock_timestamp() end from d
  on conflict (tenant_id, message_id, attempt) do update set evident_at = excluded.evident_at
    where doubts.evident_at is null and excluded.evident_at is not null
)
insert into events (tenant_id, id, type, message_id, data)
select tenant_id, event_id, 'message.unconfirmed', message_id,
  jsonb_build_object('state', 'unconfirmed', 'attempt', attempt)
from d join before using (tenant_id, message_id) where before.state = 'sending'`,
};

/** Leaves attempts unconfirmed, to be looked at again. Keeps since when, and since when there is evidence. */
export async function postponeDoubtful(
  tx: Queryable,
  owner: LaneClaim,
  doubtful: readonly PostponedDoubt[],
): Promise<void> {
  await tx.query(postpone, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(doubtful, (d) => d.tenant),
    uuids(doubtful, (d) => d.message),
    smallints(doubtful, (d) => d.attempt),
    uuids(doubtful, (d) => d.event),
    doubles(doubtful, (d) => d.delay),
    smallints(doubtful, (d) => (d.evident ? 1 : 0)),
  ]);
}

const recordEvidence = {
  name: 'doubt_record_evidence',
  text: `
insert into sender_evidence (tenant_id, sender_id, attempt_started_at)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as i(tenant_id, sender_id, at)
-- What began before the clock was set back would be evidence for all that begins until it is as late again.
where at <= clock_timestamp()
on conflict (tenant_id, sender_id)
do update set attempt_started_at = case when sender_evidence.attempt_started_at > clock_timestamp() then excluded.attempt_started_at
  else greatest(sender_evidence.attempt_started_at, excluded.attempt_started_at) end`,
};

/** Records, once for each sender, the latest start of an attempt that a receipt has named. Milliseconds since 1970. */
export async function recordSenderEvidence(
  tx: Queryable,
  evidence: readonly { tenant: TenantId; sender: SenderId; attemptStartedAt: number }[],
): Promise<void> {
  await tx.query(recordEvidence, [
    uuids(evidence, (e) => e.tenant),
    uuids(evidence, (e) => e.sender),
    times(evidence, (e) => e.attemptStartedAt),
  ]);
}
