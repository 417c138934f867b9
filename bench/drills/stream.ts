import { kafkaFiles } from '../../tools/kafka/kafka-files.ts';
import { startBalancer } from '../src/balancer.ts';
import { type Kafka, startKafka } from '../src/kafka.ts';
import { type LoadClient, openLoad } from '../src/load.ts';
import { startRedis } from '../src/redis.ts';
import { until } from '../src/wait.ts';
import { type Cluster, startCluster } from './cluster.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { seeded } from './random.ts';
import { steadyLoad } from './steady-load.ts';
import { type StreamClient, streamClient } from './stream-client.ts';
import { consumersBehind, readLog } from './stream-log.ts';
import { compareNotices, type Span } from './stream-notices.ts';
import { makeTalks, type Talk, turnOf, USERS } from './stream-talks.ts';
import { compareTopics, TOPICS, topicLedger } from './stream-topics.ts';
import { type KafkaOutage, makeTrouble } from './stream-trouble.ts';
import { compareHistories, compareStreams } from './stream-verdict.ts';

/*
 * stream: three instances behind a TCP balancer, with one PostgreSQL, one Redis and one Kafka. Users on a hundred devices talk to each
 * other in pairs and groups, and listen; a few who never have a device are talked to. Meanwhile connections are cut, devices stop reading
 * for a while, instances die by `kill -9`, Redis is emptied and stopped, Kafka stands still and is killed, PostgreSQL is killed.
 *
 * In the end the log of every device is the stream, as far as its user may see it: nothing missing, nothing twice, each event behind
 * the one that its `prev` names. Every message that was acknowledged is in the history of its conversation once, numbered without gaps.
 * The topics, read again from their beginning, have the whole log in the order of each key. Who was away was told of each message once.
 */

const INSTANCES = 3;
const DEVICES = 100;
/** Milliseconds that a broker may take. After the death of an instance another publishes 20 s and four times that later. */
const KAFKA_TIMEOUT = 2000;
/** Within this time of the last message all that follows the log must have come to its end, in milliseconds. */
const FOLLOWED_WITHIN = 120_000;

interface Plan {
  seconds: number;
  perSecond: number;
  kafkaOutages: KafkaOutage[];
}

function planOf({ short, seconds: asked }: DrillOptions): Plan {
  const seconds = asked ?? (short ? 25 : 600);
  if (short) return { seconds, perSecond: 40, kafkaOutages: [{ at: 0.2, frozenMs: 4000, deadMs: 4000 }] };
  const minute = Math.min(60_000, seconds * 100);
  const kafkaOutages = [
    { at: 0.1, frozenMs: 0, deadMs: minute },
    { at: 0.4, frozenMs: minute, deadMs: 0 },
    { at: 0.7, frozenMs: minute / 2, deadMs: minute / 2 },
  ];
  return { seconds, perSecond: 100, kafkaOutages };
}

export async function stream(options: DrillOptions): Promise<Verdict> {
  const { seed, short, log } = options;
  const random = seeded(seed);
  const plan = planOf(options);
  const classpath = kafkaOf(options);
  await using stack = new AsyncDisposableStack();
  const kafka = classpath === null ? null : stack.use(await startKafka(classpath));
  const redis = stack.use(await startRedis());
  const cluster = stack.use(
    await startCluster({
      instances: INSTANCES,
      senders: 1,
      killsPostgres: true,
      env: {
        ALDIS_REDIS_HOST: '127.0.0.1',
        ALDIS_REDIS_PORT: String(redis.port),
        ...(kafka && { ALDIS_KAFKA_BROKERS: kafka.broker, ALDIS_KAFKA_TIMEOUT: `${KAFKA_TIMEOUT}ms` }),
      },
    }),
  );
  const { credentials, members } = cluster;
  let turn = 0;
  const balancer = stack.use(
    await startBalancer(() => {
      const up = members.filter((one) => one.up).map(({ url }) => Number(new URL(url).port));
      return up.length > 0 ? [up[turn++ % up.length] as number] : [];
    }),
  );
  const api = stack.use(openLoad(credentials.url, 16, { authorization: `Bearer ${credentials.api_key}` }));
  const talks = await makeTalks(api, random);
  const clients: StreamClient[] = [];
  stack.defer(() => {
    for (const client of clients) client.stop();
  });
  for (let i = 0; i < DEVICES; i++) {
    clients.push(
      streamClient({
        url: `ws://127.0.0.1:${balancer.port}/ws`,
        user: `user-${i % USERS}`,
        device: `device-${i}`,
        headers: { authorization: `Bearer ${credentials.api_key}` },
        random: () => random.next(),
      }),
    );
  }
  await until('every device to be connected', () => clients.every(({ start }) => start !== null) || null);
  const load = steadyLoad({
    url: credentials.url,
    apiKey: credentials.api_key,
    perSecond: plan.perSecond,
    readEvery: 0,
    headers: (n) => ({ 'x-user-id': turnOf(talks, n).author }),
    body: (n) => {
      const text = `drill ${n}`;
      return { text, body: { conversation_id: turnOf(talks, n).talk.id, content: text } };
    },
  });
  const { kafkaOutages } = plan;
  const ms = plan.seconds * 1000;
  const { counts, outages } = await makeTrouble({
    ...{ cluster, redis, kafka, balancer, clients, random, log, ms, kafkaOutages },
  });
  await load.stop();
  const last = performance.now();
  log(`${load.acknowledged.size} messages are acknowledged`);
  const since = (): number => Math.round((performance.now() - last) / 1000);
  const streams = await compareStreams(api, clients);
  const settled_after_s = since();
  log(`${streams.counts['events']} events on ${clients.length} devices were compared`);
  const histories = await compareHistories(api, talks, load.acknowledged);
  const followed = await compareFollowers({ cluster, api, kafka, talks, clients, outages });
  if (kafka) log(`${followed.counts['events_logged']} events were compared with the topics of Kafka`);
  const clientBreaches = clients.flatMap(({ breaches }) => breaches);
  const breaches = [...load.breaches, ...clientBreaches, ...streams.breaches, ...histories, ...followed.breaches];
  return {
    drill: 'stream',
    seed,
    short,
    counts: {
      ...counts,
      acknowledged: load.acknowledged.size,
      devices: clients.length,
      connects: clients.reduce((sum, { connects }) => sum + connects, 0),
      closed_as_too_slow: clients.reduce((sum, { closes }) => sum + (closes.get(4001) ?? 0), 0),
      ...streams.counts,
      settled_after_s,
      ...followed.counts,
      followed_after_s: since(),
      answered_503: load.counts.refused,
      unanswered: load.counts.unanswered,
      slowest_request_ms: Math.round(load.slowest),
    },
    breaches: breaches.slice(0, 30),
  };
}

/** The class path of Kafka; null: it is left out, which is said. @throws {Error} in CI, when there is none. */
function kafkaOf({ withoutKafka, log }: DrillOptions): string | null {
  if (withoutKafka) {
    log('Kafka is left out, as it was asked for');
    return null;
  }
  const files = kafkaFiles();
  if (files.classpath === null) log(`${files.skip}. KAFKA IS LEFT OUT of this drill; --without-kafka asks for that`);
  return files.classpath;
}

interface Followed {
  cluster: Cluster;
  api: LoadClient;
  kafka: Kafka | null;
  talks: readonly Talk[];
  clients: readonly StreamClient[];
  outages: readonly Span[];
}

/** Waits until all that follows the log has come to its end, and compares what came of it with the log. */
async function compareFollowers({ cluster, api, kafka, talks, clients, outages }: Followed) {
  const tenant = cluster.credentials.tenant_id;
  const consumers = ['offline', ...(kafka ? ['kafka'] : [])];
  const end = performance.now() + FOLLOWED_WITHIN;
  const behind = await until(
    'the log to be followed to its end',
    async () => {
      const some = await consumersBehind(cluster.db, tenant, consumers);
      return some.length === 0 || performance.now() > end ? some : null;
    },
    { deadlineMs: FOLLOWED_WITHIN + 5000, everyMs: 200 },
  );
  const breaches = behind.map((who) => `${who} has not followed the log to its end within ${FOLLOWED_WITHIN / 1000} s`);
  const log = await readLog(api);
  const spans = Map.groupBy(
    clients.flatMap(({ user, spans }) => spans.map((span) => ({ user, span }))),
    ({ user }) => user,
  );
  breaches.push(
    ...compareNotices(log, {
      away: new Map(talks.map(({ id, away }) => [id, away])),
      spans: new Map([...spans].map(([user, all]) => [user, all.map(({ span }) => span)])),
      outages,
    }),
  );
  const counts: Record<string, number> = {
    events_logged: log.length,
    notifications: log.filter(({ type }) => type === 'notification.offline').length,
    kafka_records: 0,
    kafka_twice: 0,
  };
  if (kafka) {
    // Where the product says that it has come to is not believed: the topics are.
    const ledger = topicLedger();
    const records = await kafka.read(TOPICS, (record) => ledger.take(record));
    const later = await readLog(api, log.at(-1)?.cursor);
    breaches.push(...compareTopics(log, later, ledger));
    counts['kafka_records'] = records;
    counts['kafka_twice'] = records - ledger.firsts.size;
  }
  return { counts, breaches };
}
