import type { Queryable } from '../db/pool.ts';
import type { Facts } from '../domain/explanation-facts.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import { COLUMNS, JOINS, type MessageTrail, TRAIL } from './messages.read.ts';
import { ofKey } from './one-key.ts';

/** Most that are counted of those who go first: one more than that is said as *more than*. */
const COUNTED = 1001;
/** How many earlier messages of a conversation are looked at, to name the one that goes first. */
const EARLIER = 50;

const inOne = ofKey({ 'x.conversation_id': 'm.conversation_id' }, 'x.id');

// One statement, hence one moment: what is told of a message fits together. Each part is found by a key, or walks a bounded piece of an
// index; what only matters for some causes is looked for by those alone.
const find = {
  name: 'explanations_find',
  text: `
select ${COLUMNS}, clock_timestamp() as now, d.cause, ${TRAIL},
  (select b.complete from batches b where b.tenant_id = $1 and b.id = m.batch_id) as batch_complete,
  jsonb_build_object('name', s.name, 'channel', s.channel, 'enabled', s.enabled, 'connected', s.connected,
    'connection_detail', s.connection_detail,
    'messages_per_second', s.messages_per_second, 'per_minute', s.per_minute, 'batch_size', s.batch_size,
    'processing_interval_ms', s.processing_interval_ms) as sender,
  t.processing, t.doubt_policy,
  coalesce(o.expires_at > clock_timestamp(), false) as owned, o.expires_at as owner_until,
  (select jsonb_build_object('name', x.name, 'language', x.language, 'status', x.status, 'reason', x.reason)
   from templates x where x.tenant_id = $1 and x.id = d.template_id) as template,
  (select c.messaging_limit from accounts c where c.tenant_id = $1 and c.id = s.account_id) as messaging_limit,
  case when d.state = 'queued' and m.batch_id is null then (
    select e.id from (
      select x.id, x.batch_id, x.conversation_id from messages x where x.tenant_id = $1 and ${inOne.below('m.id')}
      order by ${inOne.newestFirst} limit ${EARLIER}
    ) e join due w on w.tenant_id = $1 and w.message_id = e.id
    where e.conversation_id is not distinct from m.conversation_id and e.batch_id is null and w.priority = d.priority
      and (w.state = 'sending' or (d.cause = 'order' and w.state = 'queued'))
    order by e.id limit 1
  ) end as after_id,
  case when d.state = 'queued' then (
    select coalesce(jsonb_agg(to_jsonb(p) - 'tenant_id' order by p.opened_at), '[]') from pauses p
    where (p.scope, p.key) in (('sender', s.id::text), ('account', s.app_id || '/' || coalesce(s.account_id, s.id::text)), ('app', s.app_id), ('provider', s.channel))
      or (d.cause = 'country_paused' and p.scope = 'country' and starts_with(p.key, s.app_id || '/' || coalesce(s.account_id, s.id::text) || '/'))
  ) else '[]' end as pauses,
  (select coalesce(jsonb_agg(jsonb_build_object('kind', w.kind, 'started_at', w.window_started_at, 'used', w.used)), '[]')
   from sender_pace w where w.tenant_id = $1 and w.sender_id = m.sender_id) as windows,
  case when d.state = 'queued' and d.held is null and d.due_at <= now() then (
    select count(*)::int from (
      (select from generate_series(0, d.priority - 1) as higher(priority) cross join lateral (
         select from due x where x.lane_id = d.lane_id and x.sender_id = d.sender_id and x.state = 'queued' and x.held is null
           and x.priority = higher.priority::smallint and x.due_at <= now() limit ${COUNTED}) x limit ${COUNTED})
      union all
      (select from due x where x.lane_id = d.lane_id and x.sender_id = d.sender_id and x.state = 'queued' and x.held is null
         and x.priority = d.priority and (x.due_at, x.message_id) < (d.due_at, d.message_id) limit ${COUNTED})
      limit ${COUNTED}
    ) first
  ) else 0 end as ahead,
  (select v.attempt_started_at from sender_evidence v where v.tenant_id = $1 and v.sender_id = m.sender_id) as evidence_at,
  case when d.state = 'unconfirmed' then (select i.created_at from inbound_work i order by i.id limit 1) end as webhooks_since
from messages m ${JOINS}
join tenants t on t.id = m.tenant_id
left join lanes l on l.id = coalesce(d.lane_id, s.lane_id)
left join instances o on o.id = l.owner
where m.tenant_id = $1 and m.id = $2`,
};

/** A message with all that was recorded of it, and all that decides when it leaves. */
export type Explained = Message & MessageTrail & Facts;

/** What there is to explain of a message, read at one moment; null when the tenant has none of that id. */
export async function findExplained(tx: Queryable, tenant: TenantId, id: MessageId): Promise<Explained | null> {
  const [row] = await tx.query<Explained>(find, [tenant, id]);
  return row ?? null;
}
