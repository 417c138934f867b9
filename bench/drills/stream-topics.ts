import type { TopicRecord } from '../src/kafka.ts';
import { fingerprint, type LoggedEvent } from './stream-log.ts';

/** Topics as docs/kafka.md names them, of what happens in this drill. */
export const TOPICS = ['aldis.message', 'aldis.chat', 'aldis.conversation', 'notifications'] as const;

/** What topics have, by the first time that each event came. */
export interface TopicLedger {
  readonly firsts: ReadonlyMap<string, FirstRecord>;
  /** Records that are no CloudEvent of ours, in words. */
  readonly breaches: readonly string[];
  take(record: TopicRecord): void;
}

/** What is compared of a record. */
interface FirstRecord {
  topic: string;
  partition: number;
  key: string;
  type: string;
  cursor: string;
  prev: string;
  digest: string;
}

/** Of one kind no more are told. */
const MOST_TOLD = 3;

/** Is given the records of all topics, each partition in its order. */
export function topicLedger(): TopicLedger {
  const firsts = new Map<string, FirstRecord>();
  const breaches: string[] = [];
  return {
    firsts,
    breaches,
    take({ topic, partition, key, value }) {
      const event = cloudEvent(value);
      if (event === null) breaches.push(`${topic} has what is no CloudEvent: ${value.slice(0, 200)}`);
      else if (!firsts.has(event.id)) firsts.set(event.id, { topic, partition, key, ...event });
    },
  };
}

interface ReadEvent extends Pick<FirstRecord, 'type' | 'cursor' | 'prev' | 'digest'> {
  id: string;
}

function cloudEvent(value: string): ReadEvent | null {
  try {
    const { specversion, id, type, cursor, prev, data } = JSON.parse(value) as Record<string, unknown>;
    if (specversion !== '1.0' || data === undefined) return null;
    const words = [id, type, cursor, prev];
    if (!words.every((word) => typeof word === 'string')) return null;
    return {
      id: String(id),
      type: String(type),
      cursor: String(cursor),
      prev: String(prev),
      digest: fingerprint(data),
    };
  } catch {
    return null;
  }
}

/**
 * Holds topics against the log. Each event is there at least once, where its type and its conversation (a notification: its user) belong, with what
 * the log tells of it; each key is in one partition and in the log's order by first occurrence; `prev` chains all of them over all topics.
 * @param log from its first event that was to be published on
 * @param later what was written after the topics were read: it may be there
 * @returns what is otherwise, in words
 */
export function compareTopics(
  log: readonly LoggedEvent[],
  later: readonly LoggedEvent[],
  { firsts, breaches: unread }: TopicLedger,
): string[] {
  const found = new Map<string, string[]>();
  const breach = (kind: string, what: string): void => {
    const all = found.get(kind);
    if (all) all.push(what);
    else found.set(kind, [what]);
  };
  const events = [...log, ...later];
  const places = new Map(events.map(({ id }, at) => [id, at]));
  for (const [id, { topic }] of firsts)
    if (!places.has(id)) breach('are in a topic and not in the log', `${id} ${topic}`);
  let before: string | null = null;
  for (const [at, event] of events.entries()) {
    const record = firsts.get(event.id);
    const told = `${event.type} ${event.id}`;
    if (record) {
      if (record.topic !== topicOf(event)) breach('are in a wrong topic', `${told} in ${record.topic}`);
      if (record.key !== (event.user ?? event.conversation)) breach('have a wrong key', `${told}: ${record.key}`);
      const same = record.type === event.type && record.cursor === event.cursor && record.digest === event.digest;
      if (!same) breach('are told otherwise than in the log', told);
      if (before !== null && record.prev !== before) breach('do not follow the event before them', told);
    } else if (at < log.length) {
      breach('are in no topic', told);
    }
    before = event.cursor;
  }
  // In the order in which they came: a map keeps it.
  const lines = new Map<string, { place: number; partition: number }>();
  for (const [id, { topic, key, partition }] of firsts) {
    const line = `${topic} ${key}`;
    const place = places.get(id);
    if (place === undefined) continue;
    const last = lines.get(line);
    if (last && last.partition !== partition) breach('are not in the partition of their key', `${id} of ${line}`);
    else if (last && place < last.place) breach('are not in the order of the log', `${id} of ${line}`);
    lines.set(line, { place, partition });
  }
  const told = [...found].map(
    ([kind, all]) => `Kafka: ${all.length} of ${events.length} events ${kind}: ${all.slice(0, MOST_TOLD).join(', ')}`,
  );
  return [...unread.slice(0, MOST_TOLD), ...told];
}

function topicOf({ type }: LoggedEvent): string {
  const [kind] = type.split('.');
  if (kind === 'notification') return 'notifications';
  return `aldis.${kind === 'participant' ? 'conversation' : kind}`;
}
