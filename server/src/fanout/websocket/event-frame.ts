import { chatViewOf } from '../../domain/chat-view.ts';
import type { ConversationEvents } from '../../domain/event-catalogue.ts';
import { timeOfId } from '../../domain/ids.ts';
import type { ServerFrameType } from '../../domain/socket-frames.ts';
import { toldEvent } from '../../domain/told-event.ts';
import type { ConversationEventRow, EventRow, MessageEventRow } from '../../store/events.read.ts';

/** What a socket is told of an event. */
interface Told {
  type: ServerFrameType;
  payload: Record<string, unknown>;
}

/** All of a frame but its end. */
export interface BegunFrame {
  type: ServerFrameType;
  text: string;
}

/**
 * The frame of an event, as JSON, written once for all sockets. Only the cursor of the event before it differs from socket to socket:
 * the text ends where that begins, and `finishFrame` completes it.
 */
export function beginFrame(row: EventRow, cursor: string): BegunFrame {
  const { type, payload } = toldTo(row);
  const text = `{"type":"${type}","payload":${JSON.stringify(payload)},"id":"${row.event_id}","cursor":"${cursor}","prev":"`;
  return { type, text };
}

/** @param prev the cursor of the event before it on the socket it goes to. */
export function finishFrame({ text }: BegunFrame, prev: string): string {
  return `${text}${prev}"}`;
}

function toldTo(row: EventRow): Told {
  const timestamp = new Date(timeOfId(row.event_id)).toISOString();
  return row.id === null ? toldOfConversation(row, timestamp) : toldOfMessage(row, timestamp);
}

/** The data of an event by its type: the log has what the catalogue says. */
function dataOf<T extends keyof ConversationEvents>(row: ConversationEventRow, _type: T): ConversationEvents[T] {
  return row.data as ConversationEvents[T];
}

function toldOfConversation(row: ConversationEventRow, timestamp: string): Told {
  const { event_type: type } = row;
  switch (type) {
    case 'chat.created': {
      const { message } = dataOf(row, type);
      return { type: 'new_message', payload: { type: 'new_message', message, timestamp } };
    }
    case 'chat.edited':
      return { type: 'message_edited', payload: { message: dataOf(row, type).message, timestamp } };
    case 'chat.deleted':
      return { type: 'message_deleted', payload: { message: dataOf(row, type).message, timestamp } };
    case 'chat.reaction': {
      const { conversation_id, message_id, user_id, emoji } = dataOf(row, type);
      return { type: 'reaction', payload: { conversation_id, message_id, user_id, emoji, timestamp } };
    }
    case 'chat.delivered':
    case 'chat.read': {
      const { message_id, user_id, conversation_id, seq } = dataOf(row, type);
      const frame = type === 'chat.read' ? 'message_read' : 'message_delivered';
      return { type: frame, payload: { message_id, user_id, timestamp, conversation_id, seq } };
    }
    case 'conversation.created':
    case 'conversation.updated':
    case 'conversation.closed':
    case 'conversation.opened':
      return { type: 'conversation', payload: { action: actionOf(type), ...dataOf(row, type), timestamp } };
    case 'participant.joined':
    case 'participant.changed':
    case 'participant.left':
      return { type: 'participant', payload: { action: actionOf(type), ...dataOf(row, type), timestamp } };
    default:
      return other(row, timestamp);
  }
}

function actionOf(type: string): string {
  return type.slice(type.indexOf('.') + 1);
}

function other(row: EventRow, timestamp: string): Told {
  const { type, data } = toldEvent(row);
  return { type: 'event', payload: { type, data, timestamp } };
}

function toldOfMessage(row: MessageEventRow, timestamp: string): Told {
  const message = chatViewOf(row, row.data.state);
  const { id: message_id, conversation_id } = message;
  switch (row.event_type) {
    case 'message.received':
      return { type: 'new_message', payload: { type: 'new_message', message, timestamp } };
    case 'message.queued':
    case 'message.sent':
      // Without an attempt it is the message's first event: it was accepted, or recorded after it had been sent elsewhere.
      return (row.data.attempt ?? 0) === 0
        ? { type: 'new_message', payload: { type: 'new_message', message, timestamp } }
        : { type: 'message_updated', payload: { message, timestamp } };
    case 'message.delivered':
      return {
        type: 'message_delivered',
        payload: { message_id, user_id: null, timestamp, conversation_id, seq: null },
      };
    case 'message.read':
      return { type: 'message_read', payload: { message_id, user_id: null, timestamp, conversation_id, seq: null } };
    case 'message.edited':
      return { type: 'message_edited', payload: { message, timestamp } };
    case 'message.deleted':
      return { type: 'message_deleted', payload: { message, timestamp } };
    default:
      return { type: 'message_updated', payload: { message, timestamp } };
  }
}
