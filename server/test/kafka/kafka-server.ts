import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Admin, Consumer, jsonDeserializer, stringDeserializer } from '@platformatic/kafka';
import { freePort, startKafkaNode } from '../../../tools/kafka/kafka-node.ts';
import type { Pair } from '../http/certificates.ts';

/** A real Kafka for one file of tests: one node in KRaft mode, in a folder of its own, on free ports of loopback. */
export interface KafkaServer {
  /** `127.0.0.1:PORT` */
  broker: string;
  /** The same broker, where one speaks TLS and logs in with `LOGIN`, by PLAIN. */
  guarded: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again with what it has on its disk. */
  start(): Promise<void>;
  /** Everything that topics have now, each partition in its order. A topic that is not there has nothing. */
  read(...topics: string[]): Promise<ReadRecord[]>;
  close(): Promise<void>;
}

export interface ReadRecord {
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  value: Record<string, unknown>;
  headers: Record<string, string>;
}

/** Who may log in where a node is guarded. */
export const LOGIN = { username: 'aldis', password: 'a-password' };

/** Starts a node that has nothing yet. @param pair its certificate, for the host `localhost`. */
export async function kafkaServer(classpath: string, pair: Pair): Promise<KafkaServer> {
  const guarded = `localhost:${await freePort()}`;
  const login = `username="${LOGIN.username}" password="${LOGIN.password}" user_${LOGIN.username}="${LOGIN.password}"`;
  const node = await startKafkaNode(classpath, {
    listeners: [`SASL_SSL://${guarded}`],
    settings(folder) {
      const keystore = join(folder, 'keystore.pem');
      writeFileSync(keystore, Buffer.concat([pair.key, pair.cert]));
      return {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${login};`,
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': keystore,
      };
    },
  });
  const { broker, kill, start, close } = node;
  return { broker, guarded, kill, start, read: (...topics) => readAll(broker, topics), close };
}

function client(broker: string) {
  return { clientId: 'test', bootstrapBrokers: [broker], retries: 0, connectTimeout: 1000, requestTimeout: 5000 };
}

/** Reads topics anew from their beginning up to the end that they have now. */
async function readAll(broker: string, asked: readonly string[]): Promise<ReadRecord[]> {
  const admin = new Admin(client(broker));
  const there = await admin.listTopics();
  const topics = asked.filter((topic) => there.includes(topic));
  await admin.close();
  if (topics.length === 0) return [];
  const consumer = new Consumer({
    ...client(broker),
    retries: 5,
    groupId: `test-${randomBytes(6).toString('hex')}`,
    deserializers: {
      key: stringDeserializer,
      value: jsonDeserializer,
      headerKey: stringDeserializer,
      headerValue: stringDeserializer,
    },
  });
  try {
    const ends = await consumer.listOffsets({ topics });
    let left = 0n;
    for (const partitions of ends.values()) for (const end of partitions) left += end;
    const read: ReadRecord[] = [];
    if (left === 0n) return read;
    const stream = await consumer.consume({ topics, mode: 'earliest', autocommit: false, maxWaitTime: 100 });
    for await (const { topic, partition, offset, key, value, headers } of stream) {
      read.push({
        topic,
        partition,
        offset,
        key: String(key),
        value: value as Record<string, unknown>,
        headers: Object.fromEntries([...headers].map(([name, text]) => [String(name), String(text)])),
      });
      if (BigInt(read.length) >= left) break;
    }
    return read.sort(
      (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || Number(a.offset - b.offset),
    );
  } finally {
    await consumer.close(true).catch(() => {});
  }
}
