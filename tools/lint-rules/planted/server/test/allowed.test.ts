// Allowed: the runner waits for its tests, and a test reads what it is about to assert.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

test('one', async () => {
  const body = JSON.parse('{"a":1}');
  assert.equal(body.a, await Promise.resolve(1));
});

describe('two', () => {
  test('three', () => {
    assert.ok(true);
  });
});
