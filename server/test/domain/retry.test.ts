import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAUSE_CAUSES } from '../../src/domain/causes.ts';
import { isTooFast, knownCodes, pauseOf, providerError } from '../../src/domain/provider-errors.ts';
import { afterError, backoff } from '../../src/domain/retry.ts';

const settings = { base: 1000, cap: 60_000 };
const random = fc.double({ min: 0, max: 1, noNaN: true });
const wish = fc.option(fc.integer({ min: -1000, max: 10_000_000 }));

test('back-off is drawn below a span that doubles up to the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), random, (attempt, drawn) => {
      const span = Math.min(60_000, 1000 * 2 ** (attempt - 1));
      assert.equal(backoff(attempt, settings, null, drawn), drawn * span);
    }),
  );
});

test("the provider's wish is a lower bound, of at most an hour", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), random, wish, (attempt, drawn, wished) => {
      const delay = backoff(attempt, settings, wished, drawn);
      assert.ok(delay >= Math.min(wished ?? 0, 3_600_000));
      assert.ok(delay >= 0 && delay <= 3_600_000);
    }),
  );
});

test('every code of the table is followed by what its class says', () => {
  for (const code of [...knownCodes(), 200, 299, 999_999]) {
    const { class: kind, tries, schedule } = providerError(code);
    const after = (attempt: number, wish: number | null = null) => afterError(code, attempt, settings, wish, 0.5);
    const name = String(code);
    if (tries !== null) assert.deepEqual(after(tries), { kind: 'fail' }, name);
    switch (kind) {
      case 'refuse':
        assert.deepEqual(after(1), { kind: 'fail' }, name);
        break;
      case 'pause':
        assert.deepEqual(
          [after(1), after(30_000)],
          [
            { kind: 'held', by: 'pause' },
            { kind: 'held', by: 'pause' },
          ],
          name,
        );
        break;
      case 'template':
        assert.deepEqual(after(999), { kind: 'held', by: 'template', delay: 45_000 }, name);
        break;
      case 'pair':
        assert.deepEqual(
          [1, 2, 3, 4, 5, 6, 7, 99].map((attempt) => after(attempt)),
          [1000, 4000, 16_000, 64_000, 256_000, 1_024_000, 1_024_000, 1_024_000].map((delay) => ({
            kind: 'again',
            delay,
            cause: 'pair_rate',
          })),
        );
        assert.deepEqual(after(1, 5000), { kind: 'again', delay: 5000, cause: 'pair_rate' });
        break;
      case 'retry':
      case 'breaker':
      case 'throttle': {
        const delay = schedule.kind === 'fixed' ? schedule.base : 500;
        assert.deepEqual(after(1), { kind: 'again', delay, cause: 'retry_wait' }, name);
        if (tries !== null) assert.equal(after(tries - 1).kind, 'again', name);
        else assert.equal(after(30_000).kind, 'again', name);
      }
    }
  }
});

test('codes that nobody knows are tried three times', () => {
  assert.deepEqual([providerError(199).tries, providerError(300).tries, providerError(-1).tries], [3, 3, 3]);
});

test('every entry says what an operator and a pause need', () => {
  for (const code of knownCodes()) {
    const entry = providerError(code);
    const name = String(code);
    assert.equal(pauseOf(code) !== null, entry.class === 'pause', name);
    if (entry.class === 'pause') {
      assert.ok((PAUSE_CAUSES as readonly string[]).includes(entry.cause ?? ''), name);
      assert.ok(entry.advice !== null || entry.cause === 'maintenance', name);
    }
    assert.equal(entry.schedule.kind === 'never', entry.class === 'refuse', name);
    assert.ok(entry.advice === null || /[.]$/.test(entry.advice), name);
  }
  assert.equal(providerError(131049).notBefore, 86_400_000);
  assert.deepEqual(pauseOf(217), { scope: 'sender', cause: 'permission_missing' });
  assert.deepEqual(
    [4, 80007, 130429, 131057, 2, 131056].map((code) => isTooFast(code)),
    [true, true, true, true, false, false],
  );
});
