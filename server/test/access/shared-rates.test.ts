import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createSharedRates } from '../../src/access/shared-rates.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { type RequestBucket, type RequestRate, requestBucket } from '../../src/domain/request-rate.ts';
import { createRedisLink, type RedisLink } from '../../src/outside/redis.ts';
import { redisRates } from '../../src/outside/redis-rates.ts';
import { NO_REDIS, redisOf } from '../outside/redis-server.ts';
import { until } from '../until.ts';

const quiet = { info() {}, warn() {} };

/** Instances with a connection each. */
async function instances(t: TestContext, url: string, n: number): Promise<RedisLink[]> {
  const links = Array.from({ length: n }, () => createRedisLink({ url, logger: quiet }));
  for (const link of links) {
    await link.start();
    t.after(() => link.stop());
  }
  return links;
}

/** A tenant's bucket in each of them. */
function bucketsOf(links: readonly RedisLink[], rate: RequestRate): RequestBucket[] {
  const tenant = newId<TenantId>();
  return links.map((link) =>
    createSharedRates(redisRates(link, 'test:')).share(tenant, requestBucket(rate, performance.now())),
  );
}

test('three instances together let through what the rate allows, in the mean exactly', {
  skip: NO_REDIS,
}, async (t) => {
  const redis = await redisOf(t);
  const rate = { per_second: 200, burst: 200 };
  const buckets = bucketsOf(await instances(t, redis.url, 3), rate);
  const since = performance.now();
  let passed = 0;
  await until('two seconds of requests', () => {
    // Ten times what is allowed.
    for (const bucket of buckets) for (let i = 0; i < 4; i++) if (bucket.take(performance.now()).allowed) passed++;
    return performance.now() - since > 2000;
  });
  const allowed = rate.burst + (rate.per_second * (performance.now() - since)) / 1000;
  t.diagnostic(`${passed} passed, ${Math.round(allowed)} allowed`);
  // Beyond: the bursts of the other two in the first moment, which are paid back, and what is under way at the end.
  assert.ok(passed <= allowed + 2 * rate.burst, `${passed} of ${allowed}`);
  assert.ok(passed >= allowed * 0.7, `${passed} of ${allowed}`);
});

test('what one instance used, the others know a moment later', { skip: NO_REDIS }, async (t) => {
  const redis = await redisOf(t);
  const [one, two] = bucketsOf(await instances(t, redis.url, 2), { per_second: 0.01, burst: 20 });
  assert.ok(one && two);
  for (let i = 0; i < 20; i++) assert.equal(one.take(performance.now()).allowed, true);
  assert.equal(one.take(performance.now()).allowed, false);
  let through = 0;
  await until('the other refuses', () => {
    const { allowed } = two.take(performance.now());
    if (allowed) through++;
    return !allowed;
  });
  assert.ok(through < 20, `${through} of a whole burst`);
});

test('while Redis is away each instance counts for itself, and waits for nothing', { skip: NO_REDIS }, async (t) => {
  const redis = await redisOf(t);
  const links = await instances(t, redis.url, 2);
  const [one, two] = bucketsOf(links, { per_second: 0.01, burst: 5 });
  assert.ok(one && two);
  await redis.kill();
  await until('it is away', () => links.every((link) => !link.works));
  for (const bucket of [one, two]) {
    const verdicts = Array.from({ length: 8 }, () => bucket.take(performance.now()).allowed);
    assert.equal(verdicts.filter(Boolean).length, 5);
  }
  await redis.restart();
  await until('it is back', () => links.every((link) => link.works));
  // Its bucket is new and full: what was let through meanwhile is forgiven, and no more than a burst.
  await until('the shared bucket counts again', () => one.take(performance.now()).allowed);
});

test('a store that answers late or wrongly keeps nobody waiting, and a bucket that owes says how long', async () => {
  const answers: PromiseWithResolvers<number>[] = [];
  const rates = createSharedRates({
    works: true,
    spend() {
      const answer = Promise.withResolvers<number>();
      answers.push(answer);
      return answer.promise;
    },
  });
  const bucket = rates.share(newId<TenantId>(), requestBucket({ per_second: 1, burst: 10 }, 0));
  assert.equal(bucket.take(performance.now()).allowed, true);
  await until('it is asked', () => answers.length === 1);
  assert.equal(bucket.take(performance.now()).allowed, true);
  answers[0]?.reject(new Error('no answer'));
  await until('it is asked again', () => answers.length === 2);
  answers[1]?.resolve(-4);
  await until('it owes', () => !bucket.take(performance.now()).allowed);
  const { remaining, reset } = bucket.take(performance.now());
  assert.equal(remaining, 0);
  assert.ok(reset >= 4 && reset <= 6, String(reset));
  for (const answer of answers) answer.resolve(0);
});
