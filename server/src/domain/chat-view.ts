import type { AuthorType, ChatMessage, ChatReaction } from './chat.ts';
import type { Message, State } from './message.ts';

/** What the chat's view of a WhatsApp message is made of: a row of `messages`, or an event of one. */
export interface ViewedMessage
  extends Pick<
    Message,
    | 'id'
    | 'conversation_id'
    | 'direction'
    | 'type'
    | 'content'
    | 'template'
    | 'metadata'
    | 'reactions'
    | 'sender_type'
    | 'author_id'
    | 'edited_at'
    | 'deleted_at'
    | 'created_at'
  > {
  /** Our id of the message that it answers; null: it answers none, or one that is not known here. */
  parent_id: string | null;
}

/** What chat-service calls the types that it has under other names. All others keep WhatsApp's. */
const CHAT_TYPES: Readonly<Record<string, string>> = { document: 'file', contacts: 'contact' };

/**
 * A WhatsApp message as those see it who are in its conversation. Its text is its `content`; what else it says (a file, a place, a
 * template, what can be tapped) stands in `metadata` by the names of the message API, beneath what its author put there. Of what
 * the customer deleted nothing is shown, as of a message between users; the message API keeps it.
 * @param state as the view is of: now, or when the event was.
 */
export function chatViewOf(message: ViewedMessage, state: State): ChatMessage {
  const { content, deleted_at } = message;
  const deleted = deleted_at !== null;
  const text = content === null ? null : content['text' as keyof typeof content];
  return {
    id: message.id,
    conversation_id: message.conversation_id,
    seq: null,
    user_id: message.author_id,
    sender_type: message.direction === 'inbound' ? 'customer' : authorTypeOf(message),
    content: typeof text === 'string' && !deleted ? text : null,
    message_type: CHAT_TYPES[message.type] ?? message.type,
    mentions: [],
    parent_message_id: message.parent_id,
    metadata: deleted ? null : metadataOf(message),
    note: false,
    reactions: reactionsOf(message),
    created_at: message.created_at.toISOString(),
    edited_at: message.edited_at?.toISOString() ?? null,
    deleted_at: deleted_at?.toISOString() ?? null,
    state,
  };
}

/** Who wrote what left: as the request said; else an agent where a user wrote it, and a language model where software did. */
function authorTypeOf({ sender_type, author_id }: ViewedMessage): AuthorType {
  return sender_type ?? (author_id === null ? 'llm' : 'agent');
}

function metadataOf({ content, template, metadata }: ViewedMessage): ChatMessage['metadata'] {
  const { text: _, ...rest } = (content ?? {}) as Record<string, unknown>;
  const all = { ...rest, ...(template && { template }), ...metadata };
  return Object.keys(all).length === 0 ? null : all;
}

/** The customers' reactions: each is called by his phone number or business-scoped user id. */
function reactionsOf({ reactions }: ViewedMessage): ChatReaction[] {
  return (reactions ?? []).flatMap(({ from, emoji, at }) => (emoji ? [{ user_id: from, emoji, at }] : []));
}
