import { bigints, integers, smallints, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DoubtPolicy } from '../domain/doubt.ts';
import type { MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import type { ChannelName } from '../domain/sender.ts';
import { refuses } from './refusals.ts';
import type { AttemptKey } from './sending.write.ts';

/** A doubtful attempt whose grace period is over. */
export interface Doubtful {
  tenant_id: TenantId;
  message_id: MessageId;
  sender_id: SenderId;
  lane_id: number;
  attempt: number;
  resends: number;
  category: string;
  channel: ChannelName;
  doubt_policy: DoubtPolicy;
  /**
   * Whether a receipt came for an attempt of the same sender that began later. Not while stored webhooks wait to be applied:
   * the receipt that settles the doubt may be among them.
   */
  evidence: boolean;
  /** Whether its recipient has opted out since. */
  suppressed: boolean;
  /** How long nobody has known, in milliseconds. */
  age: number;
}

const findDoubtfulStatement = {
  name: 'doubt_find',
  text: `
select d.tenant_id, d.message_id, d.sender_id, d.lane_id, d.attempt, d.resends, m.category, s.channel, t.doubt_policy,
  coalesce(e.attempt_started_at > d.started_at, false)
    and not exists (select from inbound_work where created_at < clock_timestamp() - interval '2 seconds') as evidence,
  ${refuses('m.category')} as suppressed,
  (extract(epoch from clock_timestamp() - d.started_at) * 1000)::float8 as age
from due d
join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id
join tenants t on t.id = d.tenant_id
join senders s on s.tenant_id = d.tenant_id and s.id = d.sender_id
left join sender_evidence e on e.tenant_id = d.tenant_id and e.sender_id = d.sender_id
where d.lane_id = any($1::int[]) and d.state <> 'queued' and d.due_at <= now()
order by d.due_at limit $2`,
};

/** Reads doubtful attempts of lanes that are to be looked at, the oldest first. */
export function findDoubtful(tx: Queryable, lanes: readonly number[], limit: number): Promise<Doubtful[]> {
  return tx.query<Doubtful>(findDoubtfulStatement, [lanes, limit]);
}

const postpone = {
  name: 'doubt_postpone',
  text: `
with owned as (
  select l.id, l.epoch from lanes l
  join unnest($2::int[], $3::bigint[]) as mine(id, epoch) on mine.id = l.id and mine.epoch = l.epoch
  where l.owner = $1 for share of l
), before as (
  select d.tenant_id, d.message_id, d.state from due d
  join unnest($4::uuid[], $5::uuid[]) as i(tenant_id, message_id) using (tenant_id, message_id)
), d as (
  update due d set state = 'unconfirmed', due_at = clock_timestamp() + $8 * interval '1 ms'
  from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[]) as i(tenant_id, message_id, attempt, event_id), owned o
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.lane_id is not distinct from o.id
  returning d.tenant_id, d.message_id, d.attempt, i.event_id
)
insert into events (tenant_id, id, type, message_id, data)
select tenant_id, event_id, 'message.unconfirmed', message_id,
  jsonb_build_object('state', 'unconfirmed', 'attempt', attempt)
from d join before using (tenant_id, message_id) where before.state = 'sending'`,
};

/** Leaves attempts unconfirmed, to be looked at again in `delay` ms. */
export async function postponeDoubtful(
  tx: Queryable,
  owner: LaneClaim,
  doubtful: readonly AttemptKey[],
  delay: number,
): Promise<void> {
  await tx.query(postpone, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(doubtful, (d) => d.tenant),
    uuids(doubtful, (d) => d.message),
    smallints(doubtful, (d) => d.attempt),
    uuids(doubtful, (d) => d.event),
    delay,
  ]);
}

const recordEvidence = {
  name: 'doubt_record_evidence',
  text: `
insert into sender_evidence (tenant_id, sender_id, attempt_started_at)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
on conflict (tenant_id, sender_id)
do update set attempt_started_at = greatest(sender_evidence.attempt_started_at, excluded.attempt_started_at)`,
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
