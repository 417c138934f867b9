import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId, type SenderId } from '../../../src/domain/ids.ts';
import { type Ready, shareRoom } from '../../../src/domain/schedule/share-room.ts';
import { tokenBucket } from '../../../src/domain/schedule/token-bucket.ts';

const rates = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(80, 250, 1000));
// Gaps between looks, in milliseconds: mostly short, sometimes an idle while that fills the bucket.
const gaps = fc.array(fc.oneof(fc.double({ min: 0, max: 40, noNaN: true }), fc.integer({ min: 0, max: 5000 })), {
  minLength: 1,
  maxLength: 200,
});

test('no window of one second sees more than the rate', () => {
  fc.assert(
    fc.property(rates, gaps, (rate, waits) => {
      const bucket = tokenBucket(rate, 0);
      const taken: { at: number; count: number }[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        const count = bucket.available(now);
        bucket.take(count, now);
        taken.push({ at: now, count });
      }
      for (const { at } of taken) {
        const window = taken.filter((one) => one.at >= at && one.at < at + 1000);
        const sum = window.reduce((total, one) => total + one.count, 0);
        assert.ok(sum <= rate, `${sum} in a second at a rate of ${rate}`);
      }
    }),
  );
});

test('who takes as soon as it may gets at least nine tenths of the rate', () => {
  for (const rate of [1, 20, 80, 1000]) {
    const bucket = tokenBucket(rate, 0);
    let count = 0;
    for (let now = 0; now < 20_000; now += Math.max(bucket.wait(now), 0.5)) {
      const available = bucket.available(now);
      bucket.take(available, now);
      count += available;
    }
    assert.ok(count >= rate * 20 * 0.9 && count <= rate * 20, `${count} of ${rate * 20}`);
  }
});

test('the wait is as long as it takes for one token, and a clock that goes back gives nothing', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 100 }), (rate, later) => {
      const bucket = tokenBucket(rate, 1000);
      bucket.take(bucket.available(1000), 1000);
      assert.equal(bucket.available(500), 0);
      const due = 1000 + bucket.wait(1000);
      assert.equal(bucket.available(due - 0.01), 0);
      assert.ok(bucket.available(due + 0.01 + later) >= 1);
    }),
  );
});

test('a bucket that was emptied, or given a smaller rate, has nothing saved up', () => {
  const bucket = tokenBucket(1000, 0);
  assert.equal(bucket.available(10_000), 15);
  bucket.setRate(10);
  assert.equal(bucket.available(10_000), 1);
  bucket.empty(10_000);
  assert.equal(bucket.available(10_000), 0);
  assert.ok(bucket.wait(10_000) > 100);
});

const senders = fc
  .array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 })
  .map((allowed): Ready[] => allowed.map((one, lane) => ({ sender: newId<SenderId>(), lane, allowed: one })));

test('shares keep within the room and within what each sender is allowed, and somebody gets something', () => {
  fc.assert(
    fc.property(senders, fc.integer({ min: 0, max: 100 }), fc.nat(1000), (ready, room, turn) => {
      const shares = shareRoom(ready, room, turn);
      const allowed = new Map(ready.map((one) => [one.sender, one.allowed]));
      for (const share of shares) assert.ok(share.room > 0 && share.room <= (allowed.get(share.sender) ?? 0));
      assert.equal(new Set(shares.map((share) => share.sender)).size, shares.length);
      assert.ok(shares.reduce((sum, share) => sum + share.room, 0) <= room);
      const possible = room > 0 && ready.some((one) => one.allowed > 0);
      assert.equal(shares.length > 0, possible);
    }),
  );
});

test('with room for one and n senders ready, each has its turn within n rounds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1000), (count, start) => {
      const ready = Array.from({ length: count }, (_, lane) => ({ sender: newId<SenderId>(), lane, allowed: 9 }));
      const rounds = ready.map((_, round) => shareRoom(ready, 1, start + round));
      assert.equal(new Set(rounds.flat().map((share) => share.sender)).size, count);
    }),
  );
});

test('when all want more than there is, the room is shared evenly to within one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 12, max: 100 }), fc.nat(50), (count, room, turn) => {
      const ready = Array.from({ length: count }, (_, lane) => ({ sender: newId<SenderId>(), lane, allowed: 1000 }));
      const rooms = shareRoom(ready, room, turn).map((share) => share.room);
      assert.equal(
        rooms.reduce((sum, one) => sum + one, 0),
        room,
      );
      assert.ok(Math.max(...rooms) - Math.min(...rooms) <= 1);
    }),
  );
});
