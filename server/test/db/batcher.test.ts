import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatcherFull, createBatcher } from '../../src/db/batcher.ts';

/** A batcher whose batches end when they are told to. */
function gated(options: { max: number; parallel: number; limit: number; blameOne?: (error: unknown) => boolean }) {
  const batches: { items: number[]; slot: number; end: (error?: Error) => void }[] = [];
  const batcher = createBatcher<number, string>({
    ...options,
    run: (items, slot) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(items.map((item) => `did ${item}`)));
        batches.push({ items, slot, end });
      }),
  });
  return { batcher, batches };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what arrives together goes together, and what comes meanwhile waits for the next', async () => {
  const { batcher, batches } = gated({ max: 10, parallel: 1, limit: 100 });
  const first = [batcher.add(1), batcher.add(2)];
  await turn();
  const second = [batcher.add(3), batcher.add(4), batcher.add(5)];
  await turn();
  assert.deepEqual(
    batches.map((batch) => batch.items),
    [[1, 2]],
  );
  assert.equal(batcher.size, 5);
  batches[0]?.end();
  assert.deepEqual(await Promise.all(first), ['did 1', 'did 2']);
  await turn();
  assert.deepEqual(batches[1]?.items, [3, 4, 5]);
  batches[1]?.end();
  await Promise.all(second);
  await batcher.idle();
  assert.equal(batcher.size, 0);
});

test('a batch has its most, and batches under way at once have slots of their own', async () => {
  const { batcher, batches } = gated({ max: 2, parallel: 2, limit: 100 });
  const all = [1, 2, 3, 4, 5].map((item) => batcher.add(item));
  await turn();
  assert.deepEqual(
    batches.map((batch) => batch.items),
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(new Set(batches.map((batch) => batch.slot)), new Set([0, 1]));
  batches[1]?.end();
  await all[2];
  await turn();
  assert.deepEqual([batches[2]?.items, batches[2]?.slot], [[5], batches[1]?.slot]);
  batches[0]?.end();
  batches[2]?.end();
  await Promise.all(all);
});

test('one too many is refused at once, and the others are not', async () => {
  const { batcher, batches } = gated({ max: 1, parallel: 1, limit: 2 });
  const kept = [batcher.add(1), batcher.add(2)];
  await assert.rejects(batcher.add(3), BatcherFull);
  await turn();
  batches[0]?.end();
  await turn();
  await turn();
  batches[1]?.end();
  assert.deepEqual(await Promise.all(kept), ['did 1', 'did 2']);
});

test('an error is that of every item, unless one of them may be to blame', async () => {
  const fault = new Error('no');
  const plain = gated({ max: 10, parallel: 1, limit: 10 });
  const failing = Promise.allSettled([plain.batcher.add(1), plain.batcher.add(2)]);
  await turn();
  plain.batches[0]?.end(fault);
  assert.deepEqual(
    (await failing).map((one) => one.status === 'rejected' && one.reason),
    [fault, fault],
  );

  const batcher = createBatcher<number, number>({
    max: 10,
    parallel: 1,
    limit: 10,
    run: (items) => (items.includes(13) ? Promise.reject(fault) : Promise.resolve(items)),
    blameOne: (error) => error === fault,
  });
  const results = await Promise.allSettled([1, 13, 2].map((item) => batcher.add(item)));
  assert.deepEqual(results, [
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: fault },
    { status: 'fulfilled', value: 2 },
  ]);
  await batcher.idle();
});

test('every item is done once and gets its own result, however they come', async () => {
  const settings = fc.record({ max: fc.integer({ min: 1, max: 7 }), parallel: fc.integer({ min: 1, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(settings, fc.array(fc.nat(3), { maxLength: 60 }), async ({ max, parallel }, pauses) => {
      const done: number[] = [];
      let underWay = 0;
      const batcher = createBatcher<number, string>({
        max,
        parallel,
        limit: 100,
        async run(items) {
          assert.ok(++underWay <= parallel && items.length <= max);
          done.push(...items);
          await turn();
          underWay--;
          return items.map(String);
        },
      });
      const results: Promise<string>[] = [];
      for (const [item, pause] of pauses.entries()) {
        for (let i = 1; i < pause; i++) await turn();
        results.push(batcher.add(item));
      }
      assert.deepEqual(
        await Promise.all(results),
        pauses.map((_, item) => String(item)),
      );
      await batcher.idle();
      assert.deepEqual(
        done.toSorted((a, b) => a - b),
        pauses.map((_, item) => item),
      );
    }),
    { numRuns: 50 },
  );
});
