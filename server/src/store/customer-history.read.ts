import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ConversationId, MessageId, TenantId } from '../domain/ids.ts';
import type { Direction, Message } from '../domain/message.ts';
import { COLUMNS, JOINS } from './messages.read.ts';
import { ofKey } from './one-key.ts';

/** A WhatsApp message, and our id of the message that it answers. */
export type SaidMessage = Message & { parent_id: MessageId | null };

/** Joined behind the page, of which few answer another message. */
const PARENT = `
  case when m.reply_to is not null then (select w.message_id from wamids w where w.tenant_id = $1 and w.wamid = m.reply_to) end as parent_id`;

const said = ofKey({ 'h.conversation_id': '$2::uuid' }, 'h.id');

const page = (way: 'before' | 'after') => ({
  name: `customer_history_${way}`,
  text: `
select ${COLUMNS}, ${PARENT}
from (
  select * from messages h where h.tenant_id = $1 and ${way === 'before' ? said.below('$3') : said.above('$3')}
  order by ${way === 'before' ? said.newestFirst : said.oldestFirst} limit $4
) m ${JOINS}
where m.conversation_id is not distinct from $2
order by m.id ${way === 'before' ? 'desc' : 'asc'}`,
});
const pages = { before: page('before'), after: page('after') };

/**
 * The WhatsApp messages of a conversation on one side of an id, those nearest to it first, at most `limit`.
 * @param way `before`: older ones, the newest first; `after`: newer ones, the oldest first.
 */
export function listSaidMessages(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  way: 'before' | 'after',
  id: string,
  limit: number,
): Promise<SaidMessage[]> {
  return tx.query<SaidMessage>(pages[way], [tenant, conversation, id, limit]);
}

const find = {
  name: 'customer_history_find',
  text: `select ${COLUMNS}, ${PARENT} from messages m ${JOINS} where m.tenant_id = $1 and m.id = any ($2::uuid[])`,
};

/** WhatsApp messages with our ids of the messages they answer, in no order; those that are not there are absent. */
export function findSaidMessages(tx: Queryable, tenant: TenantId, ids: readonly string[]): Promise<SaidMessage[]> {
  return tx.query<SaidMessage>(find, [tenant, ids]);
}

const findPlace = {
  name: 'customer_history_find_place',
  text: `
select 'whatsapp' as kind, conversation_id, direction, author_id from messages where tenant_id = $1 and id = $2
union all
select 'chat', conversation_id, null, user_id from chat_messages where tenant_id = $1 and id = $2`,
};

/** Where a message was said: between users or as a note (`chat`), or by WhatsApp. */
export interface MessagePlace {
  kind: 'whatsapp' | 'chat';
  conversation_id: ConversationId;
  /** Of WhatsApp messages. */
  direction: Direction | null;
  author_id: UserId | null;
}

/** Where the message of this id was said, of whichever kind it is; null: there is none. */
export async function findMessagePlace(tx: Queryable, tenant: TenantId, id: string): Promise<MessagePlace | null> {
  const [row] = await tx.query<MessagePlace>(findPlace, [tenant, id]);
  return row ?? null;
}

const findNewestInbound = {
  name: 'customer_history_newest_inbound',
  text: `
select i.id from (
  select h.id, h.direction from messages h where h.tenant_id = $1 and ${said.all} order by ${said.newestFirst} limit 50
) i where i.direction = 'inbound' order by i.id desc limit 1`,
};

/** The customer's last message, if it is among the last 50 of the conversation. */
export async function findLastInbound(
  tx: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
): Promise<MessageId | null> {
  const [row] = await tx.query<{ id: MessageId }>(findNewestInbound, [tenant, conversation]);
  return row?.id ?? null;
}
