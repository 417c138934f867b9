import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DoubtDecision, type DoubtPolicy, decideDoubt, lookAgainIn } from '../../src/domain/doubt.ts';

const proved = { evident: true, heard: true };

test('without evidence, or while something is still to be heard, a doubt waits, whatever the policy', () => {
  for (const category of ['service', 'utility', 'authentication', 'marketing', 'unheard of']) {
    for (const resends of [0, 1]) {
      for (const known of [
        { evident: false, heard: true },
        { evident: true, heard: false },
      ]) {
        assert.equal(decideDoubt({ category, resends, ...known }, {}), 'wait');
        assert.equal(decideDoubt({ category, resends, ...known }, { [category]: 'tell' }), 'wait');
      }
    }
  }
});

test('with evidence the category decides, unless the tenant chose; and once more means once', () => {
  const table: [category: string, policy: DoubtPolicy, first: DoubtDecision][] = [
    ['service', {}, 'resend'],
    ['utility', {}, 'resend'],
    ['authentication', {}, 'tell'],
    ['marketing', {}, 'tell'],
    ['unheard of', {}, 'tell'],
    ['service', { service: 'tell' }, 'tell'],
    ['marketing', { marketing: 'resend' }, 'resend'],
    ['marketing', { utility: 'resend' }, 'tell'],
  ];
  for (const [category, policy, first] of table) {
    assert.equal(decideDoubt({ category, resends: 0, ...proved }, policy), first, category);
    assert.equal(decideDoubt({ category, resends: 1, ...proved }, policy), 'tell', category);
  }
});

test('a doubt is looked at ever more rarely in silence, and soon when there is evidence', () => {
  assert.deepEqual(
    [60_000, 120_000, 600_000].map((age) => lookAgainIn(age, false)),
    [6000, 12_000, 30_000],
  );
  assert.equal(lookAgainIn(0, false), 2000);
  assert.equal(lookAgainIn(600_000, true), 500);
});
