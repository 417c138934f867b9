import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TenantId } from '../../src/domain/ids.ts';
import { createLooks } from '../../src/fanout/looks.ts';

const id = (n: number) => `tenant ${n}` as TenantId;

test('a tenant that is told of is looked at at once; while its events are handed on it is not, and then again if it was told of', () => {
  const looks = createLooks();
  assert.equal(looks.next(), Number.POSITIVE_INFINITY);
  assert.equal(looks.told(id(1), 100), 'sooner');
  assert.equal(looks.told(id(1), 100), 'planned');
  assert.deepEqual([looks.next(), looks.due(99, 10), looks.due(100, 10)], [100, [], [id(1)]]);
  looks.begun(id(1));
  assert.equal(looks.told(id(1), 105), 'planned');
  assert.deepEqual([looks.next(), looks.due(1000, 10)], [Number.POSITIVE_INFINITY, []]);
  looks.done(id(1), 110, null);
  assert.equal(looks.next(), 130);
  // Signals that come meanwhile wait with it: one look takes what all of them told.
  assert.equal(looks.told(id(1), 111), 'planned');
  assert.deepEqual(looks.due(130, 10), [id(1)]);
});

test('where there is more the next look comes at once; where a rest was asked for, no signal ends it', () => {
  const looks = createLooks();
  looks.begun(id(1));
  looks.done(id(1), 100, 0);
  assert.deepEqual(looks.due(100, 10), [id(1)]);
  looks.begun(id(1));
  looks.done(id(1), 100, 5000);
  assert.equal(looks.told(id(1), 200), 'planned');
  assert.equal(looks.next(), 5100);
});

test('looks in vain come more and more rarely, and end; a signal begins anew, at a distance', () => {
  const looks = createLooks();
  looks.told(id(1), 0);
  const times: number[] = [];
  for (let now = looks.next(); Number.isFinite(now); now = looks.next()) {
    times.push(now);
    looks.missed(id(1), now, true);
  }
  assert.deepEqual(times, [0, 5, 25, 105, 355, 855, 2855]);

  looks.told(id(1), 10_000);
  looks.missed(id(1), 10_000, true);
  looks.missed(id(1), 10_005, true);
  looks.missed(id(1), 10_025, true);
  assert.equal(looks.next(), 10_105);
  assert.equal(looks.told(id(1), 10_030), 'sooner');
  assert.equal(looks.next(), 10_045);
});

test('a tenant that is not followed is left alone for a second, however often it is told of', () => {
  const looks = createLooks();
  looks.told(id(1), 0);
  looks.missed(id(1), 0, false);
  assert.deepEqual([looks.due(999, 10), looks.next()], [[], Number.POSITIVE_INFINITY]);
  for (let now = 500; now < 999; now++) assert.equal(looks.told(id(1), now), 'planned');
  // It may be followed by then.
  assert.deepEqual([looks.next(), looks.due(999, 10), looks.due(1000, 10)], [1000, [], [id(1)]]);
  looks.missed(id(1), 1000, false);
  // Nobody told of it since: it is forgotten.
  assert.deepEqual(looks.due(2000, 10), []);
  assert.equal(looks.told(id(1), 2001), 'sooner');
});

test('it holds two thousand tenants, and says when it has no room', () => {
  const looks = createLooks();
  const known = Array.from({ length: 3000 }, (_, n) => looks.told(id(n), 0));
  assert.equal(known.filter((told) => told === 'full').length, 1000);
  assert.equal(looks.due(0, 100).length, 100);
});
