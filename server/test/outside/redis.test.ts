import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type MessageId, newId, type TenantId } from '../../src/domain/ids.ts';
import type { RequestRate } from '../../src/domain/request-rate.ts';
import { createRedisLink, type RedisLink } from '../../src/outside/redis.ts';
import { redisRates } from '../../src/outside/redis-rates.ts';
import { createSentCache } from '../../src/outside/sent-cache.ts';
import { certificates } from '../http/certificates.ts';
import { until } from '../until.ts';
import { NO_REDIS, type RedisServer, redisOf, startRedis } from './redis-server.ts';

const quiet = { info() {}, warn() {} };

async function within<T>(ms: number, what: Promise<T>): Promise<T> {
  const since = performance.now();
  try {
    return await what;
  } finally {
    const took = performance.now() - since;
    assert.ok(took < ms, `${took} ms`);
  }
}

describe('the link to Redis', { skip: NO_REDIS }, () => {
  test('a missing Redis keeps nothing from starting; calls are refused at once, and it is found when it comes', async (t) => {
    const redis = await redisOf(t);
    await redis.kill();
    const link = createRedisLink({ url: redis.url, logger: quiet });
    t.after(() => link.stop());
    await within(5000, link.start());
    assert.equal(link.works, false);
    assert.match(link.trouble ?? '', /ECONNREFUSED/);
    await assert.rejects(within(200, link.publish('x', 'y')), /away/);
    await redis.restart();
    await until('it is found', () => link.works);
    assert.equal(link.trouble, null);
    assert.equal(await link.publish('x', 'y'), 0);
  });

  test('a wrong password is told, and is not in what is told', async (t) => {
    const redis = await redisOf(t, { password: 'right-planted' });
    const told: object[] = [];
    const logger = { info() {}, warn: (about: object) => told.push(about) };
    const link = createRedisLink({ url: redis.url.replace('right-planted', 'wrong-planted'), logger: logger as never });
    t.after(() => link.stop());
    await link.start();
    assert.match(link.trouble ?? '', /WRONGPASS|NOAUTH/);
    assert.ok(!JSON.stringify(told).includes('planted'));
    assert.ok(told.length <= 1, 'once for a reason, not once for each try');
    const right = createRedisLink({ url: redis.url, logger: quiet });
    await right.start();
    assert.equal(right.works, true);
    await right.stop();
    await right.stop();
    assert.equal(right.works, false);
  });

  test('what Redis refuses is thrown, and logged once', async (t) => {
    const redis = await redisOf(t);
    const told: string[] = [];
    const link = createRedisLink({
      url: redis.url,
      logger: { info() {}, warn: (_: unknown, text?: string) => told.push(text ?? '') },
    });
    t.after(() => link.stop());
    await link.start();
    for (let i = 0; i < 3; i++)
      await assert.rejects(link.run("return redis.call('NOSUCH', KEYS[1])", 'k', []), /NOSUCH|Unknown/i);
    assert.deepEqual(told, ['Redis refuses what it is asked; what that is for does without it']);
    assert.equal(link.works, true);
  });

  test('one that answers no more is given up within seconds, and no call waits so long', async (t) => {
    const redis = await redisOf(t);
    const link = createRedisLink({ url: redis.url, logger: quiet });
    t.after(() => link.stop());
    await link.start();
    redis.freeze();
    await assert.rejects(within(4000, link.publish('x', 'y')), /took longer|closed|away/i);
    await until('it is given up', () => !link.works);
    redis.thaw();
    await until('it is back', () => link.works);
  });

  test('subscriptions stand again after it was away, and say so; ended ones do not', async (t) => {
    const redis = await redisOf(t);
    const link = createRedisLink({ url: redis.url, logger: quiet });
    t.after(() => link.stop());
    const heard: string[] = [];
    let backs = 0;
    link.subscribe(
      'a',
      (text) => heard.push(text),
      () => backs++,
    );
    const end = link.subscribe(
      'b',
      (text) => heard.push(text),
      () => {},
    );
    await link.start();
    await until('it stands', () => backs === 1);
    end();
    await redis.kill();
    await until('it is away', () => !link.works);
    await redis.restart();
    await until('it stands again', () => backs === 2);
    await link.publish('b', 'nobody hears');
    assert.equal(await link.publish('a', 'heard'), 1);
    await until('it is heard', () => heard.length > 0);
    assert.deepEqual(heard, ['heard']);
  });

  test('rediss: is TLS, and a certificate that nobody vouches for is refused', async (t) => {
    const made = certificates();
    t.after(made.remove);
    const redis = await redisOf(t, { tls: made.make('redis') });
    const link = createRedisLink({ url: `rediss://127.0.0.1:${redis.tlsPort}`, logger: quiet });
    t.after(() => link.stop());
    await link.start();
    assert.equal(link.works, false);
    assert.match(link.trouble ?? '', /self-signed certificate/);
  });

  test('a stop before a start, or while it looks for one that does not answer, ends', async (t) => {
    const redis = await redisOf(t);
    const never = createRedisLink({ url: redis.url, logger: quiet });
    await never.stop();
    redis.freeze();
    const looking = createRedisLink({ url: redis.url, logger: quiet });
    const starting = looking.start();
    await within(8000, looking.stop());
    await starting;
  });
});

describe('what Redis keeps', { skip: NO_REDIS }, () => {
  let redis: RedisServer;
  let link: RedisLink;

  before(async () => {
    redis = await startRedis();
    link = createRedisLink({ url: redis.url, logger: quiet });
    await link.start();
  });
  after(async () => {
    await link.stop();
    await redis.remove();
  });
  const read = (command: string, key: string) => link.run(`return redis.call('${command}', KEYS[1])`, key, []);

  test('a bucket begins full, takes what was used, owes, and fills at its rate; each tenant has its own', async () => {
    const rates = redisRates(link, 'test:');
    const [tenant, other] = [newId<TenantId>(), newId<TenantId>()];
    const rate: RequestRate = { per_second: 1000, burst: 10 };
    const slow: RequestRate = { per_second: 0.001, burst: 10 };
    assert.equal(Math.round(await rates.spend(tenant, 3, slow)), 7);
    assert.equal(Math.round(await rates.spend(tenant, 12, slow)), -5);
    assert.equal(Math.round(await rates.spend(other, 0, slow)), 10);
    await until('it fills', async () => (await rates.spend(tenant, 0, rate)) === 10);
    await link.run("return redis.call('FLUSHALL')", 'x', []);
    assert.equal(await rates.spend(tenant, 1, rate), 9, 'emptied, it begins anew');
  });

  test('a bucket goes when it would be full again', async () => {
    const rates = redisRates(link, 'test:');
    const tenant = newId<TenantId>();
    await rates.spend(tenant, 4, { per_second: 2, burst: 10 });
    const left = Number(await read('PTTL', `test:rate:${tenant}`));
    assert.ok(left > 2000 && left <= 3001, String(left));
  });

  test('what was sent stands there for its time, with the provider’s id and when it was sent', async () => {
    const cache = createSentCache({ redis: link, prefix: 'test:', ttl: 86_400_000 });
    await cache.start();
    const tenant = newId<TenantId>();
    const sent = Array.from({ length: 2500 }, (_, i) => ({
      tenant,
      message: newId<MessageId>(),
      wamid: `wamid.${i}`,
      at: i,
    }));
    cache.note(sent);
    await cache.stop();
    for (const one of [sent[0], sent[2499]]) {
      assert.ok(one);
      const key = `test:sent:${one.message}`;
      assert.deepEqual(JSON.parse(String(await read('GET', key))), {
        id: one.message,
        tenant_id: tenant,
        webhookMessageId: one.wamid,
        sentAt: new Date(one.at).toISOString(),
      });
      const left = Number(await read('PTTL', key));
      assert.ok(left > 86_000_000 && left <= 86_400_000, String(left));
    }
  });

  test('while Redis is away what was sent is left out, and nothing waits or grows', async (t) => {
    const other = await redisOf(t);
    const away = createRedisLink({ url: other.url, logger: quiet });
    t.after(() => away.stop());
    await away.start();
    await other.kill();
    await until('it is away', () => !away.works);
    const cache = createSentCache({ redis: away, prefix: 'test:', ttl: 1000 });
    const one = { tenant: newId<TenantId>(), message: newId<MessageId>(), wamid: 'w', at: 0 };
    cache.note(Array.from({ length: 100_000 }, () => one));
    await within(500, cache.stop());
  });
});
