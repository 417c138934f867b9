// breaks: noFocusedTests
import assert from 'node:assert/strict';
import test from 'node:test';

void test.only('this', () => {
  assert.ok(true);
});
