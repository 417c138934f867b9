import type { TenantId } from '../domain/ids.ts';
import type { RequestRate } from '../domain/request-rate.ts';
import type { RedisLink } from './redis.ts';

/**
 * A token bucket that takes what was used already, and may owe: a hash with its level and the time of that, by the clock of Redis.
 * It goes when it would be full again anyway.
 */
const SPEND = `
local used, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(kept[1]) or burst
local at = tonumber(kept[2]) or now
level = math.min(burst, level + math.max(0, now - at) / 1000 * rate) - used
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
return string.format('%.6f', level)
`;

/** Buckets of requests in Redis, for access/shared-rates.ts. One for each tenant, under `prefix` and its id. */
export function redisRates(redis: Pick<RedisLink, 'works' | 'run'>, prefix: string) {
  return {
    get works() {
      return redis.works;
    },
    async spend(tenant: TenantId, used: number, { per_second, burst }: RequestRate): Promise<number> {
      const left = await redis.run(SPEND, `${prefix}rate:${tenant}`, [used, per_second, burst].map(String));
      const level = Number(left);
      if (!Number.isFinite(level)) throw new Error('Redis answered no number');
      return level;
    },
  };
}
