import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BatchId, type ConversationId, type MessageId, newId } from '../../../src/domain/ids.ts';
import { createOrder, LONGEST_HOLD, type Placed } from '../../../src/domain/schedule/order.ts';

const conversation = newId<ConversationId>();

function placed(change: Partial<Placed> = {}): Placed {
  const message_id = newId<MessageId>();
  return {
    ...{ message_id, conversation_id: conversation, priority: 1, batch_id: null, waiting_since: new Date(0) },
    ...change,
  };
}

test('one is under way at a time; another priority, another recipient and a campaign are not held back', () => {
  const order = createOrder();
  const [first, second] = [placed(), placed()];
  assert.equal(order.turn(first, 0).kind, 'go');
  order.began(first, 0);
  assert.equal(order.turn(second, 0).kind, 'wait');
  assert.equal(order.turn(placed({ priority: 0 }), 0).kind, 'go');
  assert.equal(order.turn(placed({ conversation_id: newId<ConversationId>() }), 0).kind, 'go');
  assert.equal(order.turn(placed({ batch_id: newId<BatchId>() }), 0).kind, 'go');
  assert.equal(order.ended(first, null, 10), true, 'somebody waited');
  assert.equal(order.turn(second, 10).kind, 'go');
  assert.equal(order.size, 0);
});

test('a retry holds back those behind it, and for no more than thirty seconds however often it is tried', () => {
  const order = createOrder();
  const [first, second] = [placed(), placed()];
  let now = 0;
  let held = 0;
  for (let attempt = 0; attempt < 8; attempt++) {
    order.began(first, now);
    order.ended(first, now + 10_000, now);
    const turn = order.turn(second, now);
    if (turn.kind === 'behind') held = turn.until;
    assert.equal(order.turn(first, now + 1).kind, 'go', 'whoever holds the others back is not held back');
    now += 10_000;
  }
  assert.equal(held, LONGEST_HOLD);
  assert.equal(order.turn(second, LONGEST_HOLD).kind, 'go');
});

test('what a new owner finds waiting for another attempt holds the others back for what is left of its thirty seconds', () => {
  const order = createOrder();
  const [first, second] = [placed(), placed()];
  order.putOff(first, 900_000, -10_000);
  assert.deepEqual(order.turn(second, 0), { kind: 'behind', until: LONGEST_HOLD - 10_000 });
  order.putOff(second, LONGEST_HOLD - 10_000);
  assert.equal(order.turn(second, LONGEST_HOLD - 10_000).kind, 'go');
  // Put off for something else meanwhile: that is no longer hold.
  order.putOff(first, 900_000);
  assert.equal(order.turn(placed(), LONGEST_HOLD - 4000).kind, 'go');
});

test('a doubt holds nobody back', () => {
  const order = createOrder();
  const [first, second] = [placed(), placed()];
  order.began(first, 0);
  order.ended(first, null, 5);
  assert.equal(order.turn(second, 5).kind, 'go');
});

test('what is put off keeps its place, whoever comes later', () => {
  const order = createOrder();
  const [first, second, third] = [placed(), placed(), placed()];
  order.putOff(first, 6000);
  order.putOff(second, 12_000);
  assert.deepEqual(order.turn(third, 0), { kind: 'behind', until: 12_000 });
  assert.equal(order.turn(first, 6000).kind, 'go');
  assert.equal(order.turn(second, 12_000).kind, 'go');
});

test('what follows a message that was put off waits until that has begun, though its time is over; not for ever', () => {
  const order = createOrder();
  const [first, second, third] = [placed(), placed(), placed()];
  order.began(first, 0);
  order.putOff(second, 500);
  order.ended(first, null, 10);
  // The second's time was written a moment later: the third is due before it.
  assert.deepEqual(order.turn(third, 501), { kind: 'behind', until: 601 });
  order.putOff(third, 601);
  assert.deepEqual(order.turn(second, 530), { kind: 'go' });
  order.began(second, 530);
  assert.deepEqual(order.turn(third, 601), { kind: 'wait' });
  order.ended(second, null, 700);
  assert.deepEqual(order.turn(third, 701), { kind: 'go' });
  order.putOff(third, 800);
  order.turn(third, 801);
  const fourth = placed();
  // The third is cancelled, which nobody tells.
  assert.equal(order.turn(fourth, 5799).kind, 'behind');
  assert.deepEqual(order.turn(fourth, 5800), { kind: 'go' });
});

test('whatever fails and waits, messages of one line leave in the order in which they were accepted', () => {
  const outcome = fc.constantFrom('sent', 'retry', 'pair', 'doubt');
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1, maxLength: 40 }), fc.integer({ min: 2, max: 12 }), (fates, count) => {
      const order = createOrder();
      const line = Array.from({ length: count }, (_, i) => ({ ...placed(), at: 0, place: i, held: 0 }));
      const done: number[] = [];
      let now = 0;
      let fate = 0;
      for (let step = 0; step < 2000 && done.length < count; step++) {
        // As the store gives them: by due time, then by acceptance.
        const due = line
          .filter((one) => !done.includes(one.place) && one.at <= now)
          .sort((a, b) => a.at - b.at || a.place - b.place);
        for (const one of due) {
          const turn = order.turn(one, now);
          if (turn.kind === 'behind') {
            order.putOff(one, turn.until);
            one.at = turn.until;
          }
          if (turn.kind !== 'go') continue;
          const what = fates[fate++] ?? 'sent';
          if (what === 'pair') {
            one.at = now + 700;
            order.putOff(one, one.at);
            continue;
          }
          order.began(one, now);
          now += 5;
          // Within the time that it may hold the others back.
          const again = what === 'retry' && one.held++ < 3 ? now + 900 : null;
          order.ended(one, again, now);
          if (again !== null) one.at = again;
          else done.push(one.place);
        }
        now += 100;
      }
      assert.deepEqual(
        done,
        [...done].sort((a, b) => a - b),
      );
      assert.equal(done.length, count);
    }),
    { numRuns: 300 },
  );
});
