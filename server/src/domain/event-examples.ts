import type { ChatMessage, ConversationRecord, ParticipantRecord } from './chat.ts';
import type { ConversationEvents, ConversationEventType, EventType, MessageEventType } from './event-catalogue.ts';
import type { ChatMessageId, ContactId, ConversationId, EndpointId, EventId, MessageId, SenderId } from './ids.ts';
import type { EventData, FixedOfMessage } from './message-view.ts';
import { type ToldEvent, toldEvent } from './told-event.ts';

/** An event of each type, for the page of events. */
const event = '019ec578-8b00-7a10-9c55-8d1f0e4b2a77' as EventId;
const conversation_id = '01976b2a-1c40-7b02-8a11-2f6d9e0c4b18' as ConversationId;
const at = '2026-06-14T09:30:00.000Z';

const conversation: ConversationRecord = {
  id: conversation_id,
  type: 'group',
  title: 'Delivery crew',
  metadata: null,
  sender_id: null,
  contact_id: null,
  external_id: null,
  created_by: 'anna',
  created_at: at,
  closed_at: null,
  retention_days: null,
};

const participant: ParticipantRecord = { user_id: 'ben', role: 'member', can_send_messages: true, joined_at: at };

const message: ChatMessage = {
  id: '01976b2c-8e10-7c33-b0f2-61a7d9e3c5f4' as ChatMessageId,
  conversation_id,
  seq: 12,
  user_id: 'anna',
  sender_type: 'user',
  content: 'The van leaves at ten, @ben',
  message_type: 'text',
  mentions: [{ user_id: 'ben', offset: 23, length: 4 }],
  parent_message_id: null,
  metadata: null,
  note: false,
  reactions: [],
  created_at: at,
  edited_at: null,
  deleted_at: null,
};

const later = '2026-06-14T09:31:12.000Z';
const receipt = { conversation_id, message_id: message.id, seq: 12, user_id: 'ben' };
const gone = { content: null, mentions: [], deleted_at: later };

const CONVERSATION_EXAMPLES: ConversationEvents = {
  'conversation.created': {
    conversation,
    participants: [{ user_id: 'anna', role: 'owner', can_send_messages: true, joined_at: at }, participant],
  },
  'conversation.updated': { conversation: { ...conversation, title: 'Delivery crew, north' } },
  'conversation.closed': { conversation: { ...conversation, closed_at: later } },
  'conversation.opened': { conversation },
  'participant.joined': { conversation_id, participant },
  'participant.changed': { conversation_id, participant: { ...participant, role: 'admin' } },
  'participant.left': { conversation_id, user_id: 'ben' },
  'chat.created': { message },
  'chat.edited': { message: { ...message, content: 'The van leaves at eleven', mentions: [], edited_at: later } },
  'chat.deleted': { message: { ...message, ...gone } },
  'chat.reaction': { conversation_id, message_id: message.id, user_id: 'ben', emoji: '👍', at: later },
  'chat.delivered': receipt,
  'chat.read': receipt,
  'notification.offline': { user_id: 'ben', conversation_id, message, mentioned: true, unread: 3 },
  'webhook.disabled': {
    endpoint_id: '01976b2a-77a0-7e21-8d3c-0b9a5f6e1c42' as EndpointId,
    url: 'https://shop.example/hooks/aldis',
    reason: 'nothing was delivered for 5 days',
    failing_since: at,
  },
};

const ours: FixedOfMessage = {
  id: '01976b2c-8e11-7f08-9a64-3c5b7d9e1f20' as MessageId,
  direction: 'outbound',
  type: 'text',
  category: 'service',
  priority: 1,
  sender_id: '01976b2a-0a10-7c01-8b22-5e4d3c2b1a09' as SenderId,
  sender_phone: '+6281100000001',
  contact_id: '01976b2a-0b20-7d02-9c33-6f5e4d3c2b1a' as ContactId,
  conversation_id,
  batch_id: null,
  address: '+6281234567890',
  content: { text: 'Your order is on its way.' },
  template: null,
  metadata: null,
  reply_to: null,
  reactions: null,
  edited_at: null,
  deleted_at: null,
  sender_type: 'agent',
  author_id: 'anna',
  created_at: new Date(at),
  scheduled_at: null,
  expires_at: null,
};
const theirs: FixedOfMessage = {
  ...ours,
  direction: 'inbound',
  content: { text: 'Thanks!' },
  sender_type: null,
  author_id: null,
};

const sent = { wamid: 'wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABEYEjA', attempt: 1, sending_at: at, sent_at: at };
const heard = { state: 'delivered', wamid: sent.wamid, delivered_at: at } as const;
const error = { error: 'provider_error', code: 131026, title: 'Message undeliverable', detail: null };

const MESSAGE_EXAMPLES: Record<MessageEventType, [FixedOfMessage, EventData]> = {
  'message.queued': [ours, { state: 'queued' }],
  'message.rescheduled': [
    { ...ours, scheduled_at: new Date(later) },
    { state: 'queued', scheduled_at: later },
  ],
  'message.unconfirmed': [ours, { state: 'unconfirmed', attempt: 1, sending_at: at }],
  'message.sent': [ours, { state: 'sent', ...sent }],
  'message.delivered': [ours, { state: 'delivered', ...sent, delivered_at: later }],
  'message.read': [ours, { state: 'read', ...sent, delivered_at: later, read_at: later }],
  'message.played': [ours, { state: 'played', ...sent, delivered_at: later, read_at: later, played_at: later }],
  'message.failed': [ours, { state: 'failed', attempt: 1, sending_at: at, failed_at: later, error }],
  'message.cancelled': [ours, { state: 'cancelled', ended_at: later }],
  'message.expired': [ours, { state: 'expired', ended_at: later }],
  'message.received': [theirs, heard],
  'message.reaction': [
    { ...ours, reactions: [{ by: ours.contact_id, from: ours.address, emoji: '👍', at: later }] },
    { state: 'delivered', ...sent, delivered_at: later },
  ],
  'message.edited': [{ ...theirs, content: { text: 'Thanks a lot!' }, edited_at: new Date(later) }, heard],
  'message.deleted': [{ ...theirs, deleted_at: new Date(later) }, heard],
  'message.media': [{ ...theirs, type: 'image', content: { media_id: '01976b2c-9000-7b44-8f10-a1b2c3d4e5f6' } }, heard],
};

export function exampleOf(type: EventType): ToldEvent {
  if (type in CONVERSATION_EXAMPLES) {
    const data = CONVERSATION_EXAMPLES[type as ConversationEventType];
    return toldEvent({ event_id: event, event_type: type, id: null, data });
  }
  const [fixed, data] = MESSAGE_EXAMPLES[type as MessageEventType];
  return toldEvent({ ...fixed, event_id: event, event_type: type, data });
}
