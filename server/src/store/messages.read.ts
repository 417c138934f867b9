import { uuids } from '../db/arrays.ts';
import type { Queryable, Statement } from '../db/pool.ts';
import type { BatchId, ContactId, ConversationId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { Direction, Message, State } from '../domain/message.ts';
import { ofKey } from './one-key.ts';

/** When the last attempt of a message `m` began, with its due work `d`. */
export const SENDING_AT = `coalesce(d.started_at, m.sending_at, (select a.started_at from attempts a
  where a.tenant_id = m.tenant_id and a.message_id = m.id and a.attempt = m.attempt and m.attempt > 0))`;

/** The columns of a message as it is read: its row `m`, its sender `s`, and its due work `d`. */
export const COLUMNS = `
  m.tenant_id, m.id, m.direction, coalesce(d.state, m.state) as state, m.type, m.category, m.priority, m.sender_id,
  coalesce(s.phone, s.name) as sender_phone, m.contact_id, m.conversation_id, m.batch_id, m.wamid, m.address, m.content, m.template,
  m.metadata, m.reply_to, m.reactions, m.edited_at, m.deleted_at, m.sender_type, m.author_id, m.error, coalesce(d.attempt, m.attempt) as attempt, m.created_at, m.scheduled_at, m.expires_at,
  ${SENDING_AT} as sending_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at,
  m.ended_at, d.due_at, d.held`;

export const JOINS = `
  join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id`;

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

/** An attempt that nobody knew the outcome of when its grace was over. */
export interface DoubtRow {
  attempt: number;
  waiting_since: string;
  /** When receipts of later attempts proved that its own did not come; null: they have not. */
  evident_at: string | null;
}

/** What happened to a message, in ISO times as the database writes them. */
export interface MessageTrail {
  attempts: AttemptRow[];
  failures: FailureRow[];
  doubts: DoubtRow[];
}

/** The columns of a trail, of the message `m`, which is $2. */
export const TRAIL = `
  (select coalesce(jsonb_agg(to_jsonb(x) order by x.attempt), '[]') from (
    select attempt, started_at, ended_at, outcome, code, detail from attempts where tenant_id = $1 and message_id = $2
    union all
    select m.attempt, m.sending_at, m.answered_at, 'sent', null, null where m.sending_at is not null) x) as attempts,
  (select coalesce(jsonb_agg(to_jsonb(f) - 'tenant_id' - 'message_id' order by f.at), '[]')
   from failures f where f.tenant_id = $1 and f.message_id = $2) as failures,
  (select coalesce(jsonb_agg(to_jsonb(u) - 'tenant_id' - 'message_id' order by u.attempt), '[]')
   from doubts u where u.tenant_id = $1 and u.message_id = $2) as doubts`;

const findWithTrail = {
  name: 'messages_find_with_trail',
  text: `
select ${COLUMNS}, ${TRAIL}
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
  /** Of failed messages, the word and the provider's code of their error. */
  error?: string | undefined;
  error_code?: number | undefined;
  /** Of open messages, which of the states that their due work has. */
  open?: OpenFilter | undefined;
  /** By `created_at`, both included. */
  from?: Date | undefined;
  until?: Date | undefined;
}

/** `scheduled` are those of the queued ones whose time is to come. */
export type OpenFilter = 'scheduled' | 'queued' | 'sending' | 'unconfirmed';

/** A page: the newest messages older than `next` of the page before. `next` null: there are no more. */
export interface MessagePage {
  messages: Message[];
  next: MessageId | null;
}

/** Most rows that are looked at for one page, so that a filter that nothing matches costs no more than that. */
const LOOKED = 5_000;
/** So many of the newest rows are counted, and reached by number of page. */
export const WALKED = 10_000;
/** Ids are made by this machine's clock, `created_at` by the database's: so far may they be apart. Milliseconds. */
const CLOCKS_APART = 60_000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

type Walk = 'all' | 'sender' | 'contact' | 'conversation' | 'batch' | 'failed' | 'reason' | 'open' | OpenFilter;

const ofContact = ofKey({ 'c.contact_id': '$5' }, 'c.id');
const inEach = ofKey({ 'n.conversation_id': 'c.id' }, 'n.id');
const ofBatch = ofKey({ batch_id: '$7' }, 'id');
const ofReason = ofKey({ 'l.word': '$13::text', 'l.code': '$14::int' }, 'l.message_id');
const OF = {
  sender: ofKey({ 'm.sender_id': '$4::uuid' }, 'm.id'),
  conversation: ofKey({ 'm.conversation_id': '$6::uuid' }, 'm.id'),
};

/**
 * Each way to walk has an index that gives its rows newest first. $1 tenant, $2 below this id, $3 from this id.
 * @param most the parameter that says how many rows are looked at.
 * @param each of each of a contact's conversations: they are sorted together, so all of these are read.
 */
function walkOf(walk: Walk, most: string, each = most): string {
  if (walk === 'sender' || walk === 'conversation') {
    return `
    select m.* from messages m where m.tenant_id = $1 and ${OF[walk].between('$3', '$2')}
    order by ${OF[walk].newestFirst} limit ${most}`;
  }
  if (walk === 'contact') {
    return `
    select m.* from conversations c cross join lateral (
      select * from messages n where n.tenant_id = $1 and ${inEach.between('$3', '$2')}
      order by ${inEach.newestFirst} limit ${each}
    ) m where c.tenant_id = $1 and ${ofContact.all} order by m.id desc limit ${most}`;
  }
  if (walk === 'failed' || walk === 'reason') {
    return `
    select m.*, l.word, l.code from dead_letters l join messages m on m.tenant_id = l.tenant_id and m.id = l.message_id
    where l.tenant_id = $1 and ${walk === 'reason' ? ofReason.between('$3', '$2') : 'l.message_id < $2 and l.message_id >= $3'}
    order by ${walk === 'reason' ? ofReason.newestFirst : 'l.message_id desc'} limit ${most}`;
  }
  if (isOpen(walk)) {
    return `
    select m.*, d.state as open_state from due d join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id
    where d.tenant_id = $1 and d.message_id < $2 and d.message_id >= $3
    order by d.message_id desc limit ${most}`;
  }
  // A batch has 10,000 at most. (`offset 0` keeps the planner from finding them by their ids, among all of the tenant's.)
  if (walk === 'batch') {
    return `
    select m.* from (
      select * from messages where tenant_id = $1 and ${ofBatch.all} offset 0
    ) m where m.id < $2 and m.id >= $3 order by m.id desc limit ${most}`;
  }
  return `
    select m.* from messages m where m.tenant_id = $1 and m.id < $2 and m.id >= $3
    order by m.id desc limit ${most}`;
}

/** What due work must be, to be on the list of one of these. Its state is looked at behind the walk, which is bounded by that. */
const OPEN: Readonly<Record<OpenFilter | 'open', string>> = {
  open: '',
  scheduled: "and w.open_state = 'queued' and w.attempt = 0 and w.scheduled_at > now()",
  queued: "and w.open_state = 'queued'",
  sending: "and w.open_state = 'sending'",
  unconfirmed: "and w.open_state = 'unconfirmed'",
};

function isOpen(walk: Walk): walk is OpenFilter | 'open' {
  return walk in OPEN;
}

function matches(walk: Walk): string {
  return isOpen(walk) ? `${MATCHES} ${OPEN[walk]}` : MATCHES;
}

/** Newest first, in the words of the walk's own order, so that nothing is sorted. */
function newestFirst(walk: Walk): string {
  if (walk === 'sender') return 'w.sender_id desc, w.id desc';
  if (walk === 'conversation') return 'w.conversation_id desc, w.id desc';
  return walk === 'reason' ? 'w.word desc, w.code desc, w.id desc' : 'w.id desc';
}

/** What a row that was walked over must be, to be on the list. */
const MATCHES = `
  ($4::uuid is null or w.sender_id = $4) and ($5::uuid is null or w.contact_id = $5)
  and ($6::uuid is null or w.conversation_id = $6) and ($7::uuid is null or w.batch_id = $7)
  and ($8::message_direction is null or w.direction = $8) and ($9::text is null or w.type = $9)
  and ($10::message_state[] is null or w.state = any ($10))
  and ($13::text is null or (w.state = 'failed' and w.error ->> 'error' = $13))
  and ($14::int is null or (w.state = 'failed' and coalesce((w.error ->> 'code')::int, 0) = $14))
  and ($11::timestamptz is null or w.created_at >= $11) and ($12::timestamptz is null or w.created_at <= $12)`;

/** Where every message of a contact matches, no more of one conversation are on the page than the page and what comes before it. */
const EACH = `
  case when num_nonnulls($4::uuid, $6::uuid, $7::uuid, $8::message_direction, $9::text, $10::message_state[], $11::timestamptz,
    $12::timestamptz, $13::text, $14::int) = 0 then $15::int + $16::int else $17 end`;

// The page is cut before anything is joined, so that the walk stops as soon as it is full. Only when it is not full it is
// asked how far the walk came: in the same statement, for what commits between two would be counted by one of them.
const list = (walk: Walk) => ({
  name: `messages_list_by_${walk}`,
  text: `
with page as (
  select w.* from (${walkOf(walk, '$17::int', EACH)}) w where ${matches(walk)}
  order by ${newestFirst(walk)} offset $16 limit $15
), walked as (
  select case when (select count(*) from page) < $15
    then (select w.id from (${walkOf(walk, '$17::int')}) w
      order by ${newestFirst(walk)} offset $17::int - 1 limit 1) end as walked_to
)
select walked_to, p.* from walked left join (select ${COLUMNS} from page m ${JOINS}) p on true order by p.id desc`,
});

const WALKS: readonly Walk[] = [
  'all',
  'sender',
  'contact',
  'conversation',
  'batch',
  'failed',
  'reason',
  'open',
  'scheduled',
  'queued',
  'sending',
  'unconfirmed',
];

/** A statement for each way to walk. */
function ofWalks(make: (walk: Walk) => Statement): Readonly<Record<Walk, Statement>> {
  return Object.fromEntries(WALKS.map((walk) => [walk, make(walk)])) as Record<Walk, Statement>;
}

const lists = ofWalks(list);

const total = (walk: Walk) => ({
  name: `messages_total_by_${walk}`,
  text: `
select count(*) filter (where ${matches(walk)})::int as total, count(*) > ${WALKED} as capped
from (${walkOf(walk, '$15::int')}) w`,
});
const totals = ofWalks(total);

/** How many messages match. `capped`: more than 10,000 rows would have had to be looked at, so there may be more. */
export interface MessageTotal {
  total: number;
  capped: boolean;
}

/** Counts the messages that match, among the newest 10,000 that have to be looked at. */
export async function countListed(tx: Queryable, tenant: TenantId, filter: MessageFilter): Promise<MessageTotal> {
  const [row] = await tx.query<MessageTotal>(totals[walkFor(filter)], [...valuesOf(tenant, filter, null), WALKED + 1]);
  return row ?? { total: 0, capped: false };
}

/** A row of a page; one without a message when there is none. `walked_to`: the last row looked at, if more may follow. */
type PageRow = { walked_to: MessageId | null } & (Message | { id: null });

/**
 * The messages that match, newest first, at most `limit` of them. A page may be short, and even empty, and still have a next
 * one: no more than 5,000 rows are looked at for it; behind an offset 10,000.
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
  const most = offset === 0 ? LOOKED : WALKED;
  const values = [...valuesOf(tenant, filter, before), limit + 1, offset, most];
  const rows = await tx.query<PageRow>(lists[walkFor(filter)], values);
  const messages = rows.filter((row) => row.id !== null);
  if (messages.length <= limit) return { messages, next: rows[0]?.walked_to ?? null };
  messages.length = limit;
  return { messages, next: messages[limit - 1]?.id ?? null };
}

/** $1 to $14 of the statements of lists. */
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
    filter.error ?? null,
    filter.error_code ?? null,
  ];
}

/** The narrowest walk for a filter. */
function walkFor(filter: MessageFilter): Walk {
  const { sender_id, contact_id, conversation_id, batch_id, states, error, error_code, open } = filter;
  if (open !== undefined) return open;
  if (conversation_id !== undefined) return 'conversation';
  if (batch_id !== undefined) return 'batch';
  // Few fail.
  if (error !== undefined && error_code !== undefined) return 'reason';
  if (error !== undefined || error_code !== undefined) return 'failed';
  if (contact_id !== undefined) return 'contact';
  // What failed is among the dead letters, and what is open has due work, wherever it lies among the others.
  const only = states?.length === 1 ? states[0] : null;
  if (only === 'failed') return 'failed';
  if (only === 'queued') return 'open';
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
