import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointId } from '../../src/domain/ids.ts';
import type { TryOutcome } from '../../src/domain/webhook-retry.ts';
import { createLanes } from '../../src/fanout/webhooks/lanes.ts';

const id = (n: number) => `endpoint ${n}` as EndpointId;
const WELL: TryOutcome = { kind: 'delivered', status: 200 };
const bad = (retryAfter: number | null = null): TryOutcome => ({
  kind: 'failed',
  status: 500,
  detail: 'no',
  answer: null,
  retryAfter,
});

test('who answers well is given more and more, who is slow no more than a few, who fails half as much each time', () => {
  const lanes = createLanes();
  for (let i = 0; i < 200; i++) lanes.learn(id(1), WELL, 5, 0);
  assert.equal(lanes.of(id(1)).window, 100);
  lanes.learn(id(1), WELL, 5000, 0);
  assert.equal(lanes.of(id(1)).window, 8);
  for (const left of [4, 2, 1, 1]) {
    lanes.learn(id(1), bad(), 5, 0);
    assert.equal(lanes.of(id(1)).window, left);
  }
});

test('who fails on and on rests, for seconds; a wish is kept for a minute at most; a success ends it', () => {
  const lanes = createLanes();
  const rests = Array.from({ length: 12 }, () => {
    lanes.learn(id(1), bad(), 5, 0);
    return lanes.restOf(id(1), 0);
  });
  assert.deepEqual(rests, [0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
  assert.equal(lanes.roomOf(id(1), 4999), 0);
  assert.ok(lanes.roomOf(id(1), 5000) > 0);
  lanes.learn(id(1), bad(9_999_999), 5, 0);
  assert.equal(lanes.restOf(id(1), 0), 60_000);
  lanes.learn(id(1), WELL, 5, 0);
  lanes.learn(id(1), bad(), 5, 60_000);
  assert.equal(lanes.restOf(id(1), 60_000), 0);
});

test('new events are handed over only to who answers quickly, as much as he has room for', () => {
  const lanes = createLanes();
  assert.equal(lanes.handRoomOf(id(1), 0), 150);
  lanes.hand(id(1), 100);
  assert.equal(lanes.handRoomOf(id(1), 0), 50);
  lanes.unhand(id(1), 100);
  // A call that does not end in time: nothing more, until it does.
  lanes.call(id(1), 1000);
  lanes.call(id(1), 1200);
  assert.deepEqual([lanes.handRoomOf(id(1), 1500), lanes.handRoomOf(id(1), 1501)], [150, null]);
  lanes.learn(id(1), WELL, 300, 1600);
  assert.equal(lanes.of(id(1)).calling, 1);
  assert.ok((lanes.handRoomOf(id(1), 1610) ?? 0) > 150);
  lanes.learn(id(1), bad(), 5, 1610);
  assert.equal(lanes.handRoomOf(id(1), 1610), null);
  lanes.learn(id(1), WELL, 5, 1620);
  assert.equal(lanes.handRoomOf(id(1), 1620), null, 'a narrow window');
  for (let i = 0; i < 10; i++) lanes.learn(id(1), WELL, 5, 1630);
  assert.ok((lanes.handRoomOf(id(1), 1630) ?? 0) > 0);
  for (let i = 0; i < 20; i++) lanes.learn(id(1), WELL, 700, 1640);
  assert.equal(lanes.handRoomOf(id(1), 1640), null);
});

test('what is handed over is bounded over all endpoints, and does not take the room of what is stored', () => {
  const lanes = createLanes();
  let handed = 0;
  for (let n = 0; n < 100; n++) {
    const room = lanes.handRoomOf(id(n), 0) ?? 0;
    lanes.hand(id(n), room);
    handed += room;
  }
  assert.equal(handed, 8000);
  assert.equal(lanes.roomOf(id(1), 0), 50);
});

test('all that fail have at most half of what is in hand, however many they are', () => {
  const lanes = createLanes();
  let taken = 0;
  for (let n = 0; n < 5000; n++) {
    lanes.learn(id(n), bad(), 5, 0);
    const room = lanes.roomOf(id(n), 0);
    lanes.take(id(n), room);
    taken += room;
  }
  assert.equal(taken, 2000);
  assert.ok(lanes.roomOf(id(9999), 0) >= 10);
  // One that is well again counts no more among them.
  lanes.learn(id(0), WELL, 5, 0);
  assert.ok(lanes.roomOf(id(4999), 0) > 0);
  for (let n = 10_000; lanes.held < 4000; n++) lanes.take(id(n), Math.max(1, lanes.roomOf(id(n), 0)));
  assert.equal(lanes.roomOf(id(20_000), 0), 0);
});
