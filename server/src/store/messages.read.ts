import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { BatchId, ContactId, ConversationId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { Direction, Message, State } from '../domain/message.ts';

/** The columns of a message as it is read: its row `m`, its sender `s`, its due work `d` and its last attempt `a`. */
const COLUMNS = `
  m.tenant_id, m.id, m.direction, coalesce(d.state, m.state) as state, m.type, m.category, m.priority, m.sender_id,
  coalesce(s.phone, s.name) as sender_phone, m.contact_id, m.conversation_id, m.batch_id, m.wamid, m.address, m.content, m.template,
  m.metadata, m.reply_to, m.reactions, m.edited_at, m.deleted_at, m.sender_type, m.error, coalesce(d.attempt, m.attempt) as attempt, m.created_at, m.scheduled_at, m.expires_at,
  coalesce(d.started_at, a.started_at) as sending_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at,
  m.ended_at, d.due_at, d.held`;

const JOINS = `
  join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
  left join attempts a on a.tenant_id = m.tenant_id and a.message_id = m.id and a.attempt = m.attempt`;

const find = {
  name: 'messages_find',
  text: `select ${COLUMNS} from messages m ${JOINS} where m.tenant_id = $1 and m.id = $2`,
};

/** One message, or null when the tenant has none of that id. */
export async function findMessage(tx: Queryable, tenant: TenantId, id: MessageId): Promise<Message | null> {
  const [row] = await tx.query<Message>(find, [tenant, id]);
  return row ?? null;
}

/** An attempt that came to an end. */
export interface AttemptRow {
  attempt: number;
  started_at: string;
  ended_at: string;
  outcome: 'sent' | 'retry' | 'refused' | 'receipt' | 'resend' | 'tell';
  code: number | null;
  detail: string | null;
}

/** A failure that was told of an attempt, whatever came later. */
export interface FailureRow {
  attempt: number;
  source: 'answer' | 'receipt' | 'policy';
  code: number;
  at: string;
  title: string;
  detail: string | null;
}

/** What happened to a message, in ISO times as the database writes them. */
export interface MessageTrail {
  attempts: AttemptRow[];
  failures: FailureRow[];
}

const findWithTrail = {
  name: 'messages_find_with_trail',
  text: `
select ${COLUMNS},
  (select coalesce(jsonb_agg(to_jsonb(x) - 'tenant_id' - 'message_id' order by x.attempt), '[]')
   from attempts x where x.tenant_id = $1 and x.message_id = $2) as attempts,
  (select coalesce(jsonb_agg(to_jsonb(f) - 'tenant_id' - 'message_id' order by f.at), '[]')
   from failures f where f.tenant_id = $1 and f.message_id = $2) as failures
from messages m ${JOINS} where m.tenant_id = $1 and m.id = $2`,
};

/** One message with all that was recorded of it, read at one moment. */
export async function findMessageWithTrail(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
): Promise<(Message & MessageTrail) | null> {
  const [row] = await tx.query<Message & MessageTrail>(findWithTrail, [tenant, id]);
  return row ?? null;
}

/** Which messages a list is of. Absent: all of them. */
export interface MessageFilter {
  sender_id?: SenderId | undefined;
  contact_id?: ContactId | undefined;
  conversation_id?: ConversationId | undefined;
  batch_id?: BatchId | undefined;
  direction?: Direction | undefined;
  type?: string | undefined;
  /** The states in the message's own row: `queued` there is queued, sending or unconfirmed. */
  states?: readonly State[] | undefined;
  /** By `created_at`, both included. */
  from?: Date | undefined;
  until?: Date | undefined;
}

/** A page: the newest messages older than `next` of the page before. `next` null: there are no more. */
export interface MessagePage {
  messages: Message[];
  next: MessageId | null;
}

/** Most rows that are looked at for one page, so that a filter that nothing matches costs no more than that. */
export const WALKED = 10_000;
/** Ids are made by this machine's clock, `created_at` by the database's: so far may they be apart. Milliseconds. */
const CLOCKS_APART = 60_000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

type Walk = 'all' | 'sender' | 'contact' | 'conversation' | 'batch';

/**
 * Each way to walk has an index that gives its rows newest first. $1 tenant, $2 below this id, $3 from this id.
 * @param most how many rows are looked at.
 */
function walkOf(walk: Walk, most: number): string {
  if (walk === 'contact') {
    return `
    select m.* from conversations c cross join lateral (
      select * from messages where tenant_id = $1 and conversation_id = c.id and id < $2 and id >= $3
      order by id desc limit ${most}
    ) m where c.tenant_id = $1 and c.contact_id = $5 order by m.id desc limit ${most}`;
  }
  return `
    select m.* from messages m where ${CONDITIONS[walk]} m.tenant_id = $1 and m.id < $2 and m.id >= $3
    order by m.id desc limit ${most}`;
}

const CONDITIONS = {
  all: '',
  sender: 'm.sender_id = $4 and',
  conversation: 'm.conversation_id = $6 and',
  batch: 'm.batch_id = $7 and',
} as const;

/** What a row that was walked over must be, to be on the list. */
const MATCHES = `
  ($4::uuid is null or w.sender_id = $4) and ($5::uuid is null or w.contact_id = $5)
  and ($6::uuid is null or w.conversation_id = $6) and ($7::uuid is null or w.batch_id = $7)
  and ($8::message_direction is null or w.direction = $8) and ($9::text is null or w.type = $9)
  and ($10::message_state[] is null or w.state = any ($10))
  and ($11::timestamptz is null or w.created_at >= $11) and ($12::timestamptz is null or w.created_at <= $12)`;

// The page is cut before anything is joined, so that the walk stops as soon as it is full. Only when it is not full it is
// asked how far the walk came: in the same statement, for what commits between two would be counted by one of them.
const list = (walk: Walk) => ({
  name: `messages_list_by_${walk}`,
  text: `
with page as (
  select w.* from (${walkOf(walk, WALKED)}) w where ${MATCHES}
  order by w.id desc offset $14 limit $13
), walked as (
  select case when (select count(*) from page) < $13
    then (select w.id from (${walkOf(walk, WALKED)}) w order by w.id desc offset ${WALKED - 1} limit 1) end as walked_to
)
select walked_to, p.* from walked left join (select ${COLUMNS} from page m ${JOINS}) p on true order by p.id desc`,
});
const lists = {
  all: list('all'),
  sender: list('sender'),
  contact: list('contact'),
  conversation: list('conversation'),
  batch: list('batch'),
};

const total = (walk: Walk) => ({
  name: `messages_total_by_${walk}`,
  text: `
select count(*) filter (where ${MATCHES})::int as total, count(*) > ${WALKED} as capped
from (${walkOf(walk, WALKED + 1)}) w`,
});
const totals = {
  all: total('all'),
  sender: total('sender'),
  contact: total('contact'),
  conversation: total('conversation'),
  batch: total('batch'),
};

/** How many messages match. `capped`: more than 10,000 rows would have had to be looked at, so there may be more. */
export interface MessageTotal {
  total: number;
  capped: boolean;
}

/** Counts the messages that match, among the newest 10,000 that have to be looked at. */
export async function countListed(tx: Queryable, tenant: TenantId, filter: MessageFilter): Promise<MessageTotal> {
  const [row] = await tx.query<MessageTotal>(totals[walkFor(filter)], valuesOf(tenant, filter, null));
  return row ?? { total: 0, capped: false };
}

/** A row of a page; one without a message when there is none. `walked_to`: the last row looked at, if more may follow. */
type PageRow = { walked_to: MessageId | null } & (Message | { id: null });

/**
 * The messages that match, newest first, at most `limit` of them. A page may be short, and even empty, and still have a next
 * one: no more than 10,000 rows are looked at for it.
 * @param before the `next` of the page before, or null for the first page.
 * @param offset how many messages that match are left out before the first; with `limit` at most 10,000.
 */
export async function listMessages(
  tx: Queryable,
  tenant: TenantId,
  filter: MessageFilter,
  before: MessageId | null,
  limit: number,
  offset = 0,
): Promise<MessagePage> {
  const values = [...valuesOf(tenant, filter, before), limit + 1, offset];
  const rows = await tx.query<PageRow>(lists[walkFor(filter)], values);
  const messages = rows.filter((row) => row.id !== null);
  if (messages.length <= limit) return { messages, next: rows[0]?.walked_to ?? null };
  messages.length = limit;
  return { messages, next: messages[limit - 1]?.id ?? null };
}

/** $1 to $12 of the statements of lists. */
function valuesOf(tenant: TenantId, filter: MessageFilter, before: MessageId | null): unknown[] {
  const { below, from } = idBounds(filter, before);
  return [
    tenant,
    below,
    from,
    filter.sender_id ?? null,
    filter.contact_id ?? null,
    filter.conversation_id ?? null,
    filter.batch_id ?? null,
    filter.direction ?? null,
    filter.type ?? null,
    filter.states ?? null,
    filter.from ?? null,
    filter.until ?? null,
  ];
}

/** The narrowest walk for a filter. */
function walkFor({ sender_id, contact_id, conversation_id, batch_id }: MessageFilter): Walk {
  if (conversation_id !== undefined) return 'conversation';
  if (batch_id !== undefined) return 'batch';
  if (contact_id !== undefined) return 'contact';
  return sender_id === undefined ? 'all' : 'sender';
}

/** The range of ids that can hold what the times ask for. */
function idBounds({ from, until }: MessageFilter, before: MessageId | null): { below: string; from: string } {
  const below = until ? idAt(until.getTime() + CLOCKS_APART) : LAST_ID;
  return {
    below: before !== null && before < below ? before : below,
    from: from ? idAt(from.getTime() - CLOCKS_APART) : FIRST_ID,
  };
}

/** The smallest id of a moment. */
function idAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

const findProviderIds = {
  name: 'messages_find_wamids',
  text: 'select id, wamid from messages where tenant_id = $1 and id = any ($2::uuid[]) and wamid is not null',
};

/** The provider's ids of those of these messages that have one. */
export async function findWamids(
  tx: Queryable,
  tenant: TenantId,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await tx.query<{ id: string; wamid: string }>(findProviderIds, [tenant, ids]);
  return new Map(rows.map(({ id, wamid }) => [id, wamid]));
}

const findInstead = {
  name: 'messages_find_instead',
  text: `select from messages where tenant_id = $1 and id = $2 and fallback ->> 'taken' = 'accepting'`,
};

/** Whether the fallback of a message went in its place when it was accepted. */
export async function wasSentAsTemplate(tx: Queryable, tenant: TenantId, id: MessageId): Promise<boolean> {
  return (await tx.query(findInstead, [tenant, id])).length > 0;
}

const findSettled = {
  name: 'messages_find_settled',
  text: `
select m.id, m.state, m.wamid, m.sent_at, m.error
from unnest($1::uuid[], $2::uuid[]) as i(tenant_id, id)
join messages m on m.tenant_id = i.tenant_id and m.id = i.id
where m.state <> 'queued'`,
};

/** What came of a message that has been sent, or will not be. */
export type SettledMessage = Pick<Message, 'id' | 'state' | 'wamid' | 'sent_at' | 'error'>;

/** Those of these messages that are open no more. */
export function findSettledMessages(
  tx: Queryable,
  asked: readonly { tenant: TenantId; id: MessageId }[],
): Promise<SettledMessage[]> {
  return tx.query<SettledMessage>(findSettled, [uuids(asked, (a) => a.tenant), uuids(asked, (a) => a.id)]);
}
