import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, type SenderId, type TemplateId } from '../../src/domain/ids.ts';
import type { Fallback, NewMessage } from '../../src/domain/message.ts';
import { type RecipientFacts, ruleOn, SUPPRESSED } from '../../src/domain/recipient-rules.ts';

const plain: NewMessage = {
  sender_id: newId<SenderId>(),
  address: '+6281234567890',
  address_kind: 'phone',
  type: 'text',
  category: 'service',
  priority: 1,
  content: { text: 'Hello' },
  template: null,
  metadata: null,
  reply_to: null,
  scheduled_at: null,
  expires_at: null,
  sender_type: null,
  conversation_name: null,
  needs_window: true,
};
const template: NewMessage = {
  ...plain,
  type: 'template',
  category: 'marketing',
  template: { name: 'offer', language: 'en' },
};
const fallback: Fallback = { name: 'come_back', language: 'en', category: 'utility', template_id: newId<TemplateId>() };
const open: RecipientFacts = { suppressed: 0, window_closed: false };
const closed: RecipientFacts = { suppressed: 0, window_closed: true };

function ruling(message: NewMessage, facts: RecipientFacts): string {
  const ruled = ruleOn(message, facts);
  return ruled.kind === 'refused' ? ruled.code : ruled.kind;
}

test('a window that is known to be closed lets only templates through', () => {
  assert.equal(ruling(plain, open), 'accept');
  assert.equal(ruling(plain, closed), 'window_closed');
  for (const type of ['image', 'reaction', 'interactive'] as const) {
    assert.equal(ruling({ ...plain, type }, closed), 'window_closed');
  }
  assert.equal(ruling(template, closed), 'accept');
  assert.equal(ruling({ ...plain, reply_to: 'wamid.A' }, closed), 'window_closed');
});

test('the sender may send all the same, and what is scheduled is judged when it is due', () => {
  assert.equal(ruling({ ...plain, needs_window: false }, closed), 'accept');
  assert.equal(ruling({ ...plain, scheduled_at: Date.now() }, closed), 'accept');
});

test('the fallback goes in place of the message, which stays for display', () => {
  const ruled = ruleOn({ ...plain, fallback }, closed);
  assert.ok(ruled.kind === 'instead');
  const { type, category, template: sent, template_id, content, fallback: left } = ruled.message;
  assert.deepEqual(
    { type, category, sent, template_id, content, left },
    {
      type: 'template',
      category: 'utility',
      sent: { name: 'come_back', language: 'en' },
      template_id: fallback.template_id,
      content: plain.content,
      left: null,
    },
  );
  const held = ruleOn({ ...plain, fallback: { ...fallback, held: 'template' } }, closed);
  assert.equal(held.kind === 'instead' && held.message.held, 'template');
});

test('who opted out of marketing gets none, and who opted out of all gets nothing', () => {
  const noMarketing = { ...open, suppressed: SUPPRESSED.marketing };
  const nothing = { ...open, suppressed: SUPPRESSED.all };
  assert.deepEqual(
    [plain, template, { ...template, category: 'utility' as const }].map((message) => ruling(message, noMarketing)),
    ['accept', 'recipient_suppressed', 'accept'],
  );
  for (const message of [plain, template]) assert.equal(ruling(message, nothing), 'recipient_suppressed');
  assert.equal(ruling(plain, { ...closed, suppressed: SUPPRESSED.all }), 'recipient_suppressed');
});

test('a fallback that the recipient opted out of does not go, now or later', () => {
  const marketing = { ...plain, fallback: { ...fallback, category: 'marketing' as const } };
  assert.equal(ruling(marketing, { ...closed, suppressed: SUPPRESSED.marketing }), 'recipient_suppressed');
  const ruled = ruleOn(marketing, { ...open, suppressed: SUPPRESSED.marketing });
  assert.ok(ruled.kind === 'accept');
  assert.equal(ruled.message.fallback, null);
  const kept = ruleOn(marketing, open);
  assert.deepEqual(kept.kind === 'accept' && kept.message.fallback, marketing.fallback);
});
