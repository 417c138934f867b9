import type { EventCursors, EventPosition } from '../../domain/event-cursor.ts';
import type { TenantId } from '../../domain/ids.ts';
import { toldEvent } from '../../domain/told-event.ts';
import type { KafkaRecord } from '../../outside/kafka.ts';
import type { EventRow } from '../../store/events.read.ts';

/** How events stand in topics. */
export interface TopicNames {
  /** Before `message`, `chat`, `conversation` and `webhook`. */
  prefix: string;
  /** Of events that tell of users who are away. */
  notifications: string;
  /** The event whole in the value, or its attributes in headers and its data in the value. */
  mode: 'structured' | 'binary';
}

/**
 * An event of the log as a record: a CloudEvent 1.0 by the Kafka protocol binding. Its key is its conversation, or the user who is to be
 * notified, so that what belongs together stays in order. `cursor` and `prev` chain all events of the tenant, over all topics.
 * @param after the place in the log before it
 */
export function recordOf(
  tenant: TenantId,
  row: EventRow,
  after: EventPosition,
  cursors: EventCursors,
  names: TopicNames,
): KafkaRecord {
  const { id, type, time, data } = toldEvent(row);
  const key = keyOf(tenant, row);
  const attributes = {
    specversion: '1.0',
    id,
    source: `/aldis/tenants/${tenant}`,
    type,
    subject: subjectOf(row),
    time: time.toISOString(),
    partitionkey: key,
    tenantid: tenant,
    cursor: cursors.write({ xid: row.xid, id: row.event_id }),
    prev: cursors.write(after),
  };
  const topic = topicOf(type, names);
  if (names.mode === 'structured') {
    const value = JSON.stringify({ ...attributes, datacontenttype: 'application/json', data });
    return { topic, key, value, headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' } };
  }
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]));
  return { topic, key, value: JSON.stringify(data), headers: { 'content-type': 'application/json', ...headers } };
}

function topicOf(type: string, { prefix, notifications }: TopicNames): string {
  const kind = type.slice(0, type.indexOf('.'));
  if (kind === 'notification') return notifications;
  return `${prefix}${kind === 'participant' ? 'conversation' : kind}`;
}

function keyOf(tenant: TenantId, row: EventRow): string {
  if (row.event_type === 'notification.offline' && row.id === null && row.user_id !== null) return row.user_id;
  // An event of an endpoint is of no conversation.
  return row.conversation_id ?? tenant;
}

/** What the event is about: a message, or else its conversation. */
function subjectOf(row: EventRow): string {
  if (row.id !== null) return row.id;
  const { data } = row;
  if ('message' in data) return data.message.id;
  if ('message_id' in data) return data.message_id;
  return 'endpoint_id' in data ? data.endpoint_id : row.conversation_id;
}
