import Type from 'typebox';
import {
  AUTHOR_TYPES,
  type ChatMessage,
  CONVERSATION_TYPES,
  PARTICIPANT_ROLES,
  type ParticipantRole,
} from '../domain/chat.ts';
import { NullableJson, NullableString, reference, words } from './schemas.ts';

/*
 * What is said in conversations, as it is answered. The objects are those of domain/chat.ts, with times that are ISO 8601 already:
 * the same on sockets and in events.
 */

const At = Type.String({ format: 'date-time' });
const NullableAt = Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' });

const MentionObject = Type.Object({
  user_id: Type.String(),
  offset: Type.Integer({ description: 'Where it begins in the text, in UTF-16 code units, as JavaScript counts.' }),
  length: Type.Integer(),
});

const ReactionObject = Type.Object({
  user_id: Type.String({
    description: "The user; of a customer's reaction his phone number or business-scoped user id.",
  }),
  emoji: Type.String(),
  at: At,
});

export const ChatMessageObject = Type.Object(
  {
    id: Type.String(),
    conversation_id: Type.String(),
    seq: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'Its place in its conversation, without gaps. Null of a WhatsApp message.',
    }),
    user_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Who wrote it. Null where a customer did, or software without a user.',
    }),
    sender_type: words([...AUTHOR_TYPES, 'customer']),
    content: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'The text. Null without one, and when it was deleted.',
    }),
    message_type: Type.String(),
    mentions: Type.Array(MentionObject),
    parent_message_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'The message that it answers.',
    }),
    metadata: NullableJson,
    note: Type.Boolean({ description: 'An internal note: it never reaches the customer.' }),
    reactions: Type.Array(ReactionObject),
    created_at: At,
    edited_at: NullableAt,
    deleted_at: NullableAt,
    state: Type.Optional(Type.String({ description: 'Of a WhatsApp message: its state.' })),
  },
  { $id: 'ChatMessage', description: 'What somebody said, the same here, on sockets and in events.' },
);

export const ParticipantObject = Type.Object(
  {
    user_id: Type.String(),
    role: words(PARTICIPANT_ROLES),
    can_send_messages: Type.Boolean(),
    joined_at: At,
  },
  { $id: 'Participant' },
);

const CONVERSATION = {
  id: Type.String(),
  type: words(CONVERSATION_TYPES),
  title: NullableString,
  metadata: NullableJson,
  sender_id: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'Of one with a customer: the number that messages leave from.',
  }),
  contact_id: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'The customer.' }),
  external_id: NullableString,
  created_by: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'The user, if it was one.' }),
  created_at: At,
  closed_at: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Nobody writes there until it is opened again. Null: it is open.',
  }),
  retention_days: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: "After how many days what was said is removed; null: the tenant's rule.",
  }),
};

/** A conversation as it stands in events. */
export const ConversationRecordObject = Type.Object(CONVERSATION, { $id: 'ConversationRecord' });

const participants = Type.Array(reference(ParticipantObject), { description: 'The longest in it first.' });

export const ConversationObject = Type.Object({ ...CONVERSATION, participants }, { $id: 'Conversation' });

/** What a conversation is to the one who looks. */
const SEEN = {
  last_message: Type.Unsafe<ChatMessage | null>({
    anyOf: [reference(ChatMessageObject), { type: 'null' }],
    description: 'What was said last.',
  }),
  last_message_at: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'When somebody last said something there. Campaigns do not count.',
  }),
  unread_count: Type.Integer({
    description: 'What the user has not read; with a customer also what nobody has read of him.',
  }),
  participant_count: Type.Integer(),
  role: Type.Unsafe<ParticipantRole | null>({
    type: ['string', 'null'],
    enum: [...PARTICIPANT_ROLES, null],
    description: "The user's own. Null: software asks.",
  }),
};

export const ListedConversationObject = Type.Object({ ...CONVERSATION, ...SEEN }, { $id: 'ListedConversation' });

/** One conversation, as the one who asks sees it. */
export const ConversationSeen = Type.Object({ ...CONVERSATION, ...SEEN, participants }, { $id: 'ConversationSeen' });

export const ChatEditObject = Type.Object(
  {
    edit: Type.Integer({ description: 'From 1: the first edit replaced this.' }),
    content: NullableString,
    mentions: Type.Array(MentionObject),
    at: Type.String({ format: 'date-time', description: 'When it was replaced.' }),
  },
  { $id: 'ChatEdit', description: 'What a message said before it was edited.' },
);
