import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUuid, type MessageId, newId, timeOfId } from '../../src/domain/ids.ts';

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
// Every id of a process is later than the one before, so these tests begin where the clock is not yet.
let future = 4_000_000_000_000;
function later(): number {
  future += 1000;
  return future;
}

test('ids of one millisecond are distinct, in order, and of version 7', () => {
  const now = later();
  // More than 12 bits can count: the time in the id runs ahead rather than wrap.
  const ids = Array.from({ length: 10_000 }, () => newId<MessageId>(now));
  for (const [index, id] of ids.entries()) {
    assert.match(id, V7);
    assert.ok(isUuid(id));
    const next = ids[index + 1];
    if (next) assert.ok(id < next);
  }
  assert.equal(timeOfId(ids[0] ?? ''), now);
  assert.ok(timeOfId(ids.at(-1) ?? '') <= now + 3);
});

test('a clock that goes back does not take the order with it', () => {
  const now = later();
  const before = newId<MessageId>(now);
  const after = newId<MessageId>(now - 500);
  assert.ok(before < after);
  assert.equal(timeOfId(newId<MessageId>(now + 1)), now + 1);
});

test('what is random in ids made together is not the same', () => {
  const now = later();
  const tails = new Set(Array.from({ length: 2000 }, () => newId<MessageId>(now).slice(20)));
  assert.equal(tails.size, 2000);
});

test('a uuid is lower case with dashes', () => {
  assert.equal(isUuid(newId<MessageId>().toUpperCase()), false);
  assert.equal(isUuid(newId<MessageId>().replaceAll('-', '')), false);
});
