import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import {
  type ContactId,
  type ConversationId,
  type MessageId,
  newId,
  type SenderId,
  type TenantId,
} from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  findKnownCustomers,
  insertReceivedMessages,
  type KnownCustomer,
  type ReceivedRow,
  type ReceivedWrite,
} from '../store/inbound.write.ts';

/** A customer's message as it is stored. `content` for types we read; the raw item for all others. */
export interface ReceivedMessage {
  tenant: TenantId;
  sender: SenderId;
  wamid: string;
  type: string;
  at: number;
  phone: string | null;
  userId: string | null;
  name: string | null;
  content: Record<string, unknown> | null;
  replyTo: string | null;
}

/**
 * Takes customers' messages in: finds or makes contact and conversation, counts them unread, opens the window. A message
 * that came before (by its provider's id) changes nothing.
 * @returns how many were new.
 */
export function receiveMessages(
  db: Db,
  signals: Signals,
  messages: readonly ReceivedMessage[],
  slot: number,
): Promise<number> {
  return retryingOnConflict(async () => {
    const known = await findKnownCustomers(db, messages);
    const write = plan(messages, known);
    await failpoint('receive.before_commit');
    const fresh = await insertReceivedMessages(db, write, slot);
    await failpoint('receive.after_commit');
    for (const tenant of new Set(messages.map((m) => m.tenant))) signals.notify(`events:${tenant}`);
    return fresh.length;
  });
}

function plan(messages: readonly ReceivedMessage[], known: readonly KnownCustomer[]): ReceivedWrite {
  const rows: ReceivedRow[] = [];
  const contacts: { tenant: TenantId; contact: ContactId; name: string | null }[] = [];
  const identities: { tenant: TenantId; kind: 'phone' | 'bsuid'; value: string; contact: ContactId }[] = [];
  const madeIdentities = new Map<string, ContactId>();
  const madeConversations = new Map<string, ConversationId>();
  const seen = new Set<string>();
  messages.forEach((message, i) => {
    const before = known[i] as KnownCustomer;
    const { tenant, sender, phone, userId } = message;
    const twin = `${tenant} ${message.wamid}`;
    if (seen.has(twin)) return;
    seen.add(twin);
    const names = [
      ...(userId === null ? [] : [{ kind: 'bsuid' as const, value: userId, known: before.user_known }]),
      ...(phone === null ? [] : [{ kind: 'phone' as const, value: phone, known: before.phone_known }]),
    ];
    const madeHere = names.map(({ kind, value }) => madeIdentities.get(`${tenant} ${kind} ${value}`)).find(Boolean);
    let contact = before.contact_id ?? madeHere;
    if (!contact) {
      contact = newId<ContactId>();
      contacts.push({ tenant, contact, name: message.name });
    }
    for (const name of names) {
      const key = `${tenant} ${name.kind} ${name.value}`;
      if (name.known || madeIdentities.has(key)) continue;
      madeIdentities.set(key, contact);
      identities.push({ tenant, kind: name.kind, value: name.value, contact });
    }
    const conversationKey = `${contact} ${sender}`;
    const conversation = before.conversation_id ?? madeConversations.get(conversationKey) ?? newId<ConversationId>();
    madeConversations.set(conversationKey, conversation);
    rows.push({
      tenant,
      id: newId<MessageId>(),
      event: newId(),
      sender,
      contact,
      conversation,
      wamid: message.wamid,
      type: message.type,
      address: phone ?? userId ?? '',
      content: message.content,
      replyTo: message.replyTo,
      at: message.at,
    });
  });
  return { rows, contacts, identities };
}
