import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginningOf, MOST_TRIES, mayWish, pauseAfter, refusalOf } from '../../src/domain/webhook-retry.ts';

const HOUR = 3_600_000;

test('pauses grow from seconds to a day, and end within three days', () => {
  const full = [5000, 30_000, 120_000, 600_000, 1_800_000, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR];
  assert.deepEqual(
    full.map((_, i) => pauseAfter(i + 1, null, 0)),
    full,
  );
  const sum = full.reduce((all, one) => all + one, 0);
  assert.ok(sum > 60 * HOUR && sum < 72 * HOUR);
  assert.equal(MOST_TRIES, full.length + 1);
  assert.equal(pauseAfter(MOST_TRIES, HOUR, 0), null);
});

test('jitter takes up to a fifth off; a wish is a lower bound, of an hour at most', () => {
  assert.equal(pauseAfter(1, null, 1), 4000);
  assert.equal(pauseAfter(1, 60_000, 0.5), 60_000);
  assert.equal(pauseAfter(1, 9 * HOUR, 0), HOUR);
  assert.equal(pauseAfter(9, 1000, 0), 24 * HOUR);
});

test('2xx is delivered, and nothing else; who may wish', () => {
  for (const status of [200, 201, 202, 204, 299]) assert.equal(refusalOf(status), null);
  for (const status of [301, 302, 400, 401, 404, 410, 429, 500, 503])
    assert.match(refusalOf(status) ?? '', new RegExp(`${status}`));
  assert.deepEqual([429, 503, 500, 400].map(mayWish), [true, true, false, false]);
});

test('of an answer its beginning is kept, as the store can hold it', () => {
  assert.equal(beginningOf('  no\0 '), 'no\ufffd');
  assert.equal(beginningOf(' \n'), null);
  const cut = beginningOf(`${'x'.repeat(499)}\u{1F44B}`) ?? '';
  assert.ok(cut.length === 500 && cut.isWellFormed());
});
