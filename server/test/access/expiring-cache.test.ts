import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpiringCache } from '../../src/access/expiring-cache.ts';

test('entries are forgotten with time, and the oldest when there are too many', () => {
  let time = 0;
  const cache = createExpiringCache<number>({ ttl: 10, limit: 2, clock: { now: () => time, monotonic: () => time } });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('c', 4);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c'), cache.size], [3, undefined, 4, 2]);
  time = 10;
  assert.deepEqual([cache.get('a'), cache.get('c'), cache.size], [undefined, undefined, 0]);
});
