import { createHmac } from 'node:crypto';
import type { RequestRatesDeps } from '../access/request-rates.ts';
import { createSharedRates } from '../access/shared-rates.ts';
import { createNoticeBoard } from '../actions/notices.ts';
import type { SentMessage } from '../actions/settle-sends.ts';
import type { RedisLink } from '../outside/redis.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { redisAddress } from '../runtime/redis-url.ts';
import type { Config } from '../runtime/settings.ts';
import type { Carrier } from '../signals/carrier.ts';
import { createPostgresSignals } from '../signals/postgres-signals.ts';
import { createRedisSignals } from '../signals/redis-signals.ts';
import { createSharedSignals } from '../signals/shared-signals.ts';
import { memorySignals, type Signals } from '../signals/signals.ts';
import type { Common } from './engine.ts';

/** What instances share beside the database. */
export interface Shared {
  signals: Signals;
  /** To be started before all that tells or listens. */
  parts: Part[];
  /** Makes a tenant's bucket of requests one that all instances share; undefined: each counts for itself. */
  shareRate: RequestRatesDeps['share'];
  /** Wants to know what was sent; undefined: nobody does. */
  sent: ((sent: readonly SentMessage[]) => void) | undefined;
  /** How Redis is: null: there is none; `ok`, or what is wrong. */
  redis(): string | null;
}

export interface SharedOptions {
  /** This process is the only instance. */
  alone: boolean;
  /** A secret of the installation, the same in all its instances. */
  secret: Buffer;
}

/**
 * Signals between instances, and what else Redis is for. With an embedded database there are no others, so that signals stay in the
 * process. Else they go by Redis while there is one, and by the database.
 */
export async function buildSignals(
  config: Config,
  common: Omit<Common, 'signals' | 'slot'>,
  { alone, secret }: SharedOptions,
): Promise<Shared> {
  const { db, clock, logger, metrics, instance } = common;
  const redis = await linkToRedis(config, common);
  const { ttl } = config.redis;
  const prefix = `${config.redis.prefix}:`;
  const parts: Part[] = redis ? [redis] : [];

  let signals: Signals = memorySignals();
  if (!alone) {
    const carriers: Carrier[] = [];
    // Two installations may use one Redis: each has a channel of its own.
    const installation = createHmac('sha256', secret).update('signals').digest('hex').slice(0, 16);
    if (redis)
      carriers.push(createRedisSignals({ pubsub: redis, channel: `${prefix}signals:${installation}`, instance }));
    carriers.push(createPostgresSignals({ board: createNoticeBoard(db, instance), clock, logger }));
    const shared = createSharedSignals({
      instance,
      carriers,
      logger,
      count: {
        sent: (bus) => metrics.signalNotices.add(1, { bus, direction: 'sent' }),
        received: (bus) => metrics.signalNotices.add(1, { bus, direction: 'received' }),
        gap: () => metrics.signalGaps.add(1),
        lost: (words) => metrics.signalWordsLost.add(words),
      },
    });
    signals = shared;
    parts.push(shared);
  }
  if (redis === null) return { signals, parts, shareRate: undefined, sent: undefined, redis: () => null };

  const { redisRates } = await import('../outside/redis-rates.ts');
  const { createSentCache } = await import('../outside/sent-cache.ts');
  const cache = ttl > 0 ? createSentCache({ redis, prefix, ttl }) : null;
  if (cache) parts.push(cache);
  return {
    signals,
    parts,
    shareRate: alone ? undefined : createSharedRates(redisRates(redis, prefix)).share,
    sent: cache?.note,
    redis: () => redis.trouble ?? 'ok',
  };
}

/** The connection to the Redis that the configuration names, or null. */
async function linkToRedis(
  config: Config,
  { logger, metrics }: Pick<Common, 'logger' | 'metrics'>,
): Promise<RedisLink | null> {
  const url = redisAddress(config.redis);
  if (url === null) return null;
  // Its client is large, and wanted by few.
  const { createRedisLink } = await import('../outside/redis.ts');
  metrics.redisUp.set(0);
  return createRedisLink({ url, logger, changed: (works) => metrics.redisUp.set(works ? 1 : 0) });
}
