import type { ConversationEvents, ConversationEventType, EventType } from './event-catalogue.ts';
import { type EventId, timeOfId } from './ids.ts';
import { type EventData, eventView, type FixedOfMessage, type MessageView } from './message-view.ts';

/** An event as everybody is told it: by the API, by webhooks, by Kafka. What stands around it is each one's own. */
export interface ToldEvent {
  id: EventId;
  type: EventType;
  time: Date;
  /** Of `message.*` the message as it was then; of others as domain/event-catalogue.ts says. */
  data: MessageView | ConversationEvents[ConversationEventType];
}

/** An event as the log has it. */
type LoggedEvent = { event_id: EventId; event_type: EventType } & (
  | { id: null; data: ConversationEvents[ConversationEventType] }
  | (FixedOfMessage & { data: EventData })
);

export function toldEvent(row: LoggedEvent): ToldEvent {
  return {
    id: row.event_id,
    type: row.event_type,
    time: new Date(timeOfId(row.event_id)),
    data: row.id === null ? row.data : eventView(row),
  };
}
