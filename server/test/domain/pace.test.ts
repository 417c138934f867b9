import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Pace, type PaceWindow, paceAfter, paceRoom, pacesOf, paceWait } from '../../src/domain/schedule/pace.ts';

const none = { per_minute: null, batch_size: null, processing_interval_ms: null };
const pace: Pace = { kind: 'batch', most: 2, span: 120_000 };
const T0 = 1_800_000_000_000;

test('a sender without settings keeps no pace; its own numbers go before the configured ones', () => {
  assert.deepEqual(pacesOf(none, none), []);
  assert.deepEqual(pacesOf(none, { ...none, batch_size: 2 }), [], 'a size without an interval is no pace');
  assert.deepEqual(
    pacesOf({ ...none, per_minute: 5 }, { per_minute: 20, batch_size: 2, processing_interval_ms: 500 }),
    [
      { kind: 'minute', most: 5, span: 60_000 },
      { kind: 'batch', most: 2, span: 500 },
    ],
  );
});

test('a backlog leaves as batches at intervals', () => {
  let window: PaceWindow | undefined;
  let now = T0;
  const batches: [at: number, count: number][] = [];
  for (let left = 5; left > 0; ) {
    now += paceWait(pace, window, now);
    const count = Math.min(left, paceRoom(pace, window, now));
    window = paceAfter(pace, window, now, count);
    batches.push([now - T0, count]);
    left -= count;
  }
  assert.deepEqual(batches, [
    [0, 2],
    [120_000, 2],
    [240_000, 1],
  ]);
});

test('a window begins with its first message, and not with a clock of its own', () => {
  const first = paceAfter(pace, undefined, T0, 1);
  assert.deepEqual(first, { startedAt: T0, used: 1 });
  assert.deepEqual(paceAfter(pace, first, T0 + 119_999, 1), { startedAt: T0, used: 2 });
  assert.deepEqual(paceAfter(pace, first, T0 + 500_000, 1), { startedAt: T0 + 500_000, used: 1 });
});

test('a smaller pace counts what was used under a larger one', () => {
  const window = { startedAt: T0, used: 50 };
  assert.equal(paceRoom(pace, window, T0 + 1), 0);
  assert.equal(paceWait(pace, window, T0 + 1), 119_999);
});

test('a clock that was set back does not hold messages for longer than a window', () => {
  const window = { startedAt: T0, used: 2 };
  assert.equal(paceRoom(pace, window, T0 - 1), 0);
  assert.equal(paceRoom(pace, window, T0 - 120_000), 2);
  assert.ok(paceWait(pace, window, T0 - 119_000) <= 2 * pace.span);
});

test('on a virtual clock no window ever holds more than its pace, and nothing waits for ever', () => {
  const step = fc.record({ pass: fc.integer({ min: 0, max: 5000 }), wanted: fc.integer({ min: 0, max: 10 }) });
  const paces = fc.record({ most: fc.integer({ min: 1, max: 7 }), span: fc.integer({ min: 100, max: 4000 }) });
  fc.assert(
    fc.property(paces, fc.array(step, { maxLength: 60 }), ({ most, span }, steps) => {
      const own: Pace = { kind: 'minute', most, span };
      let window: PaceWindow | undefined;
      let now = T0;
      const windows = new Map<number, number>();
      for (const { pass, wanted } of steps) {
        now += pass;
        const room = paceRoom(own, window, now);
        const wait = paceWait(own, window, now);
        assert.ok(wait <= span && (wait === 0) === room > 0);
        assert.ok(paceRoom(own, window, now + wait) > 0);
        const count = Math.min(room, wanted);
        if (count === 0) continue;
        window = paceAfter(own, window, now, count);
        windows.set(window.startedAt, (windows.get(window.startedAt) ?? 0) + count);
      }
      const starts = [...windows.keys()];
      for (const [i, start] of starts.entries()) {
        assert.ok((windows.get(start) ?? 0) <= most);
        if (i > 0) assert.ok(start - (starts[i - 1] ?? 0) >= span);
      }
    }),
  );
});
