import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDoubtReport } from '../../src/dispatch/doubt-report.ts';

test('doubts of a long silence are told when it begins, and each minute for as long as it lasts', () => {
  let now = 0;
  const told: number[] = [];
  const warn = () => void told.push(now);
  const report = createDoubtReport({ warn }, { monotonic: () => now }, 600_000);
  report.note({ waiting: 0, longest: 0 });
  report.note({ waiting: 3, longest: 600_000 });
  assert.deepEqual(told, []);
  for (now = 0; now <= 150_000; now += 2000) report.note({ waiting: 3, longest: 700_000 });
  assert.deepEqual(told, [0, 60_000, 120_000]);
});
