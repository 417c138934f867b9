import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { knownCodes, providerError } from '../../src/domain/provider-errors.ts';
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
    const { class: kind, tries } = providerError(code);
    const after = (attempt: number) => afterError(code, attempt, settings, 5000, 0.5);
    if (kind === 'refuse') assert.deepEqual(after(1), { kind: 'fail' }, String(code));
    if (kind === 'hold') assert.deepEqual(after(999), { kind: 'again', delay: 45_000 }, String(code));
    if (kind === 'throttle') assert.deepEqual(after(999), { kind: 'again', delay: 30_000 }, String(code));
    if (kind === 'pair') {
      const delays = [1, 2, 3, 4, 5, 6].map((attempt) => after(attempt));
      const expected = [5000, 16_000, 64_000, 256_000, 1_024_000, 1_024_000];
      assert.deepEqual(
        delays,
        expected.map((delay) => ({ kind: 'again', delay })),
      );
    }
    if (kind === 'retry' && tries !== null) {
      assert.equal(after(tries - 1).kind, 'again', String(code));
      assert.equal(after(tries).kind, 'fail', String(code));
    }
    if (kind === 'retry' && tries === null) assert.equal(after(30_000).kind, 'again', String(code));
  }
});

test('permissions are held, codes that nobody knows are tried three times', () => {
  assert.equal(providerError(203).class, 'hold');
  assert.deepEqual([providerError(199).tries, providerError(300).tries, providerError(-1).tries], [3, 3, 3]);
});
