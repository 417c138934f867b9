import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Category } from '../../src/domain/message.ts';
import { leastLimit, MESSAGING_LIMIT, usersOf } from '../../src/domain/messaging-limit.ts';
import {
  admit,
  createPlaceLines,
  freeAt,
  type LaneLimit,
  PROMISED_AHEAD,
  type Reaching,
} from '../../src/domain/schedule/unique-users.ts';

const LANE = 7;
const HOUR = 3_600_000;
const T0 = 1_800_000_000_000;

test("Meta's words are numbers of users; those that are none are no limit", () => {
  const words = { TIER_50: 50, TIER_250: 250, TIER_1K: 1000, TIER_2K: 2000, TIER_10K: 10_000, TIER_100K: 100_000 };
  for (const [word, users] of Object.entries(words)) assert.equal(usersOf(word), users, word);
  for (const word of ['TIER_UNLIMITED', 'TIER_NOT_SET', 'TIER_', '250', '', 'TIER_0', 'TIER_-5', 'TIER_1G']) {
    assert.equal(usersOf(word), null, word);
  }
});

test('the least of the accounts is the limit of the portfolio', () => {
  assert.equal(leastLimit(['TIER_10K', 'TIER_2K', 'TIER_UNLIMITED']), 2000);
  assert.equal(leastLimit(['TIER_UNLIMITED', 'LOTS']), null);
  assert.equal(leastLimit([]), null);
});

const reaching = (address: string, category: Category = 'marketing', known = false): Reaching => ({
  lane: LANE,
  address,
  category,
  known,
});
const limits = (most: number, reserved = 0) => new Map<number, LaneLimit>([[LANE, { most, reserved }]]);
const addresses = (messages: readonly Reaching[]) => messages.map(({ address }) => address).join('');

test('new users are let in up to the limit; known ones and those let in just now cost nothing', () => {
  const users = new Map([[LANE, 3]]);
  const asked = [reaching('a'), reaching('b', 'marketing', true), reaching('c'), reaching('a'), reaching('d')];
  const { go, over } = admit(asked, users, limits(5));
  assert.deepEqual([addresses(go), addresses(over), users.get(LANE)], ['abca', 'd', 5]);
});

test('marketing stops before the part that is kept for codes and notices', () => {
  const users = new Map([[LANE, 8]]);
  const asked = [
    reaching('a'),
    reaching('b'),
    reaching('c', 'service'),
    reaching('d', 'authentication'),
    reaching('e', 'utility'),
  ];
  const { go, over } = admit(asked, users, limits(10, 1));
  assert.deepEqual([addresses(go), addresses(over)], ['ad', 'bce']);
});

test('a lane without a limit stops nobody, and each lane has its own', () => {
  const users = new Map<number, number>();
  const asked = [reaching('a'), { ...reaching('b'), lane: 8 }, reaching('c'), { ...reaching('d'), lane: 8 }];
  assert.deepEqual(addresses(admit(asked, users, limits(1)).go), 'abd');
  // Far more are reached than a limit that was lowered lets: only those known go.
  assert.deepEqual(
    addresses(admit([reaching('a'), reaching('b', 'marketing', true)], new Map([[LANE, 500]]), limits(1)).go),
    'b',
  );
});

test('on a virtual clock no 24 hours ever have more users than the limit, and places are used when they are free', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  for (const [most, reserved] of [
    [1, 0],
    [5, 1],
    [20, 2],
  ] as const) {
    const rows = new Map<string, number>();
    const sent: { at: number; address: string; category: Category }[] = [];
    let now = T0;
    for (let round = 0; round < 400; round++) {
      now += random(4 * HOUR);
      for (const [address, at] of rows) if (freeAt(at) <= now) rows.delete(address);
      const asked = Array.from({ length: random(6) }, () =>
        reaching(String(random(60)), (['marketing', 'authentication', 'utility'] as const)[random(3)]),
      ).map((message) => ({ ...message, known: rows.has(message.address) }));
      const before = rows.size;
      const { go, over } = admit(asked, new Map([[LANE, before]]), limits(most, reserved));
      for (const { address, category } of go) {
        rows.set(address, now);
        sent.push({ at: now, address, category });
      }
      const early = over.filter(({ category }) => category === 'marketing');
      if (early.length > 0) assert.ok(rows.size >= most - reserved, 'marketing waits only at its limit');
      if (over.length > early.length) assert.equal(rows.size, most, 'others wait only at the whole limit');
    }
    for (const { at } of sent) {
      const window = sent.filter((one) => one.at <= at && freeAt(one.at) > at);
      const count = new Set(window.map(({ address }) => address)).size;
      assert.ok(count <= most, `${count} of ${most}`);
    }
    assert.ok(sent.length > 50);
  }
});

test('each place of the next hours is promised once; who gets none looks again some hours later', () => {
  const lines = createPlaceLines(() => 0.5);
  const line = { lane: LANE, early: true };
  assert.equal(lines.promised(line, T0), 0);
  const places = [T0 + 10_000, T0 + 20_000, T0 + 30_000];
  assert.deepEqual(lines.promise(line, places, 2, T0), [10_000, 20_000]);
  assert.equal(lines.promised(line, T0 + 1), T0 + 20_000);
  assert.deepEqual(lines.promise(line, [T0 + 30_000], 3, T0), [30_000, 0.75 * PROMISED_AHEAD, 0.75 * PROMISED_AHEAD]);
  assert.equal(lines.promised(line, T0 + 30_000), 0, 'what is over is promised no more');
  assert.equal(lines.promised({ lane: LANE, early: false }, T0), 0, 'others have a line of their own');
  assert.deepEqual(lines.promise(line, [], 1, T0), [0.75 * PROMISED_AHEAD]);
  assert.equal(lines.promised(line, T0), T0 + 30_000);
  assert.equal(lines.promised(line, T0 - 2 * MESSAGING_LIMIT.span), 0, 'a clock that was set back promises nothing');
  assert.deepEqual(lines.promise(line, [T0 - 5], 1, T0), [1000], 'never at once');
});
