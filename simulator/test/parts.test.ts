import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Delays } from '../src/delays.ts';
import { LimitCounters } from '../src/faults/limits.ts';
import { Fifo } from '../src/fifo.ts';
import { newWamid } from '../src/graph/wamid.ts';
import { Ledger } from '../src/ledger.ts';

test('a fifo gives back what it took, in order, however it is mixed', () => {
  const fifo = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 100; index++) fifo.push(pushed++);
    for (let index = 0; index < 70; index++) assert.equal(fifo.shift(), shifted++);
    assert.equal(fifo.size, pushed - shifted);
    assert.equal(fifo.peek(), shifted);
  }
  while (fifo.size > 0) assert.equal(fifo.shift(), shifted++);
  assert.deepEqual([fifo.shift(), fifo.peek(), shifted], [undefined, undefined, pushed]);
});

test('delays fire everything once, none early, in the order in which it is due', async () => {
  // When an item is due lies between the clock before it was added and the clock after, and the wait.
  interface Item {
    wait: number;
    earliest: number;
    latest: number;
    fired: number;
  }
  const fired: Item[] = [];
  const waits = [30, 5, 30, 0, 12, 5];
  await new Promise<void>((resolve) => {
    const delays = new Delays<Item>((item) => {
      item.fired = performance.now();
      fired.push(item);
      if (item.wait === 12) add(1);
      if (fired.length === waits.length + 1) resolve();
    });
    const add = (wait: number): void => {
      const item = { wait, earliest: performance.now() + wait, latest: Number.POSITIVE_INFINITY, fired: 0 };
      delays.add(wait, item);
      item.latest = performance.now() + wait;
    };
    for (const wait of waits) add(wait);
    assert.equal(delays.size, waits.length);
  });
  assert.deepEqual(fired.map(({ wait }) => wait).sort(), [...waits, 1].sort());
  for (const [index, item] of fired.entries()) {
    assert.ok(item.fired >= item.earliest, `the wait of ${item.wait} ended early`);
    // What is added while others fire may be due before something that fires in the same turn.
    const next = fired[index + 1];
    if (next && next.wait !== 1) assert.ok(item.earliest <= next.latest, `${item.wait} fired before ${next.wait}`);
  }
});

test('delays that are cleared fire no more', async () => {
  const fired: string[] = [];
  const delays = new Delays<string>((item) => fired.push(item));
  delays.add(1, 'forgotten');
  delays.clear();
  await new Promise<void>((resolve) => {
    const after = new Delays<void>(() => resolve());
    after.add(10, undefined);
  });
  assert.deepEqual([fired, delays.size], [[], 0]);
});

test('the ledger keeps its budget: bodies go first, then messages, and the total stays exact', () => {
  const ledger = new Ledger({ messages: 10_000, bodyBytes: 1_000_000 });
  const count = 30_000;
  for (let n = 1; n <= count; n++) {
    const head = {
      wamid: `wamid.${n}`,
      phone_number_id: '1',
      to: `+49${n}`,
      type: 'text',
      opaque: n % 2 ? 'ö"' : null,
    };
    assert.equal(ledger.add(head, 1_700_000_000_000 + n, `{"text":"${'ü'.repeat(40)}","n":${n}}`), n);
  }
  const newest = ledger.list(count - 2, 10);
  assert.deepEqual(
    newest.messages.map(({ n, wamid, to, opaque }) => [n, wamid, to, opaque]),
    [
      [count - 1, `wamid.${count - 1}`, `+49${count - 1}`, 'ö"'],
      [count, `wamid.${count}`, `+49${count}`, null],
    ],
  );
  assert.deepEqual(newest.messages.at(-1)?.body, { text: 'ü'.repeat(40), n: count });
  assert.deepEqual([newest.total, newest.next], [count, count]);
  const promised = ledger.list(count - 10_000, 1);
  assert.equal(promised.messages[0]?.n, count - 9999, 'as many as promised are kept');
  assert.equal(promised.messages[0]?.body, null, 'without their bodies');
  const [oldest] = ledger.list(0, 1).messages;
  assert.ok(oldest && oldest.n > 1, 'the oldest are gone');
  ledger.clear();
  assert.deepEqual(ledger.list(0, 1), { messages: [], total: 0, next: null });
});

test('the throughput window slides, and the pair rate lends and collects', () => {
  const counters = new LimitCounters();
  const number = { id: '1', throughput: 2 };
  const window = [{ kind: 'throughput' as const }];
  const passed = [0, 10, 20, 999, 1000, 1005, 1010, 2000].map((now) => counters.pass(window, number, 'a', now));
  assert.deepEqual(passed, [undefined, undefined, 130429, 130429, undefined, 130429, undefined, undefined]);
  const pair = [{ kind: 'pair_rate' as const }];
  const burst = Array.from({ length: 20 }, (_, index) => counters.pass(pair, number, 'b', 10_000 + index));
  assert.deepEqual([...new Set(burst)], [undefined]);
  assert.equal(counters.pass(pair, number, 'b', 10_000 + 119_999), 131056, 'twenty at once cost two minutes');
  assert.equal(counters.pass(pair, number, 'b', 10_000 + 120_000), undefined);
  assert.equal(counters.pass(pair, number, 'c', 10_000), undefined, 'another user is another pair');
});

test('ids are unlike each other and at most 128 characters long', () => {
  const ids = new Set(Array.from({ length: 1000 }, () => newWamid('16505551234', 'outbound')));
  assert.equal(ids.size, 1000);
  const longest = newWamid(`US.${'A'.repeat(128)}`, 'inbound');
  assert.match(longest, /^wamid\.[A-Za-z0-9+/]+=*$/);
  assert.ok(longest.length <= 128);
});
