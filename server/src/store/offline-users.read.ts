import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { EventType } from '../domain/event-catalogue.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { ConversationId, EventId, TenantId } from '../domain/ids.ts';

/** Events that a user who is away should be told of. */
export const NEWS: readonly EventType[] = ['chat.created', 'message.received'];

const places = {
  name: 'offline_users_places',
  text: `
select p.xid::text as xid, p.id, e.type = any ($5::text[]) as news
from (
  select xid, id from events
  where tenant_id = $1 and (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon())
  order by xid, id limit $4
) p join events e on e.tenant_id = $1 and e.xid = p.xid and e.id = p.id
order by p.xid, p.id`,
};

/** The places of the next events of a tenant's log, and whether each is news. */
export function listPlaces(
  tx: Queryable,
  tenant: TenantId,
  after: EventPosition,
  limit: number,
): Promise<{ xid: string; id: EventId; news: boolean }[]> {
  return tx.query<{ xid: string; id: EventId; news: boolean }>(places, [tenant, after.xid, after.id, limit, NEWS]);
}

const participants = {
  name: 'offline_users_participants',
  text: `
select p.conversation_id, p.user_id, p.joined_xid::text as joined_xid, p.delivered_seq,
  greatest(c.last_seq - greatest(p.read_seq, c.pruned_seq) - p.own_ahead, 0) + c.unread_count as unread
from unnest($2::uuid[]) as i(id)
join conversations c on c.tenant_id = $1 and c.id = i.id
join participants p on p.tenant_id = $1 and p.conversation_id = c.id and p.left_at is null`,
};

/** Someone in a conversation, and how far he is. */
export interface Reached {
  conversation_id: ConversationId;
  user_id: UserId;
  /** He sees events from this transaction on. */
  joined_xid: string;
  /** What came to a device of his, by its number in the conversation. */
  delivered_seq: number;
  /** What he has not read; with a customer, also what nobody has read of the customer. */
  unread: number;
}

/** Who is in conversations now. */
export function listReached(
  tx: Queryable,
  tenant: TenantId,
  conversations: readonly ConversationId[],
): Promise<Reached[]> {
  return tx.query<Reached>(participants, [tenant, conversations]);
}

const deleted = {
  name: 'offline_users_deleted',
  text: `
select m.id from unnest($2::uuid[]) as i(id) join chat_messages m on m.tenant_id = $1 and m.id = i.id
where m.deleted_at is not null`,
};

/** Of some messages between users those that their authors have deleted by now. */
export async function findDeletedMessages(
  tx: Queryable,
  tenant: TenantId,
  messages: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(deleted, [tenant, messages]);
  return new Set(rows.map((row) => row.id));
}
