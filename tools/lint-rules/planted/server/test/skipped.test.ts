// breaks: noSkippedTests
import assert from 'node:assert/strict';
import test from 'node:test';

void test.skip('later', () => {
  assert.ok(true);
});
