import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockStep } from '../../src/domain/clock-step.ts';
import type { InstanceId } from '../../src/domain/ids.ts';
import { type LaneView, laneShare } from '../../src/domain/lane.ts';

const ids = 'abcdefghij'.split('') as InstanceId[];
const view = (total: number, ...lanes: number[]): LaneView => ({
  total,
  living: lanes.map((count, i) => ({ id: ids[i] as InstanceId, lanes: count })),
});

test('shares are even, add up to all lanes, and differ by one at most', () => {
  for (let total = 0; total <= 30; total++) {
    for (let living = 1; living <= ids.length; living++) {
      const all = view(total, ...Array.from({ length: living }, () => 0));
      const quotas = all.living.map(({ id }) => laneShare(all, id).quota);
      assert.equal(
        quotas.reduce((sum, quota) => sum + quota, 0),
        total,
      );
      assert.ok(Math.max(...quotas) - Math.min(...quotas) <= 1, `${total} lanes: ${quotas}`);
    }
  }
});

test('a newcomer makes the others give what is too much, and a lane less is not worth a move', () => {
  const joined = view(10, 4, 3, 3, 0);
  assert.deepEqual(laneShare(joined, ids[0] as InstanceId), { quota: 3, take: 0, give: 1 });
  assert.deepEqual(laneShare(joined, ids[2] as InstanceId), { quota: 2, take: 0, give: 1 });
  assert.deepEqual(laneShare(joined, ids[3] as InstanceId), { quota: 2, take: 0, give: 0 });
  assert.deepEqual(laneShare(view(5, 2, 3), ids[1] as InstanceId), { quota: 2, take: 0, give: 0 });
});

test('after a death the others take what is missing of their shares, and together all of it', () => {
  const left = view(10, 3, 3, 2);
  const takes = ids.slice(0, 3).map((id) => laneShare(left, id).take);
  assert.deepEqual(takes, [1, 0, 1]);
});

test('whoever starts in whatever order, and dies, all lanes are owned evenly in the end, and then nothing moves', () => {
  const owned = new Map<InstanceId, number>();
  const total = 17;
  const settle = () => {
    for (let round = 0; round < 20; round++) {
      let moved = false;
      for (const id of owned.keys()) {
        const living = [...owned].map(([one, lanes]) => ({ id: one, lanes })).sort((a, b) => (a.id < b.id ? -1 : 1));
        const { take, give } = laneShare({ living, total }, id);
        owned.set(id, (owned.get(id) ?? 0) + take - give);
        moved ||= take + give > 0;
      }
      if (!moved) return;
    }
    assert.fail('lanes never came to rest');
  };
  const steps = [0, 1, 2, 3, -1, 4, 5, -0, 6, 7, -3, -5].map((step) => ({
    id: ids[Math.abs(step)] as InstanceId,
    dies: Object.is(step, -0) || step < 0,
  }));
  for (const { id, dies } of steps) {
    if (dies) owned.delete(id);
    else owned.set(id, 0);
    settle();
    const lanes = [...owned.values()];
    assert.equal(
      lanes.reduce((sum, count) => sum + count, 0),
      total,
    );
    assert.ok(Math.max(...lanes) - Math.min(...lanes) <= 1, String(lanes));
  }
});

test('who does not live has no share', () => {
  assert.deepEqual(laneShare(view(4, 4), ids[1] as InstanceId), { quota: 0, take: 0, give: 0 });
});

test('a jump of a clock is what the other clock cannot explain', () => {
  const before = { wall: 1_000_000, asked: 100, answered: 140 };
  assert.equal(clockStep(before, { wall: 1_001_500, asked: 1600, answered: 1610 }), 0, 'no jump');
  assert.equal(clockStep(before, { wall: 1_001_500, asked: 1570, answered: 1640 }), 0, 'slow answers are no jump');
  assert.equal(clockStep(before, { wall: 1_101_510, asked: 1600, answered: 1610 }), 100_000);
  assert.equal(clockStep(before, { wall: 901_460, asked: 1600, answered: 1610 }), -100_000);
});
