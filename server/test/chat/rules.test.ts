import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkChatEmoji,
  checkChatMessage,
  checkConversationFields,
  checkEdit,
  checkParticipants,
  directKey,
  mayManage,
  type SaidFields,
  writeBar,
} from '../../src/domain/chat-rules.ts';
import { assertRefused, people } from './chat-world.ts';

const mention = (offset: number, length: number, user_id = 'u') => ({ user_id, offset, length });

test('what is said is a text by a user unless it says more', () => {
  assert.deepEqual(checkChatMessage({ content: 'Hello, World!', mentions: [mention(7, 5)] }), {
    sender_type: 'user',
    message_type: 'text',
    content: 'Hello, World!',
    mentions: [mention(7, 5)],
    parent_message_id: null,
    metadata: null,
    note: false,
  });
});

test('files, places and contacts need no text', () => {
  const media_url = 'https://files.example/a.png';
  for (const message_type of ['image', 'video', 'audio', 'file', 'sticker'] as const) {
    assert.equal(checkChatMessage({ message_type, metadata: { media_url, duration: 120 } }).content, null);
  }
  const place = { latitude: -6.2, longitude: 106.8 };
  assert.deepEqual(checkChatMessage({ message_type: 'location', content: 'here', metadata: place }).metadata, place);
  assert.equal(checkChatMessage({ message_type: 'contact', metadata: { name: 'A' } }).message_type, 'contact');
  assert.equal(checkChatMessage({ message_type: 'system', content: 'x', sender_type: 'bot' }).sender_type, 'bot');
});

const BAD: [string, SaidFields, 'missing_field' | 'invalid_field' | 'invalid_media_url', RegExp][] = [
  ['no text', {}, 'missing_field', /^content/],
  ['an empty text', { content: '' }, 'missing_field', /^content/],
  ['blanks', { content: ' \n' }, 'invalid_field', /^content/],
  ['too long a text', { content: 'x'.repeat(4097) }, 'invalid_field', /4096/],
  ['a NUL', { content: 'a\0' }, 'invalid_field', /U\+0000/],
  ['half a pair', { content: 'a\ud800' }, 'invalid_field', /surrogate/],
  [
    'a mention beyond the text',
    { content: 'hello', mentions: [mention(0, 2), mention(3, 3)] },
    'invalid_field',
    /^mentions\[1\]/,
  ],
  [
    'a mention in no text',
    { message_type: 'contact', metadata: {}, mentions: [mention(0, 1)] },
    'invalid_field',
    /^mentions\[0\]/,
  ],
  ['an empty mention', { content: 'hello', mentions: [mention(0, 0)] }, 'invalid_field', /^mentions\[0\]\.length/],
  [
    'a mention before the text',
    { content: 'hello', mentions: [mention(-1, 2)] },
    'invalid_field',
    /^mentions\[0\]\.offset/,
  ],
  ['a broken mention', { content: 'hello', mentions: [mention(0.5, 2)] }, 'invalid_field', /^mentions\[0\]\.offset/],
  [
    'mentions over each other',
    { content: 'hello', mentions: [mention(2, 3), mention(0, 3)] },
    'invalid_field',
    /^mentions\[0\].*mentions\[1\]/,
  ],
  [
    'a mention of nobody',
    { content: 'hello', mentions: [mention(0, 3, '')] },
    'invalid_field',
    /^mentions\[0\]\.user_id/,
  ],
  [
    'many mentions',
    { content: 'x'.repeat(101), mentions: Array.from({ length: 101 }, (_, i) => mention(i, 1)) },
    'invalid_field',
    /100/,
  ],
  ['an image without a file', { message_type: 'image', content: 'look' }, 'missing_field', /^metadata\.media_url/],
  [
    'a file by http',
    { message_type: 'image', metadata: { media_url: 'http://a.example/b' } },
    'invalid_media_url',
    /https/,
  ],
  ['a file by no URL', { message_type: 'image', metadata: { media_url: 7 } }, 'invalid_media_url', /https/],
  [
    'a text with a bad file',
    { content: 'x', metadata: { media_url: 'file:///etc/passwd' } },
    'invalid_media_url',
    /https/,
  ],
  ['large metadata', { content: 'x', metadata: { a: 'x'.repeat(16_384) } }, 'invalid_field', /16384/],
  ['metadata with a NUL', { content: 'x', metadata: { a: { b: '\0' } } }, 'invalid_field', /^metadata\.a\.b/],
  ['a place without degrees', { message_type: 'location', metadata: { latitude: 1 } }, 'missing_field', /longitude/],
  [
    'a place off the earth',
    { message_type: 'location', metadata: { latitude: 91, longitude: 0 } },
    'invalid_field',
    /latitude/,
  ],
  ['a contact of nothing', { message_type: 'contact' }, 'missing_field', /^metadata/],
  ['the system, by a user', { message_type: 'system', content: 'You were promoted' }, 'invalid_field', /^message_type/],
];

for (const [name, said, code, says] of BAD) {
  test(`refused: ${name}`, () => assertRefused(code, () => checkChatMessage(said), says));
}

test('mentions are counted as JavaScript counts, and given in the order of the text', () => {
  const content = '👋 @a @b';
  const mentions = [mention(6, 2, 'b'), mention(3, 2, 'a')];
  assert.deepEqual(
    checkChatMessage({ content, mentions }).mentions.map(({ user_id, offset, length }) => [
      user_id,
      content.slice(offset, offset + length),
    ]),
    [
      ['a', '@a'],
      ['b', '@b'],
    ],
  );
});

test('an edit says something, and mentions only what it names', async () => {
  assert.deepEqual(checkEdit({ content: 'new' }), { content: 'new', mentions: [] });
  await assertRefused('invalid_field', () => checkEdit({ content: '' }), /^content/);
  await assertRefused('invalid_field', () => checkEdit({ content: 'a', mentions: [mention(0, 2)] }), /^mentions\[0\]/);
});

test('a reaction is one emoji, or none', async () => {
  assert.equal(checkChatEmoji('👍🏽'), '👍🏽');
  assert.equal(checkChatEmoji(''), null);
  assert.equal(checkChatEmoji(null), null);
  await assertRefused('invalid_field', () => checkChatEmoji('👍👍'), /^emoji/);
  await assertRefused('invalid_field', () => checkChatEmoji('ok'), /^emoji/);
});

test('conversations have bounds', async () => {
  checkConversationFields({ title: 'x'.repeat(200), metadata: null, retention_days: 1, external_id: 'x'.repeat(128) });
  for (const [fields, says] of [
    [{ title: '' }, /^title/],
    [{ title: 'x'.repeat(201) }, /^title.*200/],
    [{ title: 'a\0' }, /^title/],
    [{ retention_days: 0 }, /^retention_days/],
    [{ retention_days: 1.5 }, /^retention_days/],
    [{ external_id: '' }, /^external_id/],
    [{ metadata: { a: 'x'.repeat(16_384) } }, /^metadata/],
  ] as const) {
    await assertRefused('invalid_field', () => checkConversationFields(fields), says);
  }
  checkParticipants(people(...Array.from({ length: 1024 }, (_, i) => `u${i}`)));
  const many = people(...Array.from({ length: 1025 }, (_, i) => `u${i}`));
  await assertRefused('invalid_field', () => checkParticipants(many), /1024/);
  await assertRefused('invalid_field', () => checkParticipants(people('a', 'b', 'a')), /^participants\[2\]/);
  await assertRefused('invalid_field', () => checkParticipants(people('a\u0007')), /^participants\[0\]/);
});

test('two users are the same two in any order, and nobody else', () => {
  assert.equal(directKey('a', 'b'), directKey('b', 'a'));
  assert.notEqual(directKey('a', 'b","c'), directKey('a","b', 'c'));
});

test('who may write, and who may change what', () => {
  const standing = { role: 'member', can_send_messages: true } as const;
  const [open, closed] = [null, new Date()].map((closed_at) => ({ type: 'group' as const, closed_at }));
  assert.equal(writeBar(open ?? null, standing), null);
  assert.equal(writeBar(closed ?? null, standing), 'conversation_closed');
  assert.equal(writeBar(open ?? null, { ...standing, can_send_messages: false }), 'cannot_send_messages');
  assert.equal(writeBar(open ?? null, null), 'not_participant');
  assert.equal(writeBar(open ?? null, 'software'), 'not_participant');
  assert.equal(writeBar({ type: 'customer', closed_at: null }, 'software'), null);
  assert.equal(writeBar(null, standing), 'not_found');
  const rights = (['direct', 'group', 'customer'] as const).map((type) => [
    mayManage(type, standing, 'itself'),
    mayManage(type, standing, 'participants'),
    mayManage(type, { ...standing, role: 'admin' }, 'participants'),
  ]);
  assert.deepEqual(rights, [
    [true, false, true],
    [false, false, true],
    [true, false, true],
  ]);
});
