import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DoubtDecision, type DoubtPolicy, decideDoubt } from '../../src/domain/doubt.ts';

test('without evidence a doubt waits, whatever the policy', () => {
  for (const category of ['service', 'utility', 'authentication', 'marketing', 'unheard of']) {
    for (const resends of [0, 1]) {
      assert.equal(decideDoubt(category, {}, false, resends), 'wait');
      assert.equal(decideDoubt(category, { [category]: 'tell' }, false, resends), 'wait');
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
    assert.equal(decideDoubt(category, policy, true, 0), first, category);
    assert.equal(decideDoubt(category, policy, true, 1), 'tell', category);
  }
});
