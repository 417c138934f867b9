import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SenderId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { isTrouble, PROBES, pausedCountry, probeDelay, probeVerdict } from '../../src/domain/pause.ts';
import { breakerScope, callWindow, type SenderHealth } from '../../src/domain/schedule/breaker.ts';

/** Tells a window of calls, one each `gap` ms. @returns which of them tripped it. */
function calls(outcomes: readonly boolean[], gap: number): number[] {
  const window = callWindow();
  return outcomes.flatMap((bad, i) => (window.observe(bad, i * gap) ? [i] : []));
}
const BAD = true;
const GOOD = false;
const times = (n: number, what: boolean) => Array.from({ length: n }, () => what);

test('ten calls of which half are bad trip it, fewer do not', () => {
  assert.deepEqual(calls(times(9, BAD), 10), []);
  assert.deepEqual(calls(times(10, BAD), 10), [9]);
  const mixed = [GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD];
  assert.deepEqual(calls(mixed, 10), [9]);
  assert.deepEqual(calls([...times(11, GOOD), ...times(10, BAD)], 1), [20], 'in a row');
  assert.deepEqual(calls([...times(100, GOOD), ...times(9, BAD)], 1), []);
});

test('only the last 30 seconds count, but for ten bad ones in a row', () => {
  // One in four seconds: never ten in the window.
  assert.deepEqual(calls([...times(9, BAD), GOOD, ...times(9, BAD), GOOD], 4000), []);
  assert.deepEqual(calls(times(10, BAD), 60_000), [9]);
  // What was good a minute before helps no more.
  const window = callWindow();
  for (let i = 0; i < 1000; i++) window.observe(GOOD, i);
  for (let i = 0; i < 5; i++) assert.equal(window.observe(BAD, 60_000 + i), false);
  for (let i = 0; i < 4; i++) assert.equal(window.observe(GOOD, 60_010 + i), false);
  assert.equal(window.observe(BAD, 60_020), true);
});

test('after it has tripped it counts anew', () => {
  const window = callWindow();
  for (let i = 0; i < 10; i++) window.observe(BAD, i);
  for (let i = 0; i < 9; i++) assert.equal(window.observe(BAD, 20 + i), false);
  assert.equal(window.observe(BAD, 30), true);
});

test('a window counts as a list of its calls does', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20_000 })), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (all) => {
      const window = callWindow();
      let list: { bad: boolean; part: number }[] = [];
      let inARow = 0;
      let now = 0;
      for (const [bad, gap] of all) {
        now += gap;
        const part = Math.floor(now / 3000);
        list = [...list.filter((one) => one.part > part - 10), { bad, part }];
        inARow = bad ? inARow + 1 : 0;
        const bads = list.filter((one) => one.bad).length;
        const trips = bad && (inARow >= 10 || (list.length >= 10 && bads >= list.length / 2));
        assert.equal(window.observe(bad, now), trips);
        if (!trips) continue;
        list = [];
        inARow = 0;
      }
    }),
  );
});

const at = (sender: string, account: string, app: string, state: 'down' | 'well' | 'idle'): SenderHealth => ({
  sender: sender as SenderId,
  account: `${app}/${account}`,
  app,
  tripped: state === 'down',
  well: state === 'well',
});
const scopeOf = (...all: SenderHealth[]) => breakerScope('a' as SenderId, all).scope;

test('a wider scope trips when two beneath it are down and nothing in it goes well', () => {
  assert.equal(scopeOf(at('a', '1', 'x', 'down')), 'sender');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '1', 'x', 'idle')), 'sender');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '1', 'x', 'down')), 'account');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '1', 'x', 'down'), at('c', '1', 'x', 'well')), 'sender');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '1', 'x', 'down'), at('c', '2', 'x', 'well')), 'account');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '2', 'x', 'down')), 'app');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '2', 'y', 'down')), 'provider');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '2', 'y', 'down'), at('c', '3', 'z', 'well')), 'sender');
  assert.equal(scopeOf(at('a', '1', 'x', 'down'), at('b', '2', 'x', 'down'), at('c', '3', 'y', 'idle')), 'app');
});

test('a wider breaker stands for the narrower ones that are open in it', () => {
  const all = [
    at('a', '1', 'x', 'down'),
    at('b', '1', 'x', 'down'),
    at('c', '2', 'x', 'down'),
    at('d', '2', 'x', 'idle'),
  ];
  assert.deepEqual(breakerScope('a' as SenderId, all), {
    scope: 'app',
    within: [
      { scope: 'sender', key: 'a' },
      { scope: 'sender', key: 'b' },
      { scope: 'sender', key: 'c' },
      { scope: 'account', key: 'x/1' },
      { scope: 'account', key: 'x/2' },
    ],
  });
  assert.deepEqual(breakerScope('nobody' as SenderId, all), { scope: 'sender', within: [] });
});

test('probes come after waits that double up to a cap, each a little shorter at random', () => {
  const waits = [0, 1, 2, 5, 6, 7, 1000].map((probes) => probeDelay('provider_trouble', probes, 1));
  assert.deepEqual(waits, [5000, 10_000, 20_000, 160_000, 300_000, 300_000, 300_000]);
  assert.equal(probeDelay('provider_trouble', 0, 0), 4000);
  assert.deepEqual([probeDelay('maintenance', 0, 0), probeDelay('maintenance', 9, 1)], [20_000, 60_000]);
  for (const { base, cap, least } of Object.values(PROBES)) assert.ok(base <= cap && least > 0 && least <= 1);
});

const error = (code: number): Outcome => ({ kind: 'error', code, title: 'told', detail: null, retryAfter: null });

test('trouble of the other side is told from what is the message or ours', () => {
  const bad: Outcome[] = [{ kind: 'unknown', detail: '' }, { kind: 'not_sent', detail: '' }, error(2), error(131000)];
  for (const outcome of bad) assert.equal(isTrouble(outcome), true);
  for (const outcome of [error(131026), error(190), { kind: 'sent', wamid: 'x' } as const]) {
    assert.equal(isTrouble(outcome), false);
  }
  assert.equal(isTrouble({ kind: 'not_sent', detail: '', own: true }), null);
  assert.equal(isTrouble({ kind: 'again', code: 503, title: '', detail: null, retryAfter: null }), null);
});

test('a probe ends its pause, prolongs it, or tells nothing', () => {
  const sent: Outcome = { kind: 'sent', wamid: 'x' };
  assert.equal(probeVerdict('payment_trouble', 'account', sent), 'over');
  assert.equal(probeVerdict('payment_trouble', 'account', error(131042)), 'goes on');
  assert.equal(probeVerdict('payment_trouble', 'account', error(131026)), 'nothing');
  assert.equal(probeVerdict('token_invalid', 'sender', error(131026)), 'over');
  assert.equal(probeVerdict('token_invalid', 'sender', error(131005)), 'over');
  assert.equal(probeVerdict('token_invalid', 'sender', error(0)), 'goes on');
  assert.equal(probeVerdict('token_invalid', 'sender', { kind: 'unknown', detail: '' }), 'goes on');
  assert.equal(probeVerdict('provider_trouble', 'sender', error(190)), 'over');
  assert.equal(probeVerdict('provider_trouble', 'sender', error(131016)), 'goes on');
  assert.equal(probeVerdict('provider_trouble', 'sender', { kind: 'not_sent', detail: '', own: true }), 'nothing');
  assert.equal(
    probeVerdict('call_rate', 'app', error(80007)),
    'nothing',
    'the same of the account says nothing of the app',
  );
});

test('a country is told by the address', () => {
  assert.deepEqual(['+6281234567890', 'ID.abc123', '+14155550100'].map(pausedCountry), ['ID', 'ID', 'US']);
});
