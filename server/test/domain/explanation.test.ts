import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFERRAL_CAUSES, PAUSE_CAUSES } from '../../src/domain/causes.ts';
import { explain, mayHaveArrived } from '../../src/domain/explanation.ts';
import type { Facts, PauseFacts } from '../../src/domain/explanation-facts.ts';
import { CAUSE_TEXTS, CAUSES, STATE_TEXTS } from '../../src/domain/explanation-texts.ts';
import { STATES } from '../../src/domain/message.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const DAY = 86_400;
const NO_PACE = { per_minute: null, batch_size: null, processing_interval_ms: null };
const SETTINGS = { pace: NO_PACE, validity: 30 * DAY * 1000 };

/** A message that is due, and that nothing holds. */
const DUE: Facts = {
  now: NOW,
  direction: 'outbound',
  state: 'queued',
  category: 'service',
  attempt: 0,
  wamid: null,
  error: null,
  created_at: at(-60),
  scheduled_at: null,
  expires_at: null,
  sending_at: null,
  sent_at: null,
  due_at: at(-60),
  held: null,
  cause: null,
  attempts: [],
  failures: [],
  doubts: [],
  batch_complete: null,
  sender: {
    name: 'shop',
    channel: 'whatsapp',
    enabled: true,
    connected: true,
    connection_detail: null,
    messages_per_second: 80,
    ...NO_PACE,
  },
  processing: true,
  doubt_policy: {},
  owned: true,
  owner_until: at(4),
  template: null,
  messaging_limit: null,
  after_id: null,
  pauses: [],
  windows: [],
  ahead: 0,
  evidence_at: null,
  webhooks_since: null,
};
const of = (change: Partial<Facts>) => explain({ ...DUE, ...change }, SETTINGS);
const sender = (change: Partial<Facts['sender']>) => ({ sender: { ...DUE.sender, ...change } });
const pause = (change: Partial<PauseFacts> = {}): PauseFacts => ({
  scope: 'sender',
  key: 'x',
  cause: 'token_invalid',
  code: 190,
  title: 'access token expired',
  detail: 'Error validating access token',
  opened_at: at(-300).toISOString(),
  probe_at: at(300).toISOString(),
  ...change,
});
const attempt = (outcome: string, detail: string | null = 'overloaded') => ({
  attempt: 1,
  started_at: at(-20).toISOString(),
  ended_at: at(-19).toISOString(),
  outcome,
  code: 131016,
  detail,
});

test('every cause and every state has its words', () => {
  assert.deepEqual(Object.keys(CAUSE_TEXTS).sort(), [...CAUSES].sort());
  for (const cause of [...DEFERRAL_CAUSES, ...PAUSE_CAUSES]) assert.ok(cause in CAUSE_TEXTS, cause);
  for (const [cause, { sentence, next, advice }] of Object.entries(CAUSE_TEXTS)) {
    assert.match(sentence, /^[A-Z].+\.$/, cause);
    assert.ok(next !== null, cause);
    assert.match(advice ?? '', /^[A-Z].+\.$/, cause);
  }
  assert.deepEqual(Object.keys(STATE_TEXTS), [...STATES]);
  for (const [state, { sentence }] of Object.entries(STATE_TEXTS)) assert.match(sentence, /^[A-Z].+\.$/, state);
});

test('what holds a queued message, from its batch to its turn', () => {
  const later = { due_at: at(900) };
  const cases: [string, Partial<Facts>, Date | null][] = [
    ['batch_incomplete', { due_at: null, batch_complete: false }, null],
    ['scheduled', { ...later, scheduled_at: at(900) }, at(900)],
    ['template_held', { held: 'template' }, null],
    ['tenant_stopped', { processing: false }, null],
    ['sender_disabled', sender({ enabled: false }), null],
    ['token_invalid', { pauses: [pause()] }, at(300)],
    ['sender_not_connected', sender({ connected: false, connection_detail: 'not registered' }), null],
    ...DEFERRAL_CAUSES.map((cause): [string, Partial<Facts>, Date] => [cause, { ...later, cause }, at(900)]),
    ['order', { due_at: at(-1), cause: 'order' }, at(-1)],
    ['ahead', { due_at: at(-10), cause: 'order' }, NOW],
    ['retry_wait', { ...later, attempt: 1, scheduled_at: at(-90) }, at(900)],
    ['no_owner', { owned: false, owner_until: at(-7) }, null],
    [
      'pace',
      { ...sender({ per_minute: 2 }), windows: [{ kind: 'minute', started_at: at(-20).toISOString(), used: 2 }] },
      at(40),
    ],
    ['ahead', { ahead: 160 }, at(2)],
    ['ahead', { ahead: 1001 }, null],
  ];
  for (const [code, change, until] of cases) {
    const { cause, explanation, next, advice } = of(change);
    assert.equal(cause?.code, code);
    assert.deepEqual(cause.until, until, code);
    assert.ok(explanation.startsWith(CAUSE_TEXTS[cause.code].sentence), code);
    assert.ok(next !== null && advice !== null, code);
  }
});

test('a held template is told with its reason, as a sentence', () => {
  const template = { name: 'offer', language: 'en', status: 'PAUSED', reason: null };
  const held = (reason: string | null) => of({ held: 'template', template: { ...template, reason } }).cause?.detail;
  assert.equal(held(null), 'The template offer (en) is PAUSED.');
  assert.equal(
    held('FIRST_PAUSE: until its quality improves.'),
    'The template offer (en) is PAUSED: FIRST_PAUSE: until its quality improves.',
  );
});

test('one cause goes before another', () => {
  const all: Partial<Facts> = { processing: false, held: 'template', pauses: [pause()], ...sender({ enabled: false }) };
  assert.equal(of(all).cause?.code, 'template_held');
  assert.equal(of({ ...all, held: null }).cause?.code, 'tenant_stopped');
  assert.equal(of({ ...all, held: null, processing: true }).cause?.code, 'sender_disabled');
  assert.equal(of({ pauses: [pause()], due_at: at(5), cause: 'order' }).cause?.code, 'token_invalid');
  const scheduled = of({ ...all, due_at: at(900), scheduled_at: at(900) });
  assert.equal(scheduled.cause?.code, 'scheduled');
  assert.equal(scheduled.cause?.detail, CAUSE_TEXTS.tenant_stopped.sentence);
});

test('of several pauses the one that ends last is told', () => {
  const soon = pause({ cause: 'provider_trouble', scope: 'provider', probe_at: at(5).toISOString(), code: null });
  const never = pause({ cause: 'account_locked', scope: 'account', probe_at: null });
  assert.equal(of({ pauses: [soon, pause()] }).cause?.code, 'token_invalid');
  const { cause, next } = of({ pauses: [soon, never, pause()] });
  assert.deepEqual([cause?.code, cause?.until, next?.what], ['account_locked', null, 'expiry']);
  assert.match(cause?.detail ?? '', /Account/);
  // One of a country holds the messages to it only, which their own cause says.
  const country = pause({ scope: 'country', cause: 'country_restricted', code: 130497 });
  assert.equal(of({ pauses: [country] }).cause?.code, 'ahead');
  const deferred = of({ pauses: [country], cause: 'country_paused', due_at: at(60) });
  assert.equal(deferred.cause?.provider_code, 130497);
});

test('the end of its validity goes before what would come later', () => {
  assert.deepEqual(of({ expires_at: at(100), due_at: at(200), scheduled_at: at(200) }).next, {
    what: 'expiry',
    at: at(100),
  });
  assert.deepEqual(of({ expires_at: at(300), due_at: at(200), scheduled_at: at(200) }).next, {
    what: 'attempt',
    at: at(200),
  });
  const late = { created_at: at(60 - 30 * DAY), cause: 'quiet_hours', due_at: at(8 * 3600) };
  assert.deepEqual(of(late).next, { what: 'expiry', at: at(60) }, 'put off as often as you like, it gets no more time');
  assert.deepEqual(of({ processing: false }).next, { what: 'expiry', at: at(30 * DAY - 60) });
  assert.deepEqual(of({ expires_at: at(-1), owned: false }).next, { what: 'expiry', at: at(-1) });
});

test('a retry tells what failed', () => {
  const { cause, uncertain } = of({ attempt: 1, attempts: [attempt('retry')], cause: 'retry_wait', due_at: at(8) });
  assert.deepEqual(cause, {
    code: 'retry_wait',
    since: at(-19),
    until: at(8),
    detail: 'Attempt 1: overloaded.',
    provider_code: 131016,
  });
  assert.equal(uncertain, false);
});

test('a doubt says which evidence is missing, and what the policy will do', () => {
  const open: Partial<Facts> = { state: 'unconfirmed', attempt: 1, sending_at: at(-30), due_at: at(30) };
  const grace = of(open);
  assert.deepEqual(
    [grace.cause?.code, grace.cause?.until, grace.next],
    ['unconfirmed', at(30), { what: 'look', at: at(30) }],
  );
  assert.equal(grace.uncertain, true);
  const put = { attempt: 1, waiting_since: at(-29).toISOString(), evident_at: null };
  const over = { ...open, sending_at: at(-90), due_at: at(1), doubts: [put] };
  const silent = of({ ...over, evidence_at: at(-600) });
  assert.match(silent.explanation, /nothing proves that receipts flow.*2026-11-21T11:50:00.000Z/);
  assert.deepEqual(silent.next, { what: 'resend', at: null });
  assert.match(of(over).explanation, /never been one/);
  assert.equal(of({ ...over, category: 'marketing' }).next?.what, 'tell');
  assert.equal(of({ ...over, doubt_policy: { service: 'tell' } }).next?.what, 'tell');
  assert.equal(
    of({ ...over, attempts: [attempt('resend')], attempt: 2, doubts: [{ ...put, attempt: 2 }] }).next?.what,
    'tell',
  );
  // After a takeover it has a grace again.
  assert.equal(of({ ...over, due_at: at(50) }).next?.what, 'look');
  const proven = of({ ...over, evidence_at: at(-5), webhooks_since: at(-4) });
  assert.match(proven.explanation, /Stored webhooks wait to be applied since 2026-11-21T11:59:56.000Z/);
  const webhook = of({ ...over, ...sender({ channel: 'webhook' }) });
  assert.deepEqual(webhook.next, { what: 'resend', at: at(1) });
});

test('what is on its way, has left or has ended', () => {
  const call = of({ state: 'sending', attempt: 2, sending_at: at(-1), due_at: at(59), owned: false });
  assert.deepEqual([call.cause?.code, call.next, call.uncertain], ['sending', { what: 'answer', at: at(59) }, true]);
  assert.match(call.explanation, /attempt 2. No living instance/);
  const left = { due_at: null, sent_at: at(-1), attempt: 1, attempts: [attempt('sent', null)] };
  for (const state of ['sent', 'delivered', 'read', 'played', 'cancelled', 'expired'] as const) {
    const { cause, explanation } = of({ ...left, state });
    assert.equal(cause, null);
    assert.ok(explanation.startsWith(STATE_TEXTS[state].sentence), state);
  }
  const error = { error: 'send_failed', code: 131026, title: 'undeliverable', detail: 'no such user' };
  const failed = of({ ...left, state: 'failed', error, attempts: [attempt('refused')] });
  assert.match(failed.explanation, /undeliverable: no such user \(send_failed, code 131026\)\.$/);
  const titled = of({
    ...left,
    state: 'failed',
    error: { ...error, title: 'Not delivered.', detail: 'No such user.' },
  });
  assert.match(titled.explanation, / Not delivered\. No such user \(send_failed, code 131026\)\.$/);
  assert.match(of({ ...left, state: 'sent', attempt: 0, attempts: [] }).explanation, /only recorded/);
  assert.match(of({ ...left, state: 'sent', ...sender({ channel: 'webhook' }) }).explanation, /webhook has taken it/);
  assert.equal(of({ ...left, direction: 'inbound', state: 'read' }).next, null);
});

test('what may have arrived is told as that', () => {
  for (const outcome of ['resend', 'tell']) {
    for (const state of ['queued', 'failed', 'cancelled', 'expired'] as const) {
      assert.equal(mayHaveArrived({ state, attempts: [attempt(outcome)], failures: [] }), true);
      const failures = [{ attempt: 1, source: 'receipt' }];
      assert.equal(mayHaveArrived({ state, attempts: [attempt(outcome)], failures }), false);
      assert.equal(mayHaveArrived({ state, attempts: [attempt('retry'), attempt('refused')], failures: [] }), false);
    }
  }
  assert.equal(mayHaveArrived({ state: 'delivered', attempts: [attempt('resend')], failures: [] }), false);
  assert.match(of({ attempts: [attempt('resend')], attempt: 1 }).explanation, /may have arrived/);
});
