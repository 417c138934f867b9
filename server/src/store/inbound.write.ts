import { byteas, jsons, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type {
  ContactId,
  ConversationId,
  EventId,
  InstanceId,
  MessageId,
  RawWebhookId,
  SenderId,
  TenantId,
} from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';

const insertRaw = {
  name: 'inbound_insert_raw',
  text: `
with r as (
  insert into raw_webhooks (app_id, id, body) select * from unnest($1::text[], $2::uuid[], $3::bytea[])
)
insert into inbound_work (id, app_id, raw_ids, owner)
select work_id, app_id, array_agg(id order by id), $5
from unnest($4::uuid[], $1::text[], $2::uuid[]) as i(work_id, app_id, id) group by work_id, app_id`,
};

/** A webhook as it came: not parsed yet. */
export interface RawWebhook {
  app: string;
  id: RawWebhookId;
  body: Buffer;
}

/**
 * Stores webhooks byte for byte with a record of what is still to be applied, in one statement.
 * @param work for each webhook the id of its record of work; webhooks of one app share one.
 */
export async function insertRawWebhooks(
  tx: Queryable,
  raws: readonly RawWebhook[],
  work: readonly string[],
  owner: InstanceId,
): Promise<void> {
  await tx.query(insertRaw, [
    texts(raws, (r) => r.app),
    uuids(raws, (r) => r.id),
    byteas(raws, (r) => r.body),
    uuids(work, (id) => id),
    owner,
  ]);
}

const takeWork = {
  name: 'inbound_take_work',
  text: `
update inbound_work w set owner = $1
where w.id in (
  select id from inbound_work
  where (owner <> $1 and not exists (select from instances i where i.id = inbound_work.owner and i.expires_at > clock_timestamp()))
    or ($3 and owner = $1 and created_at < clock_timestamp() - interval '10 seconds')
  order by id limit $2 for update skip locked)
returning w.id, w.app_id, w.raw_ids`,
};

/** Webhooks that were stored together and are not applied yet. */
export interface InboundWork {
  id: string;
  app_id: string;
  raw_ids: RawWebhookId[];
}

/**
 * Takes over work whose instance is gone.
 * @param own also this instance's own work that is older than 10 seconds: its commit was not heard of.
 */
export async function takeOrphanedWork(
  tx: Queryable,
  instance: InstanceId,
  limit: number,
  own: boolean,
): Promise<InboundWork[]> {
  const work = await tx.query<InboundWork>(takeWork, [instance, limit, own]);
  return work.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const findRaw = {
  name: 'inbound_find_raw',
  text: `select app_id as app, id, body from raw_webhooks where app_id = $1 and id = any($2::uuid[]) order by id`,
};

/** Reads webhooks back, in the order in which they came. */
export function findRawWebhooks(tx: Queryable, app: string, ids: readonly RawWebhookId[]): Promise<RawWebhook[]> {
  return tx.query<RawWebhook>(findRaw, [app, ids]);
}

const finish = { name: 'inbound_finish', text: 'delete from inbound_work where id = any($1::uuid[])' };

/** Marks work as done. */
export async function finishWork(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(finish, [ids]);
}

const markRaw = {
  name: 'inbound_mark_raw',
  text: 'update raw_webhooks set error = left($3, 500) where app_id = $1 and id = $2',
};

/** Notes on a webhook that something of it could not be applied: it is kept for a person to look at. */
export async function markRawWebhook(tx: Queryable, app: string, id: RawWebhookId, error: string): Promise<void> {
  await tx.query(markRaw, [app, id, error]);
}

const findKnown = {
  name: 'inbound_find_known',
  text: `
select i.place::int as place, coalesce(u.contact_id, p.contact_id) as contact_id, p.contact_id is not null as phone_known,
  u.contact_id is not null as user_known,
  (select v.id from conversations v where v.tenant_id = i.tenant_id and v.sender_id = i.sender_id
    and v.contact_id = coalesce(u.contact_id, p.contact_id)) as conversation_id
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) with ordinality as i(tenant_id, sender_id, phone, user_id, place)
left join contact_identities p on p.tenant_id = i.tenant_id and p.kind = 'phone' and p.value = i.phone
left join contact_identities u on u.tenant_id = i.tenant_id and u.kind = 'bsuid' and u.value = i.user_id
order by i.place`,
};

/** What the store knows of a customer who wrote. */
export interface KnownCustomer {
  /** 1-based place in the question. */
  place: number;
  contact_id: ContactId | null;
  phone_known: boolean;
  user_known: boolean;
  conversation_id: ConversationId | null;
}

/** Looks up customers by business-scoped user id first, then by phone number. */
export function findKnownCustomers(
  tx: Queryable,
  asked: readonly { tenant: TenantId; sender: SenderId; phone: string | null; userId: string | null }[],
): Promise<KnownCustomer[]> {
  return tx.query<KnownCustomer>(findKnown, [
    uuids(asked, (a) => a.tenant),
    uuids(asked, (a) => a.sender),
    texts(asked, (a) => a.phone),
    texts(asked, (a) => a.userId),
  ]);
}

const insertReceived = {
  name: 'inbound_insert_received',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
    $9::text[], $10::jsonb[], $11::text[], $12::timestamptz[])
  as i(tenant_id, id, event_id, sender_id, contact_id, conversation_id, wamid, type, address, content, reply_to, at)
), w as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, id from i
  on conflict do nothing returning message_id
), fresh as materialized (
  select i.* from i join w on w.message_id = i.id
), c as (
  insert into contacts (tenant_id, id, name, total_messages, last_message_at)
  select c.*, count(f.id), max(f.at)
  from unnest($13::uuid[], $14::uuid[], $15::text[]) as c(tenant_id, contact_id, name)
  join fresh f on f.tenant_id = c.tenant_id and f.contact_id = c.contact_id
  group by 1, 2, 3
), known as (
  update contacts k set total_messages = k.total_messages + f.n, last_message_at = greatest(k.last_message_at, f.at)
  from (select tenant_id, contact_id, count(*) as n, max(at) as at from fresh
    where contact_id <> all($14::uuid[]) group by tenant_id, contact_id) f
  where k.tenant_id = f.tenant_id and k.id = f.contact_id
), ci as (
  insert into contact_identities (tenant_id, kind, value, contact_id)
  select n.* from unnest($16::uuid[], $17::text[], $18::text[], $19::uuid[]) as n(tenant_id, kind, value, contact_id)
  where exists (select from fresh f where f.tenant_id = n.tenant_id and f.contact_id = n.contact_id)
), v as (
  insert into conversations (tenant_id, id, sender_id, contact_id, unread_count, last_inbound_at, window_expires_at)
  select tenant_id, conversation_id, sender_id, contact_id, count(*), max(at), max(at) + interval '24 hours'
  from fresh group by tenant_id, conversation_id, sender_id, contact_id order by tenant_id, conversation_id
  on conflict (tenant_id, id) do update set
    unread_count = conversations.unread_count + excluded.unread_count,
    last_inbound_at = greatest(conversations.last_inbound_at, excluded.last_inbound_at),
    window_expires_at = greatest(conversations.window_expires_at, excluded.window_expires_at)
), m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type,
    category, priority, wamid, address, content, reply_to, created_at, delivered_at)
  select tenant_id, id, sender_id, contact_id, conversation_id, 'inbound', 'delivered', 'delivered', type, 'service', 1,
    wamid, address, content, reply_to, now(), at
  from fresh
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.received', id,
    jsonb_build_object('state', 'delivered', 'wamid', wamid, 'delivered_at', at)
  from fresh
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'inbound', type, '', 'delivered', $20, count(*) from fresh
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select id from fresh`,
};

/** A customer's message, with the contact and conversation it belongs to. `at`: milliseconds since 1970. */
export interface ReceivedRow {
  tenant: TenantId;
  id: MessageId;
  event: EventId;
  sender: SenderId;
  contact: ContactId;
  conversation: ConversationId;
  wamid: string;
  type: string;
  address: string;
  content: Record<string, unknown> | null;
  replyTo: string | null;
  at: number;
}

export interface ReceivedWrite {
  rows: readonly ReceivedRow[];
  contacts: readonly { tenant: TenantId; contact: ContactId; name: string | null }[];
  identities: readonly { tenant: TenantId; kind: 'phone' | 'bsuid'; value: string; contact: ContactId }[];
}

/**
 * Writes customers' messages with new contacts and conversations, unread counts and windows, in one statement. A message
 * that is there already (by its provider's id) changes nothing.
 * @returns the ids of the messages that are new.
 * @throws a unique violation when a contact or conversation was made by somebody else since it was looked up.
 */
export async function insertReceivedMessages(tx: Queryable, write: ReceivedWrite, slot: number): Promise<MessageId[]> {
  const { rows, contacts, identities } = write;
  const fresh = await tx.query<{ id: MessageId }>(insertReceived, [
    uuids(rows, (r) => r.tenant),
    uuids(rows, (r) => r.id),
    uuids(rows, (r) => r.event),
    uuids(rows, (r) => r.sender),
    uuids(rows, (r) => r.contact),
    uuids(rows, (r) => r.conversation),
    texts(rows, (r) => r.wamid),
    texts(rows, (r) => r.type),
    texts(rows, (r) => r.address),
    jsons(rows, (r) => (r.content ? jsonText(r.content) : null)),
    texts(rows, (r) => r.replyTo),
    times(rows, (r) => r.at),
    uuids(contacts, (c) => c.tenant),
    uuids(contacts, (c) => c.contact),
    texts(contacts, (c) => c.name),
    uuids(identities, (n) => n.tenant),
    texts(identities, (n) => n.kind),
    texts(identities, (n) => n.value),
    uuids(identities, (n) => n.contact),
    slot,
  ]);
  return fresh.map((row) => row.id);
}
