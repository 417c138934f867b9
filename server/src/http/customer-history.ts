import type { MessagePage, PageAsked } from '../actions/chat.ts';
import type { Queryable } from '../db/pool.ts';
import { chatViewOf } from '../domain/chat-view.ts';
import { AldisError } from '../domain/errors.ts';
import { type ConversationId, isUuid, type TenantId } from '../domain/ids.ts';
import { listNotes } from '../store/chat-messages.read.ts';
import { findMessagePlace, listSaidMessages } from '../store/customer-history.read.ts';

/** Above every id that is made here. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * A page of a conversation with a customer: what went and came by WhatsApp and the notes of those who are in it, by id. With `before_id` or
 * nothing the newest first, with `after_id` the oldest first.
 * @throws {AldisError} `invalid_cursor` for an id that is of no message of this conversation.
 */
export async function customerHistory(
  db: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  { before_id, after_id, limit }: PageAsked,
): Promise<MessagePage> {
  const way = after_id === undefined ? 'before' : 'after';
  const given = after_id ?? before_id;
  if (given !== undefined) await checkPlace(db, tenant, conversation, given, `${way}_id`);
  const from = given ?? LAST_ID;
  // One more than asked for, of each: that tells whether there is another page.
  const [said, notes] = await Promise.all([
    listSaidMessages(db, tenant, conversation, way, from, limit + 1),
    listNotes(db, tenant, conversation, way === 'before' ? { before: from } : { after: from }, limit + 1),
  ]);
  const all = [...said.map((message) => chatViewOf(message, message.state)), ...notes];
  all.sort((a, b) => (a.id < b.id === (way === 'after') ? -1 : 1));
  return { messages: all.slice(0, limit), more: all.length > limit };
}

async function checkPlace(
  db: Queryable,
  tenant: TenantId,
  conversation: ConversationId,
  id: string,
  field: string,
): Promise<void> {
  const place = isUuid(id) ? await findMessagePlace(db, tenant, id) : null;
  if (place?.conversation_id !== conversation) throw new AldisError('invalid_cursor', undefined, { field });
}
