import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KafkaRecord, kafkaPublisher } from '../../server/src/outside/kafka.ts';
import { kafkaFiles } from '../../tools/kafka/kafka-files.ts';
import { startKafka, type TopicRecord } from '../src/kafka.ts';

const files = kafkaFiles();

test("a drill's Kafka keeps what it took over standing still and dying, and is read from the beginning", {
  skip: files.skip,
}, async () => {
  await using kafka = await startKafka(files.classpath ?? '');
  const read = async (): Promise<TopicRecord[]> => {
    const records: TopicRecord[] = [];
    assert.equal(await kafka.read(['some', 'nobody'], (record) => records.push(record)), records.length);
    return records;
  };
  assert.deepEqual(await read(), [], 'a topic that is not there has nothing');
  const records = Array.from({ length: 50 }, (_, i): KafkaRecord => {
    return { topic: 'some', key: `key ${i % 5}`, value: JSON.stringify({ i }), headers: {} };
  });
  const publisher = kafkaPublisher({
    ...{ brokers: [kafka.broker], clientId: 'test', createTopics: true, timeout: 5000 },
    ...{ tls: null, sasl: null },
  });
  assert.deepEqual(await publisher.publish(records, new AbortController().signal), { kind: 'stored' });
  kafka.freeze();
  await kafka.kill();
  await assert.rejects(read());
  await kafka.start();
  const found = await read();
  for (let key = 0; key < 5; key++) {
    const own = found.filter((record) => record.key === `key ${key}`);
    assert.equal(new Set(own.map(({ partition }) => partition)).size, 1, 'a key is in one partition');
    assert.deepEqual(
      own.map(({ topic, value }) => [topic, value]),
      Array.from({ length: 10 }, (_, i) => ['some', JSON.stringify({ i: i * 5 + key })]),
    );
  }
  assert.equal(found.length, records.length);
  await publisher.close();
});
