import type { Static } from 'typebox';
import type { ListedConversation } from '../actions/chat.ts';
import type { Queryable } from '../db/pool.ts';
import type { ChatMessage } from '../domain/chat.ts';
import { chatViewOf } from '../domain/chat-view.ts';
import type { TenantId } from '../domain/ids.ts';
import { findSaidMessages } from '../store/customer-history.read.ts';
import type { ListedConversationObject } from './chat-view.ts';

/** Conversations as they are answered: what was said last may have gone by WhatsApp. Those messages are read together. */
export async function listedConversations(
  db: Queryable,
  tenant: TenantId,
  listed: readonly ListedConversation[],
): Promise<Static<typeof ListedConversationObject>[]> {
  const ids = listed.flatMap(({ last_whatsapp_id, last_message }) =>
    last_whatsapp_id !== null && last_whatsapp_id > (last_message?.id ?? '') ? [last_whatsapp_id] : [],
  );
  const said = new Map<string, ChatMessage>();
  if (ids.length > 0) {
    for (const message of await findSaidMessages(db, tenant, ids))
      said.set(message.id, chatViewOf(message, message.state));
  }
  return listed.map(({ conversation, last_whatsapp_id, last_message, ...seen }) => ({
    ...conversation,
    ...seen,
    last_message: said.get(last_whatsapp_id ?? '') ?? last_message,
  }));
}
