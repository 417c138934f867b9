import { AUTHOR_TYPES, CONVERSATION_TYPES, PARTICIPANT_ROLES } from './chat.ts';
import type { ConversationEventType } from './event-catalogue.ts';
import { STATES } from './message.ts';

/** A JSON schema of draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const id: JsonSchema = { type: 'string', format: 'uuid' };
const idOrNull: JsonSchema = { type: ['string', 'null'], format: 'uuid' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const timeOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const flag: JsonSchema = { type: 'boolean' };
const anything: JsonSchema = { type: ['object', 'null'] };

/** An object that has all of these, and nothing else but what is optional. */
function record(properties: Record<string, JsonSchema>, optional: Record<string, JsonSchema> = {}): JsonSchema {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const conversation = record({
  id,
  type: { enum: CONVERSATION_TYPES },
  title: textOrNull,
  metadata: anything,
  sender_id: { ...idOrNull, description: 'With a customer: the sender.' },
  contact_id: { ...idOrNull, description: 'With a customer: the contact.' },
  external_id: textOrNull,
  created_by: { ...textOrNull, description: 'The user; null: it was not said.' },
  created_at: time,
  closed_at: { ...timeOrNull, description: 'null: it is open.' },
  retention_days: { type: ['integer', 'null'], description: "Days that messages are kept; null: the tenant's." },
});

const participant = record({
  user_id: text,
  role: { enum: PARTICIPANT_ROLES },
  can_send_messages: flag,
  joined_at: time,
});

const message = record(
  {
    id,
    conversation_id: id,
    seq: {
      type: ['integer', 'null'],
      description: 'Its number in the conversation, without gaps; null: a message of WhatsApp.',
    },
    user_id: { ...textOrNull, description: 'Who wrote it; null: a customer, or software.' },
    sender_type: { enum: [...AUTHOR_TYPES, 'customer'] },
    content: textOrNull,
    message_type: text,
    mentions: list(record({ user_id: text, offset: count, length: count })),
    parent_message_id: { ...idOrNull, description: 'The message that it answers.' },
    metadata: anything,
    note: { ...flag, description: 'Whether it stays inside the business.' },
    reactions: list(record({ user_id: text, emoji: text, at: time })),
    created_at: time,
    edited_at: timeOrNull,
    deleted_at: timeOrNull,
  },
  { state: { enum: STATES, description: 'Of a message of WhatsApp.' } },
);

const receipt = record({
  conversation_id: id,
  message_id: id,
  seq: count,
  user_id: { ...text, description: 'Who got or read it, and all before it.' },
});

/** The data of every event that is not of a WhatsApp message. */
export const EVENT_SCHEMAS: Readonly<Record<ConversationEventType, JsonSchema>> = {
  'conversation.created': record({ conversation, participants: list(participant) }),
  'conversation.updated': record({ conversation }),
  'conversation.closed': record({ conversation }),
  'conversation.opened': record({ conversation }),
  'participant.joined': record({ conversation_id: id, participant }),
  'participant.changed': record({ conversation_id: id, participant }),
  'participant.left': record({ conversation_id: id, user_id: text }),
  'chat.created': record({ message }),
  'chat.edited': record({ message }),
  'chat.deleted': record({ message }),
  'chat.reaction': record({
    conversation_id: id,
    message_id: id,
    user_id: text,
    emoji: { ...textOrNull, description: 'null: it was taken back.' },
    at: time,
  }),
  'chat.delivered': receipt,
  'chat.read': receipt,
  'notification.offline': record({
    user_id: { ...text, description: 'Who was away.' },
    conversation_id: id,
    message,
    mentioned: { ...flag, description: 'Whether the message mentions him.' },
    unread: { ...count, description: 'How many messages he has not read in the conversation.' },
  }),
  'webhook.disabled': record({
    endpoint_id: id,
    url: text,
    reason: text,
    failing_since: timeOrNull,
  }),
};
