import type { Principal } from '../access/principal.ts';
import { AldisError } from '../domain/errors.ts';
import { type ConversationId, isUuid } from '../domain/ids.ts';
import { findMessagePlace, type MessagePlace } from '../store/customer-history.read.ts';
import { demand } from './guard.ts';
import type { HttpDeps } from './http-deps.ts';

/**
 * Where the message of a path was said, if whoever asks may do something to it at all: to a WhatsApp message, software that may send
 * messages, and whoever is in its conversation.
 * @throws {AldisError} `not_found`, `not_participant`, `forbidden`
 */
export async function placeOf(
  { db, chat }: Pick<HttpDeps, 'db' | 'chat'>,
  principal: Principal,
  id: string,
): Promise<MessagePlace & { id: string }> {
  const { tenant_id, user_id } = principal;
  const place = isUuid(id) ? await findMessagePlace(db, tenant_id, id) : null;
  if (place === null) throw new AldisError('not_found', 'There is no message of that id.', { field: 'id' });
  if (place.kind === 'chat') demand(principal, 'conversations:write');
  else if (user_id === null) demand(principal, 'messages:write');
  else await checkSees({ chat }, principal, place.conversation_id);
  return { ...place, id };
}

/**
 * Whether a user sees what goes and comes in a conversation with a customer: whoever is in it does, and software.
 * @throws {AldisError} `not_found`, `not_participant`
 */
export async function checkSees(
  { chat }: Pick<HttpDeps, 'chat'>,
  { tenant_id, user_id }: Pick<Principal, 'tenant_id' | 'user_id'>,
  conversation: ConversationId,
): Promise<void> {
  if (user_id === null) return;
  const verdict = await chat.mayWrite(tenant_id, conversation, user_id);
  if (verdict === 'not_participant' || verdict === 'not_found') throw new AldisError(verdict);
}
