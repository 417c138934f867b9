import type { Queryable } from '../db/pool.ts';
import type { ConversationRecord } from '../domain/chat.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';

const insert = {
  name: 'chat_conversations_insert',
  text: `
insert into conversations (tenant_id, id, type, title, metadata, sender_id, contact_id, external_id, created_by, created_at,
  retention_days, direct_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
};

/**
 * Makes a conversation.
 * @param directKey of a direct one, who the two are; null of others.
 * @throws a unique violation when there is one of these two, of this sender and contact, or of this external id.
 */
export async function insertConversation(
  tx: Queryable,
  tenant: TenantId,
  one: ConversationRecord,
  directKey: string | null,
): Promise<void> {
  await tx.query(insert, [
    tenant,
    one.id,
    one.type,
    one.title,
    one.metadata,
    one.sender_id,
    one.contact_id,
    one.external_id,
    one.created_by,
    one.created_at,
    one.retention_days,
    directKey,
  ]);
}

/**
 * Of messages `d` that go: an author's own behind what he has read are not to be left out of what is unread any more, for they are out
 * of it. Who reads at the same moment writes the same row, so that one of the two begins anew. Conversations (`v`) are written before, as
 * by whoever speaks, so that nobody waits for each other.
 */
const OWN_GONE = `
  update participants p set own_ahead = p.own_ahead - g.n
  from (
    select d.tenant_id, d.conversation_id, d.user_id, count(*) as n
    from d cross join (select count(*) from v) as held
    join participants q on q.tenant_id = d.tenant_id and q.conversation_id = d.conversation_id and q.user_id = d.user_id
      and q.left_at is null and d.seq > q.read_seq
    group by 1, 2, 3
  ) g
  where p.tenant_id = g.tenant_id and p.conversation_id = g.conversation_id and p.user_id = g.user_id`;

// Written even where nothing changes: whoever joins, leaves or closes has a place among the messages, whose numbers are given by this row.
const update = {
  name: 'chat_conversations_update',
  text: `
update conversations set title = $3, metadata = $4, external_id = $5, closed_at = $6, retention_days = $7
where tenant_id = $1 and id = $2`,
};

/** Writes what may change of a conversation, and holds its place in the order of what is said there until the transaction ends. */
export async function updateConversation(tx: Queryable, tenant: TenantId, to: ConversationRecord): Promise<void> {
  const { id, title, metadata, external_id, closed_at, retention_days } = to;
  await tx.query(update, [tenant, id, title, metadata, external_id, closed_at, retention_days]);
}

const pruneConversation = {
  name: 'chat_conversations_prune',
  text: `
with d as materialized (
  select c.tenant_id, c.id, c.conversation_id, c.seq, c.user_id from conversations v
  cross join lateral (
    select * from chat_messages c where c.tenant_id = v.tenant_id and c.conversation_id = v.id and c.seq > v.pruned_seq
    order by c.seq limit $3
  ) c
  where v.tenant_id = $1 and v.id = $2 and c.created_at < now() - v.retention_days * interval '1 day'
), h as (
  delete from chat_edits h using d where h.tenant_id = d.tenant_id and h.message_id = d.id
), m as (
  delete from chat_messages m using d where m.tenant_id = d.tenant_id and m.id = d.id
), v as (
  update conversations v set pruned_seq = g.seq
  from (select tenant_id, conversation_id, max(seq) as seq from d group by 1, 2) g
  where v.tenant_id = g.tenant_id and v.id = g.conversation_id
  returning v.id
), p as (${OWN_GONE}
)
select count(*)::int as n from d`,
};

/** Forgets messages of a conversation that are older than its own days, the oldest first, at most `limit`; and tells how many it were. */
export async function pruneConversationMessages(
  tx: Queryable,
  tenant: TenantId,
  id: ConversationId,
  limit: number,
): Promise<number> {
  const [row] = await tx.query<{ n: number }>(pruneConversation, [tenant, id, limit]);
  return row?.n ?? 0;
}

const pruneTenant = {
  name: 'chat_conversations_prune_tenant',
  text: `
with l as materialized (
  select c.tenant_id, c.id, c.conversation_id, c.seq, c.user_id from chat_messages c
  where c.tenant_id = $1 and c.id > $2 and c.id < $3 order by c.id limit $4
), d as materialized (
  select l.* from l join conversations v on v.tenant_id = l.tenant_id and v.id = l.conversation_id where v.retention_days is null
), h as (
  delete from chat_edits h using d where h.tenant_id = d.tenant_id and h.message_id = d.id
), m as (
  delete from chat_messages m using d where m.tenant_id = d.tenant_id and m.id = d.id
), v as (
  update conversations v set pruned_seq = greatest(v.pruned_seq, g.seq)
  from (select tenant_id, conversation_id, max(seq) as seq from d group by 1, 2 order by 1, 2) g
  where v.tenant_id = g.tenant_id and v.id = g.conversation_id
  returning v.id
), p as (${OWN_GONE}
)
select (select count(*)::int from d) as n, (select id from l order by id desc limit 1) as last`,
};

/**
 * Forgets messages of a tenant with ids after `after` and below `before`, in conversations without days of their own; looks at no more
 * than `limit`. `last`: the last one looked at; null: there was none.
 */
export async function pruneTenantMessages(
  tx: Queryable,
  tenant: TenantId,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<{ n: number; last: string | null }> {
  const [row] = await tx.query<{ n: number; last: string | null }>(pruneTenant, [tenant, after, before, limit]);
  return row ?? { n: 0, last: null };
}
