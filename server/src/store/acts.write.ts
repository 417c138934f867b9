import { jsons, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, EventId, MessageId, TenantId } from '../domain/ids.ts';
import type { ActChange, ActedOn } from '../domain/inbound-acts.ts';
import { jsonText } from '../domain/json-text.ts';
import type { Direction } from '../domain/message.ts';
import { SENDING_AT } from './messages.read.ts';

const findTargets = {
  name: 'acts_find_targets',
  text: `
select w.tenant_id, w.wamid, m.id, m.direction, m.contact_id, m.address, m.content, m.reactions, m.edited_at, m.deleted_at
from unnest($1::uuid[], $2::text[]) as i(tenant_id, wamid)
join wamids w on w.tenant_id = i.tenant_id and w.wamid = i.wamid
join messages m on m.tenant_id = w.tenant_id and m.id = w.message_id`,
};

/** A message that something was done to, as it is before. */
export interface ActTarget extends ActedOn {
  tenant_id: TenantId;
  wamid: string;
  id: MessageId;
  direction: Direction;
  /** Whose it is, or to whom, and by which name. */
  contact_id: ContactId;
  address: string;
}

/** The messages with these ids of the provider's; those that are not known are left out. */
export function findActTargets(
  tx: Queryable,
  asked: readonly { tenant: TenantId; wamid: string }[],
): Promise<ActTarget[]> {
  return tx.query<ActTarget>(findTargets, [uuids(asked, (a) => a.tenant), texts(asked, (a) => a.wamid)]);
}

// The state stays, so each event tells it as the last one did: an attempt that is under way has none of its own.
const apply = {
  name: 'acts_apply',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[], $7::uuid[],
    $8::uuid[], $9::uuid[])
  as i(tenant_id, message_id, content, reactions, edited_at, deleted_at, reaction_event, edit_event, delete_event)
), m as (
  update messages m set content = coalesce(i.content, m.content), reactions = coalesce(i.reactions, m.reactions),
    edited_at = coalesce(i.edited_at, m.edited_at), deleted_at = coalesce(i.deleted_at, m.deleted_at)
  from i where m.tenant_id = i.tenant_id and m.id = i.message_id
  returning m.tenant_id, m.id, m.state, m.attempt, m.wamid, m.error, m.sending_at, m.sent_at, m.delivered_at, m.read_at, m.played_at,
    m.failed_at, m.ended_at, m.content, m.reactions, m.edited_at, m.deleted_at, i.reaction_event, i.edit_event, i.delete_event
)
insert into events (tenant_id, id, type, message_id, data)
select m.tenant_id, e.id, e.type, m.id, jsonb_strip_nulls(jsonb_build_object(
  'state', case d.state when 'sending' then 'queued' else coalesce(d.state, m.state)::text end,
  'attempt', coalesce(d.attempt, m.attempt), 'wamid', m.wamid, 'error', m.error,
  'sending_at', ${SENDING_AT}, 'sent_at', m.sent_at, 'delivered_at', m.delivered_at,
  'read_at', m.read_at, 'played_at', m.played_at, 'failed_at', m.failed_at, 'ended_at', m.ended_at,
  'reactions', m.reactions, 'edited_at', m.edited_at, 'deleted_at', m.deleted_at))
from m
left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
cross join lateral (values (m.reaction_event, 'message.reaction'), (m.edit_event, 'message.edited'),
  (m.delete_event, 'message.deleted')) as e(id, type)
where e.id is not null`,
};

/** What becomes of a message, with the id of the event of each kind of change there is. */
export interface ActWrite {
  tenant: TenantId;
  message: MessageId;
  change: ActChange;
  events: { reaction: EventId | null; edit: EventId | null; delete: EventId | null };
}

/** Changes messages by what was done to them, with their events, in one statement. Each message stands once. */
export async function applyActs(tx: Queryable, acts: readonly ActWrite[]): Promise<void> {
  await tx.query(apply, [
    uuids(acts, (a) => a.tenant),
    uuids(acts, (a) => a.message),
    jsons(acts, ({ change }) => (change.content ? jsonText(change.content) : null)),
    jsons(acts, ({ change }) => (change.reactions ? jsonText(change.reactions) : null)),
    times(acts, ({ change }) => change.edited_at),
    times(acts, ({ change }) => change.deleted_at),
    uuids(acts, ({ events }) => events.reaction),
    uuids(acts, ({ events }) => events.edit),
    uuids(acts, ({ events }) => events.delete),
  ]);
}
