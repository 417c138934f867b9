import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestBucket, requestRateOf } from '../../src/domain/request-rate.ts';

test('a bucket starts full, empties, and fills at its rate up to its burst', () => {
  const bucket = requestBucket({ per_second: 10, burst: 20 }, 0);
  for (let i = 0; i < 20; i++) assert.equal(bucket.take(0).allowed, true);
  assert.deepEqual(bucket.take(0), { allowed: false, remaining: 0, reset: 1 });
  assert.equal(bucket.take(99).allowed, false);
  assert.equal(bucket.take(100).allowed, true);
  assert.deepEqual(bucket.take(60_000), { allowed: true, remaining: 19, reset: 1 });
});

test('over any time it lets no more through than burst and rate together, whatever the clock does', () => {
  const bucket = requestBucket({ per_second: 7, burst: 5 }, 1000);
  let passed = 0;
  for (let now = 1000; now <= 11_000; now += 3) if (bucket.take(now % 5 === 0 ? now - 500 : now).allowed) passed++;
  assert.ok(passed <= 75 && passed >= 74, String(passed));
});

test('a slow rate says how long to wait, and a new rate keeps what is left', () => {
  const bucket = requestBucket({ per_second: 1, burst: 100 }, 0);
  assert.equal(bucket.take(0).reset, 1);
  bucket.setRate({ per_second: 1, burst: 2 });
  assert.deepEqual(bucket.take(0), { allowed: true, remaining: 1, reset: 1 });
  assert.deepEqual(bucket.take(0), { allowed: true, remaining: 0, reset: 1 });
});

test('a rate is the tenant’s own or the configured one, with a burst of two seconds unless one is named', () => {
  const none = { requests_per_second: null, request_burst: null };
  const set = (requests_per_second: number | null, request_burst: number | null) => ({
    requests_per_second,
    request_burst,
  });
  assert.equal(requestRateOf(none, none), null);
  assert.equal(requestRateOf(set(null, 5), none), null);
  assert.deepEqual(requestRateOf(none, set(10, null)), { per_second: 10, burst: 20 });
  assert.deepEqual(requestRateOf(none, set(10, 50)), { per_second: 10, burst: 50 });
  assert.deepEqual(requestRateOf(set(3, null), set(10, 50)), { per_second: 3, burst: 6 });
  assert.deepEqual(requestRateOf(set(null, 7), set(10, 50)), { per_second: 10, burst: 7 });
});
