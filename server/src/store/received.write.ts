import { integers, jsons, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, ConversationId, EventId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import { OPENED_RECORD } from './chat-conversations.read.ts';
import type { Name } from './customers.read.ts';
import { SUPPRESSED } from './customers.write.ts';

// What belongs to one contact, conversation or counter is added up before: here each row is looked up once.
const insert = {
  name: 'received_insert',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
    $9::text[], $10::jsonb[], $11::text[], $12::timestamptz[], $13::smallint[], $14::text[])
  as i(tenant_id, id, event_id, sender_id, contact_id, conversation_id, wamid, type, address, content, reply_to, at, outbound,
    media_id)
), w as (
  insert into wamids (tenant_id, wamid, message_id) select tenant_id, wamid, id from i
), c as (
  insert into contacts (tenant_id, id, name, profile_name, username, total_messages, last_message_at)
  select tenant_id, id, name, name, username, n, at
  from unnest($15::uuid[], $16::uuid[], $17::text[], $18::text[], $19::int[], $20::timestamptz[])
  as c(tenant_id, id, name, username, n, at)
), known as (
  update contacts k set total_messages = k.total_messages + c.n, last_message_at = greatest(k.last_message_at, c.at),
    name = coalesce(k.name, c.name), profile_name = coalesce(c.name, k.profile_name), username = coalesce(c.username, k.username)
  from unnest($21::uuid[], $22::uuid[], $23::text[], $24::text[], $25::int[], $26::timestamptz[])
  as c(tenant_id, id, name, username, n, at)
  where k.tenant_id = c.tenant_id and k.id = c.id
), ci as (
  insert into contact_identities (tenant_id, kind, value, contact_id, lane_id, suppressed)
  select n.tenant_id, n.kind, n.value, n.contact_id,
    (select s.lane_id from senders s where s.tenant_id = n.tenant_id and s.id = n.scope_id), coalesce((select ${SUPPRESSED} from contacts k where k.tenant_id = n.tenant_id and k.id = n.contact_id), 0)
  from unnest($27::uuid[], $28::text[], $29::text[], $30::uuid[], $39::uuid[]) as n(tenant_id, kind, value, contact_id, scope_id)
), n as materialized (
  select * from unnest($31::uuid[], $32::uuid[], $33::uuid[], $34::uuid[], $35::int[], $36::timestamptz[], $37::timestamptz[], $40::uuid[])
  as n(tenant_id, id, sender_id, contact_id, unread, at, until, opening)
), o as (
  insert into events (tenant_id, id, type, conversation_id, data)
  select v.tenant_id, n.opening, 'conversation.opened', v.id, jsonb_build_object('conversation', ${OPENED_RECORD})
  from n join conversations v on v.tenant_id = n.tenant_id and v.id = n.id
  where n.unread > 0 and v.closed_at is not null
), v as (
  insert into conversations (tenant_id, id, sender_id, contact_id, unread_count, last_inbound_at, window_expires_at, last_message_at)
  select tenant_id, id, sender_id, contact_id, unread, at, until, at from n
  on conflict (tenant_id, id) do update set
    closed_at = case when excluded.unread_count > 0 then null else conversations.closed_at end,
    unread_count = conversations.unread_count + excluded.unread_count,
    last_inbound_at = greatest(conversations.last_inbound_at, excluded.last_inbound_at),
    window_expires_at = greatest(conversations.window_expires_at, excluded.window_expires_at),
    last_message_at = greatest(conversations.last_message_at, excluded.last_message_at)
), m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type,
    category, priority, wamid, address, content, reply_to, created_at, sent_at, delivered_at, sender_type)
  select tenant_id, id, sender_id, contact_id, conversation_id,
    (case outbound when 1 then 'outbound' else 'inbound' end)::message_direction,
    (case outbound when 1 then 'sent' else 'delivered' end)::message_state,
    (case outbound when 1 then 'sent' else 'delivered' end)::message_state, type, 'service', 1, wamid, address, content, reply_to,
    now(), case outbound when 1 then at end, case outbound when 0 then at end, case outbound when 1 then 'agent' end
  from i
), f as (
  insert into media_fetches (tenant_id, message_id, sender_id, provider_id, mime_type, sha256, filename)
  select tenant_id, id, sender_id, media_id, content -> 'media' ->> 'mime_type', content -> 'media' ->> 'sha256',
    content -> 'media' ->> 'filename'
  from i where media_id is not null
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, case outbound when 1 then 'message.sent' else 'message.received' end, id,
    case outbound when 1 then jsonb_build_object('state', 'sent', 'wamid', wamid, 'attempt', 0, 'sent_at', at)
    else jsonb_build_object('state', 'delivered', 'wamid', wamid, 'delivered_at', at) end
  from i
)
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select tenant_id, sender_id, (case outbound when 1 then 'outbound' else 'inbound' end)::message_direction, type, '',
  case outbound when 1 then 'sent' else 'delivered' end, $38, count(*)
from i group by tenant_id, sender_id, outbound, type order by tenant_id, sender_id, outbound, type
on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
do update set n = message_counts.n + excluded.n`,
};

/** A message, with the contact and conversation it belongs to. `at`: milliseconds since 1970. */
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
  /** Written by the business in another app. */
  outbound: boolean;
  /** The provider's id of its file. */
  mediaId: string | null;
}

/** What its messages make of a contact: what he calls himself, how many came, and when the last was said; null: none. */
export interface ContactSum {
  tenant: TenantId;
  contact: ContactId;
  name: string | null;
  username: string | null;
  total: number;
  at: number | null;
}

/**
 * What its messages make of a conversation. `window`: until when the customer may be answered freely. `opening`: the event that tells
 * that it is open again, if it was closed and there is something to read.
 */
export interface ConversationSum {
  tenant: TenantId;
  conversation: ConversationId;
  sender: SenderId;
  contact: ContactId;
  unread: number;
  at: number | null;
  window: number | null;
  opening: EventId;
}

export interface ReceivedWrite {
  rows: readonly ReceivedRow[];
  newContacts: readonly ContactSum[];
  knownContacts: readonly ContactSum[];
  names: readonly (Name & { contact: ContactId })[];
  conversations: readonly ConversationSum[];
}

/**
 * Writes messages that came, with contacts and conversations, unread counts, windows and files to be fetched, in one statement.
 * A closed conversation in which there is something to read now is open again.
 * @throws a unique violation when one of them is stored already, or a contact or conversation was made by somebody else since it
 *   was looked up: nothing is written then, and the caller looks again.
 */
export async function insertReceivedMessages(tx: Queryable, write: ReceivedWrite, slot: number): Promise<void> {
  const { rows, newContacts, knownContacts, names, conversations } = write;
  const sums = (contacts: readonly ContactSum[]) => [
    uuids(contacts, (c) => c.tenant),
    uuids(contacts, (c) => c.contact),
    texts(contacts, (c) => c.name),
    texts(contacts, (c) => c.username),
    integers(contacts, (c) => c.total),
    times(contacts, (c) => c.at),
  ];
  await tx.query(insert, [
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
    smallints(rows, (r) => (r.outbound ? 1 : 0)),
    texts(rows, (r) => r.mediaId),
    ...sums(newContacts),
    ...sums(knownContacts),
    uuids(names, (n) => n.tenant),
    texts(names, (n) => n.kind),
    texts(names, (n) => n.value),
    uuids(names, (n) => n.contact),
    uuids(conversations, (v) => v.tenant),
    uuids(conversations, (v) => v.conversation),
    uuids(conversations, (v) => v.sender),
    uuids(conversations, (v) => v.contact),
    integers(conversations, (v) => v.unread),
    times(conversations, (v) => v.at),
    times(conversations, (v) => v.window),
    slot,
    uuids(names, (n) => n.scope ?? null),
    uuids(conversations, (v) => v.opening),
  ]);
}
