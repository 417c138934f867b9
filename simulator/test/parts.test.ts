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

test('delays fire everything once, none early, and the shorter wait first', async () => {
  const fired: { wait: number; late: number }[] = [];
  const waits = [30, 5, 30, 0, 12, 5];
  await new Promise<void>((resolve) => {
    const delays = new Delays<{ wait: number; added: number }>(({ wait, added }) => {
      fired.push({ wait, late: performance.now() - added - wait });
      if (wait === 12) delays.add(1, { wait: 1, added: performance.now() });
      if (fired.length === waits.length + 1) resolve();
    });
    for (const wait of waits) delays.add(wait, { wait, added: performance.now() });
    assert.equal(delays.size, waits.length);
  });
  assert.deepEqual(
    fired.map(({ wait }) => wait),
    [0, 5, 5, 12, 1, 30, 30],
  );
  assert.ok(fired.every(({ late }) => late >= 0));
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
