import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MessageId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { type MergedReceipt, mergeReceipts, type Receipt } from '../../src/domain/receipt.ts';

const tenant = newId<TenantId>();
const sender = newId<SenderId>();
const messages = [newId<MessageId>(), newId<MessageId>(), newId<MessageId>()] as const;

const receipt: fc.Arbitrary<Receipt> = fc.record({
  tenant: fc.constant(tenant),
  sender: fc.constant(sender),
  message: fc.constantFrom(...messages),
  wamid: fc.constantFrom('wamid.A', 'wamid.B'),
  attempt: fc.option(fc.integer({ min: 1, max: 3 })),
  status: fc.constantFrom('sent', 'delivered', 'read', 'played'),
  at: fc.integer({ min: 1, max: 20 }).map((second) => second * 1000),
});
const shuffled = fc
  .array(receipt, { maxLength: 12 })
  .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));

const byMessage = (merged: readonly MergedReceipt[]) => merged.toSorted((a, b) => (a.message < b.message ? -1 : 1));

/** A merged receipt as the receipts that say the same: each word at its earliest time. */
function told(merged: readonly MergedReceipt[]): Receipt[] {
  return merged.flatMap((one) =>
    (['sent', 'delivered', 'read', 'played'] as const).flatMap((status) => {
      const at = one[status];
      const { message, wamid, attempt } = one;
      return at === null ? [] : [{ tenant, sender, message, wamid, attempt, status, at }];
    }),
  );
}

test('the order of receipts does not matter', () => {
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      assert.deepEqual(byMessage(mergeReceipts(other)), byMessage(mergeReceipts(all)));
    }),
  );
});

test('hearing receipts again, and merging what is merged, changes nothing', () => {
  fc.assert(
    fc.property(fc.array(receipt, { maxLength: 8 }), (all) => {
      const once = mergeReceipts(all);
      assert.deepEqual(mergeReceipts([...all, ...all]), once);
      assert.deepEqual(mergeReceipts(told(once)), once);
    }),
  );
});

test('it does not matter which receipts came together', () => {
  fc.assert(
    fc.property(fc.array(receipt, { maxLength: 12 }), fc.nat(12), (all, cut) => {
      const parts = [...told(mergeReceipts(all.slice(0, cut))), ...told(mergeReceipts(all.slice(cut)))];
      assert.deepEqual(byMessage(mergeReceipts(parts)), byMessage(mergeReceipts(all)));
    }),
  );
});

test('a word implies the earlier ones, and the highest is the state', () => {
  fc.assert(
    fc.property(fc.array(receipt, { minLength: 1, maxLength: 12 }), (all) => {
      for (const one of mergeReceipts(all)) {
        const times = [one.played, one.read, one.delivered, one.sent];
        const known = times.filter((time) => time !== null);
        assert.equal(one[one.state], known[0]);
        // Each time is no later than that of a higher word: what implies it happened by then.
        assert.deepEqual(
          known,
          known.toSorted((a, b) => b - a),
        );
      }
    }),
  );
});
