import type { Queryable } from '../db/pool.ts';
import {
  CONVERSATION_TYPES,
  type ConversationRecord,
  type ConversationType,
  type ParticipantRole,
  type UserId,
} from '../domain/chat.ts';
import type { ChatMessageId, ContactId, ConversationId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { ofKey } from './one-key.ts';

interface ConversationColumns {
  id: ConversationId;
  type: ConversationType;
  title: string | null;
  metadata: Record<string, unknown> | null;
  sender_id: SenderId | null;
  contact_id: ContactId | null;
  external_id: string | null;
  created_by: UserId | null;
  created_at: Date;
  closed_at: Date | null;
  retention_days: number | null;
}

/** Of the table called `v`. */
const COLUMNS = `v.id, v.type, v.title, v.metadata, v.sender_id, v.contact_id, v.external_id, v.created_by, v.created_at, v.closed_at,
  v.retention_days`;

function record(row: ConversationColumns): ConversationRecord {
  return {
    id: row.id,
    type: row.type,
    title: row.title,
    metadata: row.metadata,
    sender_id: row.sender_id,
    contact_id: row.contact_id,
    external_id: row.external_id,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    closed_at: row.closed_at?.toISOString() ?? null,
    retention_days: row.retention_days,
  };
}

const time = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const recordClosed = (
  closedAt: string,
) => `jsonb_build_object('id', v.id, 'type', v.type, 'title', v.title, 'metadata', v.metadata,
  'sender_id', v.sender_id, 'contact_id', v.contact_id, 'external_id', v.external_id, 'created_by', v.created_by,
  'created_at', ${time('v.created_at')}, 'closed_at', ${closedAt}, 'retention_days', v.retention_days)`;

/** The record of a row of the table called `v`, as JSON. */
export const RECORD = recordClosed(time('v.closed_at'));
/** The same, when it is open from now on. */
export const OPENED_RECORD = recordClosed('null');

/** A conversation, as who changes it sees it. */
export interface FoundConversation {
  conversation: ConversationRecord;
  /** The number of the last message. */
  last_seq: number;
}

const finders = {
  id: { name: 'chat_conversations_find', text: finding('v.id = $2::uuid') },
  external: { name: 'chat_conversations_find_external', text: finding('v.external_id = $2::text') },
  direct: { name: 'chat_conversations_find_direct', text: finding('v.direct_key = $2::text') },
} as const;

function finding(what: string): string {
  return `select ${COLUMNS}, v.last_seq from conversations v where v.tenant_id = $1 and ${what}`;
}

/** The conversation of this own id, external id, or these two users (`directKey` of domain/chat-rules.ts). */
export async function findConversationBy(
  tx: Queryable,
  tenant: TenantId,
  by: keyof typeof finders,
  value: string,
): Promise<FoundConversation | null> {
  const [row] = await tx.query<ConversationColumns & { last_seq: number }>(finders[by], [tenant, value]);
  return row ? { conversation: record(row), last_seq: row.last_seq } : null;
}

const findCustomer = {
  name: 'chat_conversations_find_customer',
  text: finding('v.contact_id = $2::uuid and v.sender_id = $3::uuid'),
};

export async function findCustomerConversation(
  tx: Queryable,
  tenant: TenantId,
  contact: ContactId,
  sender: SenderId,
): Promise<FoundConversation | null> {
  const [row] = await tx.query<ConversationColumns & { last_seq: number }>(findCustomer, [tenant, contact, sender]);
  return row ? { conversation: record(row), last_seq: row.last_seq } : null;
}

const clock = {
  name: 'chat_conversations_clock',
  text: `select date_trunc('milliseconds', now()) as now`,
};

/** When the transaction began, by the database's clock, in whole milliseconds. */
export async function findTransactionTime(tx: Queryable): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(clock);
  if (!row) throw new Error('a select without a table gave no row');
  return row.now;
}

const standing = {
  name: 'chat_conversations_standing',
  text: `
select v.type, v.closed_at, p.role, p.can_send_messages from conversations v
left join participants p on p.tenant_id = v.tenant_id and p.conversation_id = v.id and p.user_id = $3 and p.left_at is null
where v.tenant_id = $1 and v.id = $2`,
};

/** How a user stands in a conversation; null: there is none. `standing` null: he is not in it. */
export async function findStanding(
  tx: Queryable,
  tenant: TenantId,
  id: ConversationId,
  user: UserId | null,
): Promise<{
  type: ConversationType;
  closed_at: Date | null;
  standing: { role: ParticipantRole; can_send_messages: boolean } | null;
} | null> {
  const [row] = await tx.query<{
    type: ConversationType;
    closed_at: Date | null;
    role: ParticipantRole | null;
    can_send_messages: boolean;
  }>(standing, [tenant, id, user]);
  if (!row) return null;
  const { type, closed_at, role, can_send_messages } = row;
  return { type, closed_at, standing: role && { role, can_send_messages } };
}

/** A conversation in a list. */
export interface ListedRow {
  conversation: ConversationRecord;
  last_chat_id: ChatMessageId | null;
  last_whatsapp_id: MessageId | null;
  last_message_at: Date | null;
  /** When something last happened there: it was made, or somebody spoke. Microseconds since 1970. */
  activity: number;
  unread_count: number;
  participant_count: number;
  role: ParticipantRole | null;
}

const inOne = ofKey({ 'm.conversation_id': 'v.id' }, 'm.id');

// What a customer wrote is counted by the conversation; what users say, by how far each has read.
const listed = (from: string, order: string, role: string, unread: string): string => `
select ${COLUMNS}, v.last_message_at, v.participant_count, v.activity, ${role} as role,
  v.unread_count + ${unread} as unread_count,
  (select c.id from chat_messages c where c.tenant_id = v.tenant_id and c.conversation_id = v.id order by c.seq desc limit 1) as last_chat_id,
  case when v.type = 'customer' then (
    select m.id from messages m where m.tenant_id = v.tenant_id and ${inOne.all} order by ${inOne.newestFirst} limit 1) end
    as last_whatsapp_id
from (${from}
) v order by ${order}`;

/** Since 1970, in microseconds: exact as a double. */
const ACTIVITY = '(extract(epoch from coalesce(v.last_message_at, v.created_at)) * 1000000)::int8';
const UNREAD = 'greatest(v.last_seq - greatest(v.read_seq, v.pruned_seq) - v.own_ahead, 0)::int';

const SLOT_OF = (time: string): string => `date_bin('2 minutes', ${time}, timestamptz '2000-01-01 00:00:00+00')`;
/** On lists with odd numbers nothing was said: their places are exact. On the others those of two minutes are in no order. */
const SLOT = (list: string, time: string): string => `case when ${list} % 2 = 1 then ${time} else ${SLOT_OF(time)} end`;

// Nobody reads a whole list to sort it. Of each of the lists asked for it is looked where a page would end if all of it came from there: on
// one of them it ends with the last row, or with others later in the same two minutes. The latest of these ends is behind the page's own. What lies
// between the beginning and that is all that is sorted. (`offset 0` keeps the planner from reading all the user's rows for once.)
const listForUser = {
  name: 'chat_conversations_list_user',
  text: listed(
    `
  with begin as materialized (
    select coalesce(timestamptz 'epoch' + $4::int8 * interval '1 microsecond', 'infinity') as at
  ), edge as materialized (
    select coalesce(max(e.slot), '-infinity') as at
    from begin b cross join unnest($3::smallint[]) as l(list) cross join lateral (
      select p.slot from participants p
      where p.tenant_id = $1 and p.user_id = $2 and p.left_at is null and p.list >= 0 and p.list = l.list
        and p.slot < case when b.at = 'infinity' then b.at else ${SLOT('l.list', 'b.at')} end
      order by p.slot desc offset $6::int - 1 limit 1
    ) e
  ), bounds as materialized (
    select l.list, b.at as high, case when e.at = '-infinity' then e.at else ${SLOT('l.list', 'e.at')} end as low
    from begin b cross join edge e cross join unnest($3::smallint[]) as l(list)
  )
  select v.*, p.role, p.read_seq, p.own_ahead, ${ACTIVITY} as activity
  from bounds b cross join lateral (
    select * from participants p
    where p.tenant_id = $1 and p.user_id = $2 and p.left_at is null and p.list >= 0 and p.list = b.list
      and p.slot <= b.high and p.slot >= b.low
    offset 0
  ) p
  join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
  where $4::int8 is null or (${ACTIVITY}, v.id) < ($4::int8, $5::uuid)
  order by activity desc, v.id desc limit $6`,
    'v.activity desc, v.id desc',
    'v.role',
    UNREAD,
  ),
};

const findForUser = {
  name: 'chat_conversations_find_user',
  text: listed(
    `
  select v.*, p.role, p.read_seq, p.own_ahead, ${ACTIVITY} as activity
  from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
  where p.tenant_id = $1 and p.user_id = $2 and p.left_at is null and p.conversation_id = $3`,
    'v.id',
    'v.role',
    UNREAD,
  ),
};

const OF_TENANT = `
  select v.*, ${ACTIVITY} as activity from conversations v where v.tenant_id = $1`;
const BY_ID = 'v.id desc';

const listForTenant = {
  name: 'chat_conversations_list',
  text: listed(`${OF_TENANT} and v.id < $2 order by v.id desc limit $3`, BY_ID, 'null::text', '0'),
};

const ofList = ofKey({ 'v.type': 't.type', '(v.closed_at is null)': 'o.open' }, 'v.id');

// An index has the rows of each type that are open, and that are closed, in their order: a page is among the first of each.
const listFiltered = {
  name: 'chat_conversations_list_filtered',
  text: listed(
    `
  select f.* from unnest($4::text[]) as t(type) cross join unnest($5::boolean[]) as o(open) cross join lateral (${OF_TENANT}
    and ${ofList.below('$2')} order by ${ofList.newestFirst} limit $3
  ) f order by f.id desc limit $3`,
    BY_ID,
    'null::text',
    '0',
  ),
};

const findForTenant = {
  name: 'chat_conversations_find_listed',
  text: listed(`${OF_TENANT} and v.id = $2`, 'v.id', 'null::text', '0'),
};

type Row = ConversationColumns & Omit<ListedRow, 'conversation'>;

function listedRow(row: Row): ListedRow {
  const { last_chat_id, last_whatsapp_id, last_message_at, activity, unread_count, participant_count, role } = row;
  return {
    conversation: record(row),
    last_chat_id,
    last_whatsapp_id,
    last_message_at,
    activity,
    unread_count,
    participant_count,
    role,
  };
}

interface ListFilter {
  type: ConversationType | null;
  /** null: open and closed ones. */
  open: boolean | null;
  limit: number;
}

/** A user's conversations, that where something last happened first. @param after the last one of the page before. */
export async function listUsersConversations(
  tx: Queryable,
  tenant: TenantId,
  user: UserId,
  filter: ListFilter,
  after: { activity: number; id: ConversationId } | null,
): Promise<ListedRow[]> {
  const values = [tenant, user, listsOf(filter), after?.activity ?? null, after?.id ?? null, filter.limit];
  return (await tx.query<Row>(listForUser, values)).map(listedRow);
}

/** The lists of a user that a filter is for, by their numbers: `conversation_list` in the schema gives each conversation its own. */
function listsOf({ type, open }: ListFilter): number[] {
  const types = CONVERSATION_TYPES.filter((one) => type === null || one === type);
  const states = [true, false].filter((one) => open === null || one === open);
  return types.flatMap((one) =>
    states.flatMap((isOpen) => [0, 1].map((rest) => FIRST_LIST[one] + (isOpen ? 0 : 2) + rest)),
  );
}

const FIRST_LIST: Readonly<Record<ConversationType, number>> = { customer: 0, direct: 4, group: 8 };
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** All conversations of a tenant, the newest made first. @param after the last one of the page before. */
export async function listTenantsConversations(
  tx: Queryable,
  tenant: TenantId,
  { type, open, limit }: ListFilter,
  after: ConversationId | null,
): Promise<ListedRow[]> {
  const values = [tenant, after ?? LAST_ID, limit];
  const rows =
    type === null && open === null
      ? await tx.query<Row>(listForTenant, values)
      : await tx.query<Row>(listFiltered, [
          ...values,
          type ? [type] : CONVERSATION_TYPES,
          open === null ? [true, false] : [open],
        ]);
  return rows.map(listedRow);
}

/** A conversation as a user who is in it sees it in a list, or as software does (`user` null). */
export async function findListedConversation(
  tx: Queryable,
  tenant: TenantId,
  id: ConversationId,
  user: UserId | null,
): Promise<ListedRow | null> {
  const [row] = await (user === null
    ? tx.query<Row>(findForTenant, [tenant, id])
    : tx.query<Row>(findForUser, [tenant, user, id]));
  return row ? listedRow(row) : null;
}

const retained = {
  name: 'chat_conversations_retained',
  text: `
select tenant_id, id from conversations where retention_days is not null and (tenant_id, id) > ($1, $2)
order by tenant_id, id limit $3`,
};

/** Conversations with days of their own, over all tenants, after one of them. */
export function listRetainedConversations(
  tx: Queryable,
  after: { tenant_id: TenantId; id: ConversationId },
  limit: number,
): Promise<{ tenant_id: TenantId; id: ConversationId }[]> {
  return tx.query<{ tenant_id: TenantId; id: ConversationId }>(retained, [after.tenant_id, after.id, limit]);
}

const retaining = {
  name: 'chat_conversations_retaining_tenants',
  text: `
select id, (extract(epoch from now() - retention_days * interval '1 day') * 1000)::int8 as before
from tenants where retention_days is not null order by id`,
};

/** Tenants that keep what is said for so long only. `before`: what is older, in milliseconds since 1970. */
export function listRetainingTenants(tx: Queryable): Promise<{ id: TenantId; before: number }[]> {
  return tx.query<{ id: TenantId; before: number }>(retaining);
}
