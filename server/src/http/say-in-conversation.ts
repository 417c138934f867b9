import type { Principal } from '../access/principal.ts';
import type { Accepted, Idempotency } from '../actions/accepted.ts';
import { type AuthorType, CHAT_MESSAGE_TYPES, type ChatMessage, type ChatMessageType } from '../domain/chat.ts';
import { checkChatMessage } from '../domain/chat-rules.ts';
import { chatViewOf } from '../domain/chat-view.ts';
import type { MessageRequest } from '../domain/compose.ts';
import { invalid } from '../domain/content/fields.ts';
import { AldisError } from '../domain/errors.ts';
import { isUuid, type TenantId } from '../domain/ids.ts';
import { PRIORITIES } from '../domain/message.ts';
import type { ConversationRow, UsersConversationRow } from '../store/contacts.read.ts';
import { findMessagePlace, findSaidMessages } from '../store/customer-history.read.ts';
import { acceptComposed } from './accepting.ts';
import { demand } from './guard.ts';
import type { HttpDeps } from './http-deps.ts';
import { conflictError } from './idempotency.ts';
import { type Composed, composeOne } from './references.ts';
import { canonicalRequest, conversationOf, inConversation } from './single-request.ts';
import { type SaidRequest, whatsappWords } from './whatsapp-words.ts';

/** What became of it: a message between users or a note; or one that leaves by WhatsApp. */
export type SaidAnswer =
  | { kind: 'chat'; replayed: boolean; message: ChatMessage }
  | ({ kind: 'whatsapp' } & Pick<Extract<Accepted, { kind: 'accepted' }>, 'replayed' | 'message' | 'warnings'>);

export type SayingDeps = Pick<HttpDeps, 'db' | 'senders' | 'templates' | 'acceptMessage' | 'chat'>;

/**
 * Says something in a conversation. Between users, and as a note, it is a chat message; what is said to a customer is accepted as
 * a WhatsApp message, with its author.
 * @param name the conversation's own or external id.
 * @throws {AldisError} why not.
 */
export async function sayInConversation(
  deps: SayingDeps,
  principal: Principal,
  name: string,
  said: SaidRequest,
  idempotency: Idempotency | null,
): Promise<SaidAnswer> {
  const conversation = await conversationOf(deps, principal.tenant_id, name);
  if (conversation.type === 'customer' && said.note !== true) {
    return sayToCustomer(deps, principal, conversation, said, idempotency);
  }
  return sayToUsers(deps, principal, conversation, said, idempotency);
}

/** Says something, whichever door it came by. Durable before it is given. */
export type Say = (
  principal: Principal,
  said: SaidRequest & { conversation_id: string },
  idempotency: Idempotency | null,
) => Promise<{ message: ChatMessage; replayed: boolean }>;

/** The same for doors that show what was said as it stands in its conversation. */
export function createSay(deps: SayingDeps): Say {
  return async (principal, { conversation_id, ...said }, idempotency) => {
    const done = await sayInConversation(deps, principal, conversation_id, said, idempotency);
    if (done.kind === 'chat') return done;
    const [message] = await findSaidMessages(deps.db, principal.tenant_id, [done.message.id]);
    if (message === undefined) throw new Error('a message that was accepted is not there');
    return { message: chatViewOf(message, message.state), replayed: done.replayed };
  };
}

/** What a message between users may have. The rest is for WhatsApp. */
const CHAT_FIELDS: ReadonlySet<string> = new Set([
  'content',
  'message_type',
  'type',
  'mentions',
  'parent_message_id',
  'metadata',
  'sender_type',
  'note',
]);

async function sayToUsers(
  { chat }: SayingDeps,
  principal: Principal,
  { id, type: kind }: ConversationRow | UsersConversationRow,
  said: SaidRequest,
  idempotency: Idempotency | null,
): Promise<SaidAnswer> {
  demand(principal, 'conversations:write');
  const field = Object.keys(said).find((key) => !CHAT_FIELDS.has(key));
  if (field !== undefined) {
    throw new AldisError('invalid_field', `${field} is for messages to customers, and stays out of this one.`, {
      field,
    });
  }
  const user = userOf(principal);
  const { content, type, message_type = type ?? 'text', sender_type = authorOf(kind), ...rest } = said;
  if (type !== undefined && type !== message_type) {
    throw new AldisError('invalid_field', 'type says again what message_type says; give one of the two.', {
      field: 'type',
    });
  }
  const message = checkChatMessage({
    ...rest,
    content: textOf(content),
    message_type: chatType(message_type),
    sender_type,
  });
  const done = await chat.say(principal.tenant_id, id, user, message, idempotency);
  if (done.kind !== 'said') throw conflictError(done);
  return { kind: 'chat', replayed: done.replayed, message: done.message };
}

function chatType(word: string): ChatMessageType {
  const type = CHAT_MESSAGE_TYPES.find((known) => known === word);
  if (type !== undefined) return type;
  const told = `The message_type must be one of ${CHAT_MESSAGE_TYPES.join(', ')}.`;
  throw new AldisError('unsupported_type', told, { field: 'message_type' });
}

/** Who writes when nothing is said of it: among users a user, in a conversation with a customer one of the business. */
function authorOf(conversation: ConversationRow['type'] | UsersConversationRow['type']): AuthorType {
  return conversation === 'customer' ? 'agent' : 'user';
}

/** The text of a chat message; a content of more than a text is WhatsApp's. */
function textOf(content: SaidRequest['content']): string | null {
  if (content === undefined) return null;
  if (typeof content === 'string') return content;
  const { text, ...rest } = content;
  const field = Object.keys(rest)[0];
  if (field === undefined) return text ?? null;
  const path = `content.${field}`;
  const told = `${path} is for messages to customers; what a message between users has beside its text stands in metadata.`;
  throw new AldisError('invalid_field', told, { field: path });
}

async function sayToCustomer(
  deps: SayingDeps,
  principal: Principal,
  conversation: ConversationRow,
  said: SaidRequest,
  idempotency: Idempotency | null,
): Promise<SaidAnswer> {
  const { tenant_id, user_id } = principal;
  if (user_id === null) demand(principal, 'messages:write');
  const composed = await composeSaid(deps, principal, conversation, said);
  const { replayed, message, warnings } = await acceptComposed(deps, tenant_id, composed, idempotency);
  return { kind: 'whatsapp', replayed, message, ...(warnings && { warnings }) };
}

async function composeSaid(
  deps: SayingDeps,
  { tenant_id, user_id }: Principal,
  conversation: ConversationRow,
  said: SaidRequest,
): Promise<Composed> {
  const bar = await barOf(deps, tenant_id, conversation, user_id);
  // A refusal like others, so that a repeat of what was accepted before is answered as it was then.
  if (bar) return { kind: 'refused', error: new AldisError(bar, undefined, { field: 'conversation_id' }) };
  const asked = await inConversation(deps, tenant_id, canonicalRequest(whatsappWords(said)), conversation);
  const foreign = await foreignReference(deps, tenant_id, asked, conversation);
  if (foreign !== null) {
    const field = foreign === 'reply_to' && said.parent_message_id !== undefined ? 'parent_message_id' : foreign;
    return { kind: 'refused', error: invalid(field, 'must be a message by WhatsApp of this conversation') };
  }
  const composed = await composeOne(deps, tenant_id, asked, PRIORITIES.normal);
  if (composed.kind === 'refused') return composed;
  const { message } = composed;
  const sender_type = message.sender_type ?? (user_id === null ? null : 'agent');
  return { kind: 'message', message: { ...message, sender_type, author_id: user_id, said: true } };
}

/**
 * The field by which a request answers or reacts to a note, or to a message of another conversation: this customer is not to be shown
 * that, nor who asks to learn WhatsApp's id of it. null: there is none.
 */
async function foreignReference(
  { db }: SayingDeps,
  tenant: TenantId,
  { reply_to, content }: MessageRequest,
  { id }: ConversationRow,
): Promise<string | null> {
  const named = { reply_to, 'content.reaction.message_id': content?.reaction?.message_id };
  for (const [field, message] of Object.entries(named)) {
    if (message === undefined || !isUuid(message)) continue;
    const place = await findMessagePlace(db, tenant, message);
    if (place !== null && (place.kind === 'chat' || place.conversation_id !== id)) return field;
  }
  return null;
}

/** Why nothing may be said to a customer; null: it may. What is known of the conversation already is not asked again. */
async function barOf({ chat }: SayingDeps, tenant: TenantId, conversation: ConversationRow, user: string | null) {
  if (user === null) return conversation.closed_at === null ? null : 'conversation_closed';
  const verdict = await chat.mayWrite(tenant, conversation.id, user);
  return verdict === 'ok' ? null : verdict;
}

/**
 * The user that a request speaks for, where it has to speak for one.
 * @throws {AldisError} `missing_field`
 */
export function userOf({ user_id }: Principal): string {
  if (user_id !== null) return user_id;
  throw new AldisError('missing_field', 'Say by X-User-ID which user does this; or ask with the token of a user.', {
    field: 'X-User-ID',
  });
}
