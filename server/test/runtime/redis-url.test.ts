import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '../../src/runtime/config.ts';
import { redisAddress } from '../../src/runtime/redis-url.ts';

const load = (env: Record<string, string>) => loadConfig({ env, cwd: '/' });
const addressOf = (env: Record<string, string>) => redisAddress(load(env).config.redis);

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    load(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test('Redis is named by an address, by host and port, or in parts; without a name there is none', () => {
  assert.equal(addressOf({}), null);
  assert.equal(addressOf({ REDIS_URL: 'localhost:6380' }), 'redis://localhost:6380/0');
  assert.equal(addressOf({ REDIS_ADDR: 'redis', REDIS_DB: '3' }), 'redis://redis:6379/3');
  assert.equal(addressOf({ REDIS_HOST: 'cache', REDIS_PASSWORD: 'a b@c' }), 'redis://:a%20b%40c@cache:6379/0');
  assert.equal(addressOf({ REDIS_HOST: '::1' }), 'redis://[::1]:6379/0');
  assert.equal(addressOf({ MSG_SVC_REDIS_HOST: 'one', REDIS_HOST: 'two' }), 'redis://one:6379/0');
  assert.equal(
    addressOf({ REDIS_URI: 'rediss://svc:pw@cache.example:7000/2', REDIS_PASSWORD: 'other', REDIS_DB: '5' }),
    'rediss://svc:pw@cache.example:7000/2',
    'what an address says itself goes before what stands beside it',
  );
});

test("a cluster's own variable for a service called redis is read as the port in it", () => {
  assert.equal(addressOf({ REDIS_HOST: 'redis', REDIS_PORT: 'tcp://10.0.0.7:6390' }), 'redis://redis:6390/0');
});

test('what names no Redis, or two, is refused before anything starts, and shows no password', () => {
  assert.match(problemsOf({ ALDIS_REDIS_URL: 'http://x:hidden@y' })[0] ?? '', /redis\.url .* is not redis:\/\//);
  assert.match(problemsOf({ ALDIS_REDIS_URL: 'redis://a:b:hidden:c@' })[0] ?? '', /redis\.url/);
  assert.match(problemsOf({ REDIS_URL: 'redis://a', REDIS_HOST: 'b' })[0] ?? '', /name two servers/);
  assert.match(problemsOf({ REDIS_HOST: 'a', REDIS_PORT: '99999' })[0] ?? '', /redis\.port/);
  assert.match(problemsOf({ REDIS_HOST: 'a', REDIS_TTL: 'soon' })[0] ?? '', /redis\.ttl/);
  const all = [{ ALDIS_REDIS_URL: 'http://x:hidden@y' }, { ALDIS_REDIS_URL: 'redis://a:b:hidden:c@' }].flatMap(
    problemsOf,
  );
  assert.ok(!all.join().includes('hidden'));
});

test('parts without a host do nothing, and that is told', () => {
  assert.match(load({ REDIS_PASSWORD: 'x' }).warnings[0] ?? '', /redis\.password .* does nothing without/);
});
