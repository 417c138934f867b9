import { setTimeout as sleep } from 'node:timers/promises';
import type { Balancer } from '../src/balancer.ts';
import type { Kafka } from '../src/kafka.ts';
import type { Redis } from '../src/redis.ts';
import type { Cluster, Member } from './cluster.ts';
import type { Random } from './random.ts';
import type { StreamClient } from './stream-client.ts';
import type { Span } from './stream-notices.ts';

/** What trouble is made for. */
export interface TroubleOptions {
  cluster: Cluster;
  redis: Redis;
  /** null: there is none. */
  kafka: Kafka | null;
  balancer: Balancer;
  clients: readonly StreamClient[];
  random: Random;
  log: (text: string) => void;
  /** How long, in milliseconds. */
  ms: number;
  kafkaOutages: readonly KafkaOutage[];
}

/** A time without Kafka. It ends by a new start with what is on its disk. */
export interface KafkaOutage {
  /** When it begins: a share of the time of trouble. */
  at: number;
  /** For so long it stands still with its connections open, until it is killed. Milliseconds. */
  frozenMs: number;
  /** And for so long nobody listens. Milliseconds. */
  deadMs: number;
}

export interface Trouble {
  counts: Record<string, number>;
  /** While the database was away, and until the instances had said again that they live. */
  outages: Span[];
}

/** So often an instance is started that ends before it is ready. */
const MOST_STARTS = 5;
/** An instance that could not renew its lease does so within this time of the database's return, in milliseconds. */
const RENEWED_WITHIN = 10_000;
const DATABASE_ROUND = 14;
/** Rounds between two kills of the database. */
const DATABASE_EVERY = 200;

/** All kinds of trouble for a while. In the end everything is there again. */
export async function makeTrouble(options: TroubleOptions): Promise<Trouble> {
  const { cluster, redis, kafka, balancer, clients, random, log, ms } = options;
  const counts = {
    cuts: 0,
    stalls: 0,
    kills: 0,
    redis_flushes: 0,
    redis_stops: 0,
    database_kills: 0,
    kafka_outages: 0,
  };
  const outages: Span[] = [];
  const returns: Promise<void>[] = [];
  const later = (work: Promise<void>): void => {
    // It may fail before it is waited for.
    work.catch(() => {});
    returns.push(work);
  };
  const kafkaOutages = kafka ? [...options.kafkaOutages] : [];
  const began = performance.now();
  for (let round = 1; performance.now() - began < ms; round++) {
    await sleep(random.integer(300, 900));
    counts.cuts += balancer.cut(0.15, () => random.next());
    for (const client of clients) {
      if (random.next() >= 0.03) continue;
      client.stall(random.integer(500, 3000));
      counts.stalls++;
    }
    if (round % 8 === 4) {
      // It may be away just now.
      await redis.flush().then(
        () => counts.redis_flushes++,
        () => {},
      );
    }
    if (round % 16 === 6) {
      await redis.stop();
      later(sleep(random.integer(1000, 4000)).then(() => redis.start()));
      counts.redis_stops++;
    }
    const [outage] = kafkaOutages;
    if (kafka && outage && performance.now() - began >= outage.at * ms) {
      kafkaOutages.shift();
      later(withoutKafka(kafka, outage, log));
      counts.kafka_outages++;
    }
    const up = cluster.members.filter((member) => member.up);
    if (round % 10 === 9 && up.length === cluster.members.length) {
      const one = random.pick(up);
      await one.kill();
      counts.kills++;
      log(`kill -9 of ${one.name}, ${clients.filter(({ connected }) => connected).length} devices are connected`);
      later(startAgain(one, random.integer(300, 1500)));
    }
    if (round % DATABASE_EVERY === DATABASE_ROUND) {
      const from = Date.now();
      await cluster.postgres.stop('kill');
      await sleep(500);
      await cluster.postgres.start();
      outages.push({ from, to: Date.now() + RENEWED_WITHIN });
      counts.database_kills++;
      log('PostgreSQL was killed, and is back');
    }
  }
  await Promise.all(returns);
  return { counts, outages };
}

async function withoutKafka(
  kafka: Kafka,
  { frozenMs, deadMs }: KafkaOutage,
  log: (text: string) => void,
): Promise<void> {
  if (frozenMs > 0) {
    kafka.freeze();
    await sleep(frozenMs);
  }
  await kafka.kill();
  await sleep(deadMs);
  await kafka.start();
  log(`Kafka stood still for ${frozenMs / 1000} s and was gone for ${deadMs / 1000} s; it is back`);
}

/** As whoever looks after a service does: again, when it could not start because the database was away. */
async function startAgain(one: Member, after: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    await sleep(after);
    try {
      return await one.start();
    } catch (error) {
      // One that is only late would keep its port.
      await one.kill();
      if (tries === MOST_STARTS) throw error;
    }
  }
}
