import type { MessageRequest } from '../domain/compose.ts';
import { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Content, OutboundType } from '../domain/message.ts';
import {
  type ConversationRow,
  findAddress,
  findConversation,
  type UsersConversationRow,
} from '../store/contacts.read.ts';
import type { HttpDeps } from './http-deps.ts';

/** A message as the documented services may spell it: sender-service and chat-service have names of their own. */
export interface SpelledRequest extends Omit<MessageRequest, 'content'> {
  /** A string is its text. */
  content?: string | Content;
  /** The text, as sender-service calls it. */
  message?: string;
  /** `type` by another name. */
  message_type?: OutboundType;
  /** The sender, as sender-service calls it. */
  outlet_id?: string;
}

/**
 * A request by the canonical names.
 * @throws {AldisError} `two_senders`, or `invalid_field` for one thing that is said twice.
 */
export function canonicalRequest(request: SpelledRequest): MessageRequest {
  const { content, message, message_type, outlet_id, ...rest } = request;
  const canonical: MessageRequest = rest;
  if (typeof content === 'string') canonical.content = { text: content };
  else if (content !== undefined) canonical.content = content;
  if (message !== undefined) {
    if (canonical.content?.text !== undefined) throw saidTwice('message', 'content');
    canonical.content = { ...canonical.content, text: message };
  }
  if (message_type !== undefined) {
    if (canonical.type !== undefined && canonical.type !== message_type) throw saidTwice('message_type', 'type');
    canonical.type = message_type;
  }
  if (outlet_id !== undefined) {
    if (canonical.sender_id !== undefined) throw new AldisError('two_senders', undefined, { field: 'outlet_id' });
    canonical.sender_id = outlet_id;
  }
  return canonical;
}

/**
 * The conversation of a request.
 * @throws {AldisError} `not_found`
 */
export async function conversationOf(
  { db }: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  name: string,
): Promise<ConversationRow | UsersConversationRow> {
  const conversation = await findConversation(db, tenant, name);
  if (conversation === null) {
    throw new AldisError('not_found', 'There is no such conversation.', { field: 'conversation_id' });
  }
  return conversation;
}

/**
 * The same for what is of a customer only.
 * @throws {AldisError} `not_found`, `invalid_field`
 */
export async function customerConversationOf(
  deps: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  name: string,
): Promise<ConversationRow> {
  const conversation = await conversationOf(deps, tenant, name);
  if (conversation.type === 'customer') return conversation;
  throw new AldisError('invalid_field', 'The conversation is one between users, and this is for WhatsApp.', {
    field: 'conversation_id',
  });
}

/**
 * A request that is addressed by a conversation with a customer: its address and its sender are those of the conversation.
 * @throws {AldisError} `two_addressees`, `two_senders`, `invalid_field`
 */
export async function inConversation(
  deps: Pick<HttpDeps, 'db' | 'senders'>,
  tenant: TenantId,
  request: MessageRequest,
  conversation: ConversationRow,
): Promise<MessageRequest> {
  const { sender_id: asked } = request;
  if (request.to !== undefined || request.recipient_phone !== undefined) {
    throw new AldisError('two_addressees', undefined, { field: 'conversation_id' });
  }
  const { sender_id, contact_id } = conversation;
  const address = conversation.address ?? (await findAddress(deps.db, tenant, contact_id));
  if (address === null) {
    const text = 'The conversation has no message yet that would tell an address, and the contact has none.';
    throw new AldisError('invalid_field', text, { field: 'conversation_id' });
  }
  if (asked !== undefined && (await deps.senders.resolve(tenant, [asked])).get(asked)?.id !== sender_id) {
    throw new AldisError('two_senders', 'The conversation is of another sender than sender_id names.', {
      field: 'sender_id',
    });
  }
  return { ...request, to: address, sender_id };
}

function saidTwice(field: string, other: string): AldisError {
  return new AldisError('invalid_field', `${field} says again what ${other} says; give one of the two.`, { field });
}
