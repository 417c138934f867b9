import { byteas, jsons, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ChatReaction, ConversationType, Mention, UserId } from '../domain/chat.ts';
import type { NewChatMessage } from '../domain/chat-rules.ts';
import type { ChatMessageId, ConversationId, EventId, TenantId } from '../domain/ids.ts';

/** What is to be said: checked by domain/chat-rules.ts, not yet against the conversation. */
export interface ChatRow {
  tenant: TenantId;
  conversation: ConversationId;
  author: UserId;
  id: ChatMessageId;
  event: EventId;
  message: NewChatMessage;
  /** A key under which it was asked for, and what was asked. */
  key: string | null;
  hash: Buffer | null;
}

/** What came of it: facts for whoever tells why it was not said. Of what was said `seq` and `at` are its own. */
export interface ChatWritten {
  said: boolean;
  /** Its number, if it was said. */
  seq: number;
  at: Date;
  /** null: there is no such conversation. */
  type: ConversationType | null;
  closed_at: Date | null;
  /** null: the author is not in it. */
  can_send_messages: boolean | null;
  parent_known: boolean;
  /** What the key was used for before; both null: it was not. */
  request_hash: Buffer | null;
  used_for: ChatMessageId | null;
}

// A conversation's row is changed by whatever has a place in its order, so that of two who write at once the later one begins anew
// with a later transaction: numbers and transactions rise together. Own marks move with what one says while nothing of others is unread;
// else they stay, for the others are still to be told when he reads what they said, and his own messages are only not counted as unread.
// `held`: conversations are written before all else, as by whoever changes them otherwise, so that nobody waits for each other.
const say = {
  name: 'chat_messages_say',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::jsonb[], $8::text[], $9::bytea[])
    with ordinality as i(tenant_id, conversation_id, user_id, id, event_id, parent_id, told, key, hash, place)
), f as materialized (
  select i.*, v.type, v.closed_at, v.last_seq, p.can_send_messages, p.read_seq, k.request_hash, k.message_id as used_for, x.parent_known,
    date_trunc('milliseconds', now()) as at,
    coalesce(v.closed_at is null and p.can_send_messages and k.key is null and x.parent_known
      and (v.type = 'customer') = (i.told -> 'note')::boolean, false) as said
  from i
  left join conversations v on v.tenant_id = i.tenant_id and v.id = i.conversation_id
  left join participants p
    on p.tenant_id = i.tenant_id and p.conversation_id = i.conversation_id and p.user_id = i.user_id and p.left_at is null
  left join idempotency_keys k on k.tenant_id = i.tenant_id and k.key = i.key
  cross join lateral (
    select i.parent_id is null or exists (
      select from chat_messages c
      where c.tenant_id = i.tenant_id and c.id = i.parent_id and c.conversation_id = i.conversation_id) as parent_known
  ) x
), n as materialized (
  select f.*, f.last_seq + count(*) filter (where said) over (partition by tenant_id, conversation_id order by place) as seq,
    count(*) filter (where said) over (partition by tenant_id, conversation_id, user_id order by place) as own
  from f
), s as materialized (
  select n.*, read_seq < last_seq or seq - own > last_seq as behind from n
), v as (
  update conversations v set last_seq = g.seq, last_message_at = greatest(v.last_message_at, g.at)
  from (select tenant_id, conversation_id, max(seq) as seq, max(at) as at from s where said group by 1, 2 order by 1, 2) g
  where v.tenant_id = g.tenant_id and v.id = g.conversation_id
  returning v.id
), w as materialized (
  select s.* from s cross join (select count(*) from v) as held
), m as (
  insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, content, mentions, parent_id,
    metadata, note, created_at)
  select tenant_id, id, conversation_id, seq, user_id, told ->> 'sender_type', told ->> 'message_type', told ->> 'content',
    told -> 'mentions', parent_id, nullif(told -> 'metadata', 'null'), (told -> 'note')::boolean, at
  from w where said
), p as (
  update participants p set own_ahead = p.own_ahead + g.ahead, delivered_seq = coalesce(g.seq, p.delivered_seq),
    delivered_at = coalesce(g.at, p.delivered_at), read_seq = coalesce(g.seq, p.read_seq), read_at = coalesce(g.at, p.read_at)
  from (
    select tenant_id, conversation_id, user_id, max(seq) filter (where not behind) as seq, max(at) filter (where not behind) as at,
      count(*) filter (where behind) as ahead
    from w where said group by 1, 2, 3 order by 1, 2, user_id collate "C"
  ) g
  where p.tenant_id = g.tenant_id and p.conversation_id = g.conversation_id and p.user_id = g.user_id
), r as (
  update chat_messages c set replies = c.replies + g.n
  from (select tenant_id, parent_id, count(*) as n from w where said and parent_id is not null group by 1, 2 order by 1, 2) g
  where c.tenant_id = g.tenant_id and c.id = g.parent_id
), e as (
  insert into events (tenant_id, id, type, conversation_id, data)
  select tenant_id, event_id, 'chat.created', conversation_id, jsonb_build_object('message', told || jsonb_build_object(
    'seq', seq, 'created_at', to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  from w where said
), k as (
  insert into idempotency_keys (tenant_id, key, request_hash, message_id)
  select tenant_id, key, hash, id from w where said and key is not null
)
select said, seq, at, type, closed_at, can_send_messages, parent_known, request_hash, used_for from w order by place`,
};

/**
 * Writes what may be said, in the order given, with its numbers, the conversations' last ones, the authors' own marks, reply counts,
 * events and keys, in one statement; and tells of each what came of it.
 * @throws a serialisation failure when somebody else wrote in one of the conversations meanwhile, a unique violation when a key was used
 *   meanwhile: nothing is written then.
 */
export function insertChatMessages(tx: Queryable, rows: readonly ChatRow[]): Promise<ChatWritten[]> {
  return tx.query<ChatWritten>(say, [
    uuids(rows, (r) => r.tenant),
    uuids(rows, (r) => r.conversation),
    texts(rows, (r) => r.author),
    uuids(rows, (r) => r.id),
    uuids(rows, (r) => r.event),
    uuids(rows, (r) => r.message.parent_message_id),
    jsons(rows, told),
    texts(rows, (r) => r.key),
    byteas(rows, (r) => r.hash),
  ]);
}

/** A `ChatMessage` but for its number and time. */
function told({ id, conversation, author, message }: ChatRow): string {
  return JSON.stringify({
    id,
    conversation_id: conversation,
    user_id: author,
    sender_type: message.sender_type,
    content: message.content,
    message_type: message.message_type,
    mentions: message.mentions,
    parent_message_id: message.parent_message_id,
    metadata: message.metadata,
    note: message.note,
    reactions: [],
    edited_at: null,
    deleted_at: null,
  });
}

const edit = {
  name: 'chat_messages_edit',
  text: `
with h as (
  insert into chat_edits (tenant_id, message_id, edit, content, mentions, at)
  select tenant_id, id, edits + 1, content, mentions, $5 from chat_messages where tenant_id = $1 and id = $2
)
update chat_messages set content = $3, mentions = $4, edits = edits + 1, edited_at = $5 where tenant_id = $1 and id = $2`,
};

/** Changes what a message says, and keeps what it said. */
export async function editChatMessage(
  tx: Queryable,
  tenant: TenantId,
  id: ChatMessageId,
  to: { content: string; mentions: readonly Mention[]; at: Date },
): Promise<void> {
  await tx.query(edit, [tenant, id, to.content, JSON.stringify(to.mentions), to.at]);
}

const remove = {
  name: 'chat_messages_remove',
  text: `
with h as (delete from chat_edits where tenant_id = $1 and message_id = $2)
update chat_messages set content = null, mentions = '[]', metadata = null, reactions = '[]', deleted_at = $3
where tenant_id = $1 and id = $2`,
};

/** Empties a message, and forgets what it said before. */
export async function emptyChatMessage(tx: Queryable, tenant: TenantId, id: ChatMessageId, at: Date): Promise<void> {
  await tx.query(remove, [tenant, id, at]);
}

const react = {
  name: 'chat_messages_react',
  text: 'update chat_messages set reactions = $3 where tenant_id = $1 and id = $2',
};

export async function writeChatReactions(
  tx: Queryable,
  tenant: TenantId,
  id: ChatMessageId,
  reactions: readonly ChatReaction[],
): Promise<void> {
  await tx.query(react, [tenant, id, JSON.stringify(reactions)]);
}
