import type { ChatMessage, ConversationRecord, ParticipantRecord, UserId } from './chat.ts';
import type { ConversationId, EndpointId } from './ids.ts';

/**
 * Every event that there is, by its type: what it tells, and who may see it beside the tenant's own software. `message.*` carry the
 * message (`http/message-view.ts`); the data of all others is written whole into the log, as these types say.
 *
 * `participants`: the users in its conversation when it happened. `user`: only the one that the event names in `user_id` of its row.
 * `nobody`: no user; software reads it by `/api/v1/events`, webhooks and Kafka.
 */
export interface ConversationEvents {
  /** By a request: one that a message makes is known by the event of that message, for a campaign makes as many as it has messages. */
  'conversation.created': { conversation: ConversationRecord; participants: ParticipantRecord[] };
  /** Its title, metadata, external id or retention were changed. */
  'conversation.updated': { conversation: ConversationRecord };
  'conversation.closed': { conversation: ConversationRecord };
  'conversation.opened': { conversation: ConversationRecord };
  'participant.joined': { conversation_id: ConversationId; participant: ParticipantRecord };
  /** His role, or whether he may send. */
  'participant.changed': { conversation_id: ConversationId; participant: ParticipantRecord };
  'participant.left': { conversation_id: ConversationId; user_id: UserId };
  'chat.created': { message: ChatMessage };
  'chat.edited': { message: ChatMessage };
  /** Deleted by its author: its content, mentions, metadata and reactions are gone. */
  'chat.deleted': { message: ChatMessage };
  /** `emoji` null: it was taken back. */
  'chat.reaction': {
    conversation_id: ConversationId;
    message_id: string;
    user_id: UserId;
    emoji: string | null;
    at: string;
  };
  /** It, and all before it, came to a device of the user. Told to the author of the message. */
  'chat.delivered': Receipt;
  /** The user has read it, and all before it. Told to the author of the message, and to the user himself: he has other devices. */
  'chat.read': Receipt;
  /** A participant had no live device when he should have got a message: a push service may tell him. */
  'notification.offline': {
    user_id: UserId;
    conversation_id: ConversationId;
    message: ChatMessage;
    /** Whether the message mentions him. */
    mentioned: boolean;
    unread: number;
  };
  /** An endpoint of the tenant is told nothing more until somebody enables it. */
  'webhook.disabled': {
    endpoint_id: EndpointId;
    url: string;
    reason: string;
    /** Since when nothing went well; null: its last delivery did. */
    failing_since: string | null;
  };
}

interface Receipt {
  conversation_id: ConversationId;
  message_id: string;
  seq: number;
  /** Who got or read it. */
  user_id: UserId;
}

export type ConversationEventType = keyof ConversationEvents;
export type Audience = 'participants' | 'user' | 'nobody';

/** The events of WhatsApp messages: what each tells. Participants of the message's conversation may see them. */
export const MESSAGE_EVENTS = {
  'message.queued': 'It waits to leave: it was accepted, or is tried once more.',
  'message.rescheduled': 'Somebody changed when it may leave, or until when.',
  'message.unconfirmed': 'An attempt was made, and nobody knows whether WhatsApp took it.',
  'message.sent': 'WhatsApp has it.',
  'message.delivered': "It is on the customer's device.",
  'message.read': "The customer has seen it; or somebody here has seen the customer's.",
  'message.played': 'The customer has listened to it.',
  'message.failed': 'It will not be tried again by itself; `error` says why.',
  'message.cancelled': 'Somebody took it back before it left.',
  'message.expired': 'Its time was over before it left.',
  'message.received': 'A customer wrote.',
  'message.reaction': 'A customer reacted to it, or took his reaction back.',
  'message.edited': 'Its author changed it on WhatsApp.',
  'message.deleted': 'Its author deleted it on WhatsApp.',
  'message.media': 'The file of it was fetched, or will never be.',
} as const;
export type MessageEventType = keyof typeof MESSAGE_EVENTS;
export type EventType = MessageEventType | ConversationEventType;

export const CONVERSATION_EVENTS: Readonly<Record<ConversationEventType, { audience: Audience; about: string }>> = {
  'conversation.created': { audience: 'participants', about: 'A conversation was made by a request.' },
  'conversation.updated': {
    audience: 'participants',
    about: 'Its title, metadata, external id or retention were changed.',
  },
  'conversation.closed': { audience: 'participants', about: 'It was closed: nobody writes there until it is opened.' },
  'conversation.opened': { audience: 'participants', about: 'It was opened again.' },
  'participant.joined': { audience: 'participants', about: 'A user was added.' },
  'participant.changed': { audience: 'participants', about: "A participant's role or right to send was changed." },
  'participant.left': {
    audience: 'participants',
    about: 'A participant left or was removed; he sees this as the last of it.',
  },
  'chat.created': { audience: 'participants', about: 'Somebody said something.' },
  'chat.edited': { audience: 'participants', about: 'Its author changed it.' },
  'chat.deleted': { audience: 'participants', about: 'Its author deleted it.' },
  'chat.reaction': { audience: 'participants', about: 'Somebody reacted to a message, or took his reaction back.' },
  'chat.delivered': { audience: 'user', about: 'A message, and all before it, came to a device of a participant.' },
  'chat.read': { audience: 'user', about: 'A participant has read a message, and all before it.' },
  'notification.offline': {
    audience: 'nobody',
    about: 'A participant had no live device when a message came for him.',
  },
  'webhook.disabled': {
    audience: 'nobody',
    about: 'A webhook endpoint failed for too long, or said that it is gone: nothing more is posted there.',
  },
};

/** Every type of event. */
export const EVENT_TYPES: readonly EventType[] = [
  ...(Object.keys(MESSAGE_EVENTS) as MessageEventType[]),
  ...(Object.keys(CONVERSATION_EVENTS) as ConversationEventType[]),
];

/** Types that no user sees. */
export const SOFTWARE_ONLY: readonly EventType[] = EVENT_TYPES.filter(
  (type) => type in CONVERSATION_EVENTS && CONVERSATION_EVENTS[type as ConversationEventType].audience === 'nobody',
);

/** The types that a pattern means: a type itself, `chat.*` for all that begin so, `*` for all. None: it means nothing. */
export function typesMatching(pattern: string): readonly EventType[] {
  if (pattern === '*') return EVENT_TYPES;
  if (!pattern.endsWith('.*')) return EVENT_TYPES.filter((type) => type === pattern);
  const beginning = pattern.slice(0, -1);
  return EVENT_TYPES.filter((type) => type.startsWith(beginning));
}
