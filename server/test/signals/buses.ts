import { createNoticeBoard } from '../../src/actions/notices.ts';
import { type Db, openPool } from '../../src/db/pool.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { createRedisLink, type RedisLink } from '../../src/outside/redis.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Carrier } from '../../src/signals/carrier.ts';
import { createPostgresSignals } from '../../src/signals/postgres-signals.ts';
import { createRedisSignals } from '../../src/signals/redis-signals.ts';
import { createSharedSignals, type SharedSignals } from '../../src/signals/shared-signals.ts';
import { testDatabase } from '../database.ts';
import { startRedis } from '../outside/redis-server.ts';
import { until } from '../until.ts';
import { type Relay, startRelay } from './relay.ts';

export const quiet = { info() {}, warn() {}, error() {} };

/** An instance as far as signals go: what it tells, and what went by its carriers. */
export interface BusInstance {
  id: InstanceId;
  signals: SharedSignals;
  /** Notices sent and received, and gaps, by carrier: `sent redis`, `received postgres`, `gap`. */
  counts: Map<string, number>;
}

/** Instances that share a bus, and what can be done to that. */
export interface BusWorld {
  /** Starts so many more; resolves when they know of each other. */
  start(n: number): Promise<BusInstance[]>;
  /** The bus is away for all. */
  breakBus(): Promise<void>;
  mendBus(): Promise<void>;
  close(): Promise<void>;
}

/** Counts what happens, and makes the signals of one instance. */
export function instanceWith(id: InstanceId, carriers: readonly Carrier[]): BusInstance {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const signals = createSharedSignals({
    instance: id,
    carriers,
    logger: quiet,
    count: {
      sent: (carrier) => add(`sent ${carrier}`),
      received: (carrier) => add(`received ${carrier}`),
      gap: () => add('gap'),
      lost: () => add('lost'),
    },
  });
  return { id, signals, counts };
}

/** Writes that an instance lives, as its lease does. */
export async function bear(db: Db, id: InstanceId): Promise<void> {
  await db.script(
    `insert into instances (id, expires_at, description) values ('${id}', clock_timestamp() + interval '1 hour', 'test')`,
  );
}

/** Resolves when each carrier of each instance knows of all. */
async function acquainted(carriers: readonly Carrier[], all: number): Promise<void> {
  await until('all instances know of each other', () => carriers.every((carrier) => carrier.others >= all - 1));
}

/** A relay to a database, and the address by it. */
async function relayTo(database: string): Promise<{ url: string; relay: Relay }> {
  const url = new URL(database);
  // The suite's own server listens in a folder, which is named behind; others listen on a port.
  const folder = url.searchParams.get('host');
  const path = `${folder}/.s.PGSQL.${url.port}`;
  const relay = await startRelay(folder === null ? { host: url.hostname, port: Number(url.port) } : { path });
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  return { url: url.href, relay };
}

/** The database alone, by a relay that can be cut. */
export async function postgresWorld(): Promise<BusWorld> {
  const database = await testDatabase();
  const { url, relay } = await relayTo(database.url);
  const pools: Db[] = [];
  const all: BusInstance[] = [];
  const carriers: Carrier[] = [];
  return {
    async start(n) {
      const made: BusInstance[] = [];
      for (let i = 0; i < n; i++) {
        const id = newId<InstanceId>();
        await bear(database.db, id);
        const db = openPool({ connection: url, max: 2, onError() {} });
        pools.push(db);
        const carrier = createPostgresSignals({ board: createNoticeBoard(db, id), clock: systemClock, logger: quiet });
        carriers.push(carrier);
        made.push(instanceWith(id, [carrier]));
      }
      all.push(...made);
      for (const { signals } of made) await signals.start();
      await acquainted(carriers, all.length);
      return made;
    },
    async breakBus() {
      relay.cut();
      await until('it is noticed', () => carriers.every((carrier) => !carrier.works));
    },
    async mendBus() {
      relay.mend();
    },
    async close() {
      await Promise.all(all.map(({ signals }) => signals.stop()));
      await Promise.all(pools.map((db) => db.close()));
      await relay.close();
      await database.drop();
    },
  };
}

/** Redis alone. */
export async function redisWorld(): Promise<BusWorld> {
  const redis = await startRedis();
  const links: RedisLink[] = [];
  const all: BusInstance[] = [];
  const carriers: Carrier[] = [];
  return {
    async start(n) {
      const made: BusInstance[] = [];
      for (let i = 0; i < n; i++) {
        const id = newId<InstanceId>();
        const link = createRedisLink({ url: redis.url, logger: quiet });
        await link.start();
        links.push(link);
        const carrier = createRedisSignals({ pubsub: link, channel: 'test:signals', instance: id });
        carriers.push(carrier);
        made.push(instanceWith(id, [carrier]));
      }
      all.push(...made);
      for (const { signals } of made) await signals.start();
      await acquainted(carriers, all.length);
      return made;
    },
    async breakBus() {
      await redis.kill();
      await until('it is noticed', () => links.every((link) => !link.works));
    },
    // Nothing waits for a Redis that an instance has not found again yet: without the other way it would be lost.
    async mendBus() {
      await redis.restart();
      await acquainted(carriers, all.length);
    },
    async close() {
      await Promise.all(all.map(({ signals }) => signals.stop()));
      await Promise.all(links.map((link) => link.stop()));
      await redis.remove();
    },
  };
}

/** No bus: what one instance promises to itself. */
export async function aloneWorld(): Promise<BusWorld> {
  const all: BusInstance[] = [];
  return {
    async start() {
      const one = instanceWith(newId<InstanceId>(), []);
      await one.signals.start();
      all.push(one);
      return [one];
    },
    async breakBus() {},
    async mendBus() {},
    async close() {
      await Promise.all(all.map(({ signals }) => signals.stop()));
    },
  };
}
