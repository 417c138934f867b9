import { bigints, byteas, integers, jsons, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import {
  type BatchId,
  type ContactId,
  type ConversationId,
  type EventId,
  isUuid,
  type MessageId,
  type SenderId,
  type TemplateId,
  type TenantId,
} from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { Content, SenderType, StoredFallback, Template } from '../domain/message.ts';
import { filesIn, type NamedFile } from '../domain/named-media.ts';
import type { RecipientFacts } from '../domain/recipient-rules.ts';
import { RECORD } from './chat-conversations.read.ts';
import type { LimitUse } from './limits.write.ts';

/** What the store knows already of a message that is about to be accepted. */
export interface KnownBefore extends RecipientFacts {
  /** 1-based place in the question. */
  place: number;
  /** null: there is no such sender. */
  lane_id: number | null;
  request_hash: Buffer | null;
  message_id: MessageId | null;
  batch_id: BatchId | null;
  contact_id: ContactId | null;
  conversation_id: ConversationId | null;
  /** The conversation that the request names, if there is one of that name. Absent: it names none. */
  named_id?: ConversationId | null;
}

// The conversation is looked for by all its key: `offset 0` keeps the planner, who knows no data, from going by a part of it.
const findKnown = {
  name: 'accept_find_known',
  text: `
select i.place::int as place,
  (select s.lane_id from senders s where s.tenant_id = i.tenant_id and s.id = i.sender_id) as lane_id,
  k.request_hash, k.message_id, k.batch_id, c.contact_id, coalesce(c.suppressed, 0) as suppressed, v.id as conversation_id,
  coalesce(v.window_expires_at <= now(), false) as window_closed
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) with ordinality
  as i(tenant_id, sender_id, kind, value, key, place)
left join idempotency_keys k on k.tenant_id = i.tenant_id and k.key = i.key
left join contact_identities c on c.tenant_id = i.tenant_id and c.kind = i.kind and c.value = i.value
left join lateral (
  select v.id, v.window_expires_at from conversations v
  where v.tenant_id = i.tenant_id and v.contact_id = c.contact_id and v.sender_id = i.sender_id offset 0
) v on true
order by i.place`,
};

/** Looks up lanes, keys, contacts with their consent, and conversations with their window, in the order asked. `key` null: none was given. */
export function findKnownBefore(
  tx: Queryable,
  asked: readonly {
    tenant: TenantId;
    sender: SenderId;
    kind: string;
    address: string;
    key: string | null;
  }[],
): Promise<KnownBefore[]> {
  return tx.query<KnownBefore>(findKnown, [
    uuids(asked, (a) => a.tenant),
    uuids(asked, (a) => a.sender),
    texts(asked, (a) => a.kind),
    texts(asked, (a) => a.address),
    texts(asked, (a) => a.key),
  ]);
}

const findNamed = {
  name: 'accept_find_named',
  text: `
select i.place::int as place, coalesce(
  (select v.id from conversations v where v.tenant_id = i.tenant_id and v.id = i.id),
  (select v.id from conversations v where v.tenant_id = i.tenant_id and v.external_id = i.name)) as named_id
from unnest($1::uuid[], $2::text[], $3::uuid[]) with ordinality as i(tenant_id, name, id, place)
order by i.place`,
};

/** Looks up conversations by own or external id, in the order asked. null: nothing is called so. */
export async function findNamedConversations(
  tx: Queryable,
  asked: readonly { tenant: TenantId; name: string | null }[],
): Promise<(ConversationId | null)[]> {
  const rows = await tx.query<{ named_id: ConversationId | null }>(findNamed, [
    uuids(asked, (a) => a.tenant),
    texts(asked, (a) => a.name),
    uuids(asked, (a) => (a.name !== null && isUuid(a.name) ? a.name : null)),
  ]);
  return rows.map(({ named_id }) => named_id);
}

/** Rows to write, one entry a message. Times are milliseconds since 1970; absent ones null. */
export interface AcceptRow {
  tenant: TenantId;
  id: MessageId;
  event: EventId;
  sender: SenderId;
  lane: number;
  contact: ContactId;
  conversation: ConversationId;
  batch: BatchId | null;
  batchIndex: number | null;
  type: string;
  category: string;
  priority: number;
  address: string;
  content: Content | null;
  template: Template | null;
  metadata: Record<string, unknown> | null;
  replyTo: string | null;
  scheduledAt: number | null;
  expiresAt: number | null;
  senderType: SenderType | null;
  /** The outer user who wrote it. */
  author: UserId | null;
  fallback: StoredFallback | null;
  templateId: TemplateId | null;
  held: 'template' | null;
  /** The limits it takes a place of; see domain/limits.ts. null: none. */
  reserved: number | null;
}

export interface NewContact {
  tenant: TenantId;
  contact: ContactId;
  kind: string;
  value: string;
}

export interface NewConversation {
  tenant: TenantId;
  conversation: ConversationId;
  sender: SenderId;
  contact: ContactId;
  externalId: string | null;
}

/** A conversation that is there, the external id it is to have from now on, and the event that tells it. */
export interface ConversationName {
  tenant: TenantId;
  conversation: ConversationId;
  externalId: string;
  event: EventId;
}

export interface NewKey {
  tenant: TenantId;
  key: string;
  hash: Buffer;
  message: MessageId;
}

/** Everything one commit of accepted messages writes. */
export interface AcceptWrite {
  rows: readonly AcceptRow[];
  contacts: readonly NewContact[];
  conversations: readonly NewConversation[];
  names: readonly ConversationName[];
  keys: readonly NewKey[];
  /** false: the messages wait for the rest of their batch. */
  due: boolean;
  /** Which of the counters' rows to add to. */
  slot: number;
  /** Places taken in windows that the transaction holds: `used` each. Empty: no message is limited. */
  taken: readonly LimitUse[];
  /** Conversations that somebody says something in by name, each once: they come before older ones from now on. Empty: no message has an author. */
  said: readonly { tenant: TenantId; conversation: ConversationId }[];
}

/** Messages without limits, without files in what is passed on, and that change no conversation that is there, are spared the rest. */
const insertAccepted = { name: 'accept_insert', text: insertion(false, false, false) };
const insertLimited = { name: 'accept_insert_limited', text: insertion(true, false, false) };
const insertNaming = { name: 'accept_insert_naming', text: insertion(false, true, false) };
const insertLimitedNaming = { name: 'accept_insert_limited_naming', text: insertion(true, true, false) };
const insertTouching = { name: 'accept_insert_touching', text: insertion(false, false, true) };
const insertTouchingLimited = { name: 'accept_insert_touching_limited', text: insertion(true, false, true) };
const insertTouchingNaming = { name: 'accept_insert_touching_naming', text: insertion(false, true, true) };
const insertTouchingLimitedNaming = {
  name: 'accept_insert_touching_limited_naming',
  text: insertion(true, true, true),
};

function insertion(limited: boolean, naming: boolean, touching: boolean): string {
  const [ifLimited, reserved] = limited ? [', $39::smallint[]', ', reserved'] : ['', ''];
  const counted = limited
    ? `, l as (
  update limit_use u set used = u.used + i.n
  from unnest($40::uuid[], $41::uuid[], $42::timestamptz[], $43::bigint[]) as i(tenant_id, scope_id, starts_at, n)
  where u.tenant_id = i.tenant_id and u.scope_id = i.scope_id and u.starts_at = i.starts_at
)`
    : '';
  const first = limited ? 44 : 39;
  const named = naming
    ? `, rn as (
  insert into media_references (tenant_id, message_id, place, kind, media_id)
  select * from unnest($${first}::uuid[], $${first + 1}::uuid[], $${first + 2}::smallint[], $${first + 3}::text[], $${first + 4}::uuid[])
)`
    : '';
  const last = first + (naming ? 5 : 0);
  const [ifSaid, author] = touching ? [`, $${last}::text[]`, ', author_id'] : ['', ''];
  // One update for both: of two of one row in a statement only one would be done.
  const touched = touching
    ? `, vt as (
  update conversations v set external_id = coalesce(i.name, v.external_id),
    last_message_at = case i.said when 1 then now() else v.last_message_at end
  from unnest($${last + 1}::uuid[], $${last + 2}::uuid[], $${last + 3}::text[], $${last + 4}::uuid[], $${last + 5}::smallint[])
    as i(tenant_id, id, name, event_id, said)
  where v.tenant_id = i.tenant_id and v.id = i.id
  returning v.*, i.event_id
), ve as (
  insert into events (tenant_id, id, type, conversation_id, data)
  select v.tenant_id, v.event_id, 'conversation.updated', v.id, jsonb_build_object('conversation', ${RECORD})
  from vt v where v.event_id is not null
)`
    : '';
  return `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::uuid[], $7::uuid[], $8::uuid[],
    $9::int[], $10::text[], $11::text[], $12::smallint[], $13::text[], $14::jsonb[], $15::jsonb[], $16::jsonb[],
    $17::text[], $18::timestamptz[], $19::timestamptz[], $34::text[], $36::jsonb[], $37::uuid[], $38::text[]${ifLimited}${ifSaid})
  as i(tenant_id, id, event_id, sender_id, lane_id, contact_id, conversation_id, batch_id, batch_index, type, category,
    priority, address, content, template, metadata, reply_to, scheduled_at, expires_at, sender_type, fallback, template_id,
    held${reserved}${author})
), m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, batch_id, batch_index, direction, state,
    state_before, type, category, priority, address, content, template, metadata, reply_to, created_at, scheduled_at,
    expires_at, sender_type, fallback${reserved}${author})
  select tenant_id, id, sender_id, contact_id, conversation_id, batch_id, batch_index, 'outbound', 'queued', 'queued',
    type, category, priority, address, content, template, metadata, reply_to, now(), scheduled_at, expires_at, sender_type,
    fallback${reserved}${author}
  from i
), d as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, expires_at, template_id, held)
  select tenant_id, id, lane_id, sender_id, priority, greatest(now(), scheduled_at), expires_at, template_id, held
  from i where $31
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.queued', id, '{"state": "queued"}' from i
), r as (
  insert into media_references (tenant_id, message_id, kind, link, filename, media_id)
  select tenant_id, id, type, content ->> 'media_url', content ->> 'filename',
    -- Beside a template content is only kept, and nobody has looked whether there is such a file.
    case when type <> 'template' then (content ->> 'media_id')::uuid end
  from i where content ?| '{media_url,media_id}'
), c as (
  insert into contacts (tenant_id, id) select * from unnest($20::uuid[], $21::uuid[])
), ci as (
  insert into contact_identities (tenant_id, contact_id, kind, value)
  select * from unnest($20::uuid[], $21::uuid[], $22::text[], $23::text[])
), v as (
  insert into conversations (tenant_id, id, sender_id, contact_id, external_id)
  select * from unnest($24::uuid[], $25::uuid[], $26::uuid[], $27::uuid[], $35::text[])
), k as (
  insert into idempotency_keys (tenant_id, key, request_hash, message_id)
  select * from unnest($28::uuid[], $29::text[], $30::bytea[], $32::uuid[])
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, '', 'queued', $33, count(*) from i
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)${counted}${named}${touched}
select now() as now`;
}

/**
 * Writes accepted messages with their due work, events, new contacts and conversations, keys and counts, in one statement.
 * @returns the time they were accepted, by the database's clock.
 * @throws a unique violation when a key, contact or conversation was made by somebody else since it was looked up:
 *   nothing is written then, and the caller looks again.
 */
export async function insertAcceptedMessages(tx: Queryable, write: AcceptWrite): Promise<Date> {
  const { rows, contacts, conversations, names, keys, taken } = write;
  const values = [
    uuids(rows, (r) => r.tenant),
    uuids(rows, (r) => r.id),
    uuids(rows, (r) => r.event),
    uuids(rows, (r) => r.sender),
    integers(rows, (r) => r.lane),
    uuids(rows, (r) => r.contact),
    uuids(rows, (r) => r.conversation),
    uuids(rows, (r) => r.batch),
    integers(rows, (r) => r.batchIndex),
    texts(rows, (r) => r.type),
    texts(rows, (r) => r.category),
    smallints(rows, (r) => r.priority),
    texts(rows, (r) => r.address),
    jsons(rows, (r) => json(r.content)),
    jsons(rows, (r) => json(r.template)),
    jsons(rows, (r) => json(r.metadata)),
    texts(rows, (r) => r.replyTo),
    times(rows, (r) => r.scheduledAt),
    times(rows, (r) => r.expiresAt),
    uuids(contacts, (c) => c.tenant),
    uuids(contacts, (c) => c.contact),
    texts(contacts, (c) => c.kind),
    texts(contacts, (c) => c.value),
    uuids(conversations, (c) => c.tenant),
    uuids(conversations, (c) => c.conversation),
    uuids(conversations, (c) => c.sender),
    uuids(conversations, (c) => c.contact),
    uuids(keys, (k) => k.tenant),
    texts(keys, (k) => k.key),
    byteas(keys, (k) => k.hash),
    write.due,
    uuids(keys, (k) => k.message),
    write.slot,
    texts(rows, (r) => r.senderType),
    texts(conversations, (c) => c.externalId),
    jsons(rows, (r) => json(r.fallback)),
    uuids(rows, (r) => r.templateId),
    texts(rows, (r) => r.held),
  ];
  if (taken.length > 0) {
    values.push(
      smallints(rows, (r) => r.reserved),
      uuids(taken, (t) => t.tenant_id),
      uuids(taken, (t) => t.scope_id),
      times(taken, (t) => t.starts_at.getTime()),
      bigints(taken, (t) => t.used),
    );
  }
  const named = filesOf(rows);
  if (named.length > 0) {
    values.push(
      uuids(named, (n) => n.tenant),
      uuids(named, (n) => n.message),
      smallints(named, (n) => n.place),
      texts(named, (n) => n.as),
      uuids(named, (n) => n.id),
    );
  }
  const plain = named.length === 0;
  const touched = names.length > 0 || write.said.length > 0 ? touchedBy(write) : [];
  if (touched.length > 0) {
    values.push(
      texts(rows, (r) => r.author),
      uuids(touched, (v) => v.tenant),
      uuids(touched, (v) => v.conversation),
      texts(touched, (v) => v.externalId),
      uuids(touched, (v) => v.event),
      smallints(touched, (v) => (v.said ? 1 : 0)),
    );
  }
  const statement =
    touched.length > 0 ? touchingStatement(taken.length > 0, plain) : usualStatement(taken.length > 0, plain);
  const [{ now } = { now: new Date(0) }] = await tx.query<{ now: Date }>(statement, values);
  return now;
}

/** A conversation that is there and is changed: by a name, by what is said in it, or by both. */
interface Touched {
  tenant: TenantId;
  conversation: ConversationId;
  externalId: string | null;
  event: EventId | null;
  said: boolean;
}

/** Each of the conversations that are changed, once. */
function touchedBy({ names, said }: AcceptWrite): Touched[] {
  const all = new Map<ConversationId, Touched>();
  for (const name of names) all.set(name.conversation, { ...name, said: false });
  for (const { tenant, conversation } of said) {
    const named = all.get(conversation);
    if (named) named.said = true;
    else all.set(conversation, { tenant, conversation, externalId: null, event: null, said: true });
  }
  return [...all.values()];
}

function usualStatement(limited: boolean, plain: boolean) {
  if (limited) return plain ? insertLimited : insertLimitedNaming;
  return plain ? insertAccepted : insertNaming;
}

function touchingStatement(limited: boolean, plain: boolean) {
  if (limited) return plain ? insertTouchingLimited : insertTouchingLimitedNaming;
  return plain ? insertTouching : insertTouchingNaming;
}

/** The files that messages name in what is passed on, or may be: in template, fallback and interactive content. */
function filesOf(rows: readonly AcceptRow[]): (NamedFile & { tenant: TenantId; message: MessageId; place: number })[] {
  const all: (NamedFile & { tenant: TenantId; message: MessageId; place: number })[] = [];
  for (const { tenant, id: message, template, content, fallback } of rows) {
    if (!template && !fallback && !content?.interactive) continue;
    const files = [
      ...filesIn(template ? template.components : content?.interactive),
      ...filesIn(fallback && 'components' in fallback ? fallback.components : undefined),
    ];
    files.forEach((file, i) => void all.push({ ...file, tenant, message, place: i + 1 }));
  }
  return all;
}

function json(value: object | null): string | null {
  return value === null ? null : jsonText(value);
}

const findReplayed = {
  name: 'accept_find_replayed',
  text: `
select id, sender_id, contact_id, conversation_id, address, type, created_at, scheduled_at,
  coalesce(fallback ->> 'taken' = 'accepting', false) as sent_as_template
from messages where tenant_id = $1 and id = $2`,
};

/** What was answered when a message was accepted. */
export interface AcceptedRow {
  id: MessageId;
  sender_id: SenderId;
  contact_id: ContactId;
  conversation_id: ConversationId;
  address: string;
  type: string;
  created_at: Date;
  scheduled_at: Date | null;
  /** Its fallback went in its place. */
  sent_as_template: boolean;
}

/** What was answered when a message was accepted, for an answer given again. */
export async function findAccepted(tx: Queryable, tenant: TenantId, id: MessageId): Promise<AcceptedRow | undefined> {
  const [row] = await tx.query<AcceptedRow>(findReplayed, [tenant, id]);
  return row;
}
