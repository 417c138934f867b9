import { randomBytes } from 'node:crypto';
import { Admin, Consumer, stringDeserializer } from '@platformatic/kafka';
import { type KafkaNode, startKafkaNode } from '../../tools/kafka/kafka-node.ts';

/** A Kafka on loopback for a drill, of one node. It keeps what it has over `kill` and `start`. */
export interface Kafka extends Omit<KafkaNode, 'close'>, AsyncDisposable {
  /**
   * Reads topics anew from their beginning up to the end that they have now, each partition in its order. A topic that is not there has
   * nothing. @returns how many records there were
   * @throws {Error} when they do not come
   */
  read(topics: readonly string[], take: (record: TopicRecord) => void): Promise<number>;
}

/** A record as it lies in a topic. */
export interface TopicRecord {
  topic: string;
  partition: number;
  key: string;
  value: string;
}

/** Without a record for so long, in milliseconds, reading is given up. */
const PATIENCE = 30_000;

/** Starts a node that has nothing yet. @param classpath see tools/kafka/kafka-files.ts */
export async function startKafka(classpath: string): Promise<Kafka> {
  const node = await startKafkaNode(classpath);
  return {
    ...node,
    read: (topics, take) => readTopics(node.broker, topics, take),
    [Symbol.asyncDispose]: () => node.close(),
  };
}

async function readTopics(
  broker: string,
  asked: readonly string[],
  take: (record: TopicRecord) => void,
): Promise<number> {
  const client = { clientId: 'drill', bootstrapBrokers: [broker], retries: 5, requestTimeout: 10_000 };
  const topics = await topicsThere(new Admin(client), asked);
  if (topics.length === 0) return 0;
  const texts = { key: stringDeserializer, value: stringDeserializer };
  const consumer = new Consumer({
    ...client,
    groupId: `drill-${randomBytes(6).toString('hex')}`,
    deserializers: { ...texts, headerKey: stringDeserializer, headerValue: stringDeserializer },
  });
  try {
    const ends = await consumer.listOffsets({ topics });
    let wanted = 0;
    for (const partitions of ends.values()) for (const end of partitions) wanted += Number(end);
    if (wanted === 0) return 0;
    let read = 0;
    const stream = await consumer.consume({ topics, mode: 'earliest', autocommit: false, maxWaitTime: 100 });
    const late = setTimeout(
      () => stream.destroy(new Error(`${read} of ${wanted} records came, and no more within ${PATIENCE} ms`)),
      PATIENCE,
    );
    try {
      for await (const { topic, partition, key, value } of stream) {
        take({ topic, partition, key: String(key), value: String(value) });
        late.refresh();
        if (++read >= wanted) break;
      }
    } finally {
      clearTimeout(late);
    }
    return read;
  } finally {
    await consumer.close(true).catch(() => {});
  }
}

async function topicsThere(admin: Admin, asked: readonly string[]): Promise<string[]> {
  try {
    const there = await admin.listTopics();
    return asked.filter((topic) => there.includes(topic));
  } finally {
    await admin.close();
  }
}
