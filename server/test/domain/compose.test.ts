import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ComposeContext, compose, type MessageRequest } from '../../src/domain/compose.ts';
import { AldisError, type ErrorCode } from '../../src/domain/errors.ts';
import { newId, type SenderId } from '../../src/domain/ids.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const context: ComposeContext = { now: NOW, sender: newId<SenderId>(), priority: 1 };
const text = (body: string, more: Partial<MessageRequest> = {}): MessageRequest => ({
  to: '+6281234567890',
  content: { text: body },
  ...more,
});
const media = (media_url: string, more: Partial<MessageRequest> = {}): MessageRequest => ({
  to: '+6281234567890',
  content: { media_url },
  ...more,
});

/** Holds that a request is refused with a code that names the field. */
function refuses(
  request: MessageRequest,
  code: ErrorCode,
  field: string,
  change: Partial<ComposeContext> = {},
): AldisError {
  try {
    compose(request, { ...context, ...change });
  } catch (error) {
    assert.ok(error instanceof AldisError, String(error));
    assert.deepEqual({ code: error.code, field: error.field }, { code, field }, error.message);
    return error;
  }
  assert.fail(`not refused with ${code}`);
}

test('a text with values in it is complete', () => {
  const message = compose(text('Hello, {name}! {n} of {n}', { variables: { name: 'Ana', n: 2 } }), context);
  assert.deepEqual(message, {
    sender_id: context.sender,
    address: '+6281234567890',
    address_kind: 'phone',
    type: 'text',
    category: 'service',
    priority: 1,
    content: { text: 'Hello, Ana! 2 of 2' },
    template: null,
    metadata: null,
    reply_to: null,
    scheduled_at: null,
    expires_at: null,
    sender_type: null,
    conversation_name: null,
  });
});

test('every name without a value is told, and what the contact is called helps out', () => {
  const error = refuses(
    text('{a} {b} {a} {constructor}', { variables: { b: 1 } }),
    'missing_variables',
    'content.text',
  );
  assert.deepEqual(error.details, { variables: ['a', 'constructor'] });
  const { content } = compose(text('Hi {name}'), { ...context, contact: { name: 'Budi' } });
  assert.equal(content?.text, 'Hi Budi');
  const { content: own } = compose(text('Hi {name}', { variables: { name: 'Ana' } }), {
    ...context,
    contact: { name: 'Budi' },
  });
  assert.equal(own?.text, 'Hi Ana');
});

test('braces that hold no name are text, and values are not looked at again', () => {
  const body = 'if {} then { x } else {"a": 1}';
  assert.equal(compose(text(body), context).content?.text, body);
  assert.equal(compose(text('{a}', { variables: { a: '{b}' } }), context).content?.text, '{b}');
});

test('addressees', () => {
  assert.equal(compose({ recipient_phone: 'ID.1A2b3C', content: { text: 'x' } }, context).address_kind, 'bsuid');
  for (const to of [
    '081234567890',
    '6281234567890',
    '+0812345678',
    '+62 812 345',
    '+123456',
    '+1234567890123456',
    '',
    'id.x',
  ]) {
    assert.match(refuses({ ...text('x'), to }, 'invalid_phone', 'to').message, /Phone number must be in E\.164 format/);
  }
  refuses({ recipient_phone: '123', content: { text: 'x' } }, 'invalid_phone', 'recipient_phone');
  refuses({ ...text('x'), recipient_phone: '+6281234567890' }, 'two_addressees', 'to');
  refuses({ content: { text: 'x' } }, 'missing_field', 'recipient_phone');
});

test('a template is what is sent; the content beside it is kept for display, filled in as far as it can be', () => {
  const template = { name: 'welcome_message', language: 'en', components: [{ type: 'body' }] };
  const message = compose(text('Hi {name}, {unknown}', { template, variables: { name: 'Ana' } }), context);
  assert.equal(message.type, 'template');
  assert.equal(message.category, 'marketing');
  assert.deepEqual(message.template, template);
  assert.deepEqual(message.content, { text: 'Hi Ana, {unknown}' });
  refuses(text('x', { template, type: 'text' }), 'invalid_field', 'type');
  refuses({ to: '+6281234567890', type: 'template' }, 'missing_field', 'template');
  refuses(text('x', { template: { name: 'Welcome', language: 'en' } }), 'invalid_field', 'template.name');
  refuses(text('x', { template: { name: 'welcome', language: 'english' } }), 'invalid_field', 'template.language');
  const big = { name: 'a', language: 'en', components: [{ text: 'x'.repeat(40_000) }] };
  refuses(text('x', { template: big }), 'invalid_field', 'template.components');
});

test('media: the type by what is asked or by the extension, the text as caption', () => {
  const cases: [string, string][] = [
    ['https://example.com/a.JPG?size=2', 'image'],
    ['http://example.com/a.mp4', 'video'],
    ['https://example.com/a.ogg#t', 'audio'],
    ['https://example.com/a.b/report.pdf', 'document'],
  ];
  for (const [url, type] of cases) assert.equal(compose(media(url), context).type, type, url);
  const captioned = compose(
    { to: '+6281234567890', type: 'text', content: { text: 'Look', media_url: 'https://example.com/a.png' } },
    context,
  );
  assert.deepEqual([captioned.type, captioned.content?.text], ['image', 'Look']);
  assert.equal(compose(media('https://example.com/a.jpg', { type: 'document' }), context).type, 'document');
  assert.equal(compose(media('https://example.com/media/7', { type: 'video' }), context).type, 'video');
  refuses(media('https://example.com/media/7'), 'missing_field', 'type');
  refuses(media('https://example.com/a.pdf', { type: 'image' }), 'invalid_field', 'type');
  refuses(text('x', { type: 'image' }), 'missing_field', 'content.media_url');
  for (const name of ['a.gif', 'a.webp', 'a.mpeg', 'a.wav']) {
    refuses(media(`https://example.com/${name}`), 'unsupported_type', 'content.media_url');
  }
  const spoken = { text: 'x', media_url: 'https://example.com/a.mp3' };
  refuses({ to: '+6281234567890', content: spoken }, 'invalid_field', 'content.text');
});

test('a media URL that is no URL', () => {
  const bad = [
    'image.jpg',
    'ftp://example.com/a.jpg',
    'javascript:alert(1)',
    'https://',
    'https://a b/c.jpg',
    'file:///etc/passwd',
  ];
  for (const url of [...bad, `https://example.com/${'a'.repeat(2048)}.jpg`, 'https://example.com/\ta.jpg']) {
    refuses(media(url), 'invalid_media_url', 'content.media_url');
  }
});

test('file names are for documents, and name a file', () => {
  const document = (filename: string, url = 'https://example.com/a.pdf') =>
    ({ to: '+6281234567890', content: { media_url: url, filename } }) satisfies MessageRequest;
  assert.equal(compose(document('Invoice 7.pdf'), context).content?.filename, 'Invoice 7.pdf');
  refuses(document('../../x.pdf'), 'invalid_field', 'content.filename');
  refuses(document('x'.repeat(241)), 'invalid_field', 'content.filename');
  refuses(document('a.png', 'https://example.com/a.png'), 'invalid_field', 'content.filename');
});

test('lengths are counted in characters, after the values are in', () => {
  assert.equal(compose(text('👍'.repeat(4096)), context).content?.text?.length, 8192);
  refuses(text('👍'.repeat(4097)), 'invalid_field', 'content.text');
  refuses(text('{a}{a}', { variables: { a: 'x'.repeat(2049) } }), 'invalid_field', 'content.text');
  refuses(
    { to: '+6281234567890', content: { text: 'x'.repeat(1025), media_url: 'https://example.com/a.jpg' } },
    'invalid_field',
    'content.text',
  );
  refuses(text(' \n'), 'invalid_field', 'content.text');
  refuses({ to: '+6281234567890' }, 'missing_field', 'content.text');
});

test('times', () => {
  const at = (scheduled_at: string, expires_at?: string) => text('x', { scheduled_at, expires_at });
  const message = compose(at('2026-12-01T09:00:00+07:00', '2026-12-02T00:00:00.5Z'), context);
  assert.equal(message.scheduled_at, Date.parse('2026-12-01T02:00:00Z'));
  assert.equal(message.expires_at, Date.parse('2026-12-02T00:00:00.500Z'));
  refuses(at('2026-11-21T11:59:59Z'), 'scheduled_in_past', 'scheduled_at');
  refuses(at('2026-11-21T12:00:00+00:01'), 'scheduled_in_past', 'scheduled_at');
  for (const far of ['2028-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])
    refuses(at(far), 'scheduled_too_far', 'scheduled_at');
  for (const bad of [
    'tomorrow',
    '2026-12-01',
    '2026-12-01T09:00:00',
    '2026-02-30T00:00:00Z',
    '2027-13-01T00:00:00Z',
    '1700000000',
  ]) {
    refuses(at(bad), 'invalid_field', 'scheduled_at');
  }
  refuses(text('x', { expires_at: '2026-11-21T12:00:00Z' }), 'invalid_field', 'expires_at');
  refuses(at('2026-12-01T00:00:00Z', '2026-12-01T00:00:00Z'), 'invalid_field', 'expires_at');
  refuses(text('x', { expires_at: '2099-01-01T00:00:00Z' }), 'invalid_field', 'expires_at');
});

test('priority: what is asked, else high for codes, else what the caller gives all others', () => {
  const low: ComposeContext = { ...context, priority: 2 };
  assert.equal(compose(text('x'), low).priority, 2);
  assert.equal(compose(text('x', { priority: 'normal' }), low).priority, 1);
  assert.equal(compose(text('x', { category: 'authentication' }), low).priority, 0);
  assert.equal(compose(text('x', { category: 'authentication', priority: 'low' }), low).priority, 2);
});

test('what the database cannot hold is refused, wherever it stands', () => {
  refuses(text('a\0b'), 'invalid_field', 'content.text');
  refuses(text('{a}', { variables: { a: '\ud83d' } }), 'invalid_field', 'content.text');
  const template = { name: 'a', language: 'en' };
  refuses(text('{a}', { template, variables: { a: '\0' } }), 'invalid_field', 'content.text');
  refuses(text('x', { metadata: { a: [{ b: '\0' }] } }), 'invalid_field', 'metadata.a[0].b');
  refuses(text('x', { metadata: { '\0': 1 } }), 'invalid_field', 'metadata');
  refuses(text('x', { metadata: JSON.parse('{"n": 1e999}') }), 'invalid_field', 'metadata.n');
  refuses(text('x', { metadata: { a: 'x'.repeat(4096) } }), 'invalid_field', 'metadata');
  refuses(
    text('x', { metadata: JSON.parse(`${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`) }),
    'invalid_field',
    `metadata${'.a'.repeat(16)}`,
  );
  refuses(text('x', { reply_to: 'wamid.\0' }), 'invalid_field', 'reply_to');
});

test('whatever comes in, it is a message or an error that names its field', () => {
  const anything = fc.record(
    {
      to: fc.oneof(fc.string(), fc.constant('+6281234567890')),
      recipient_phone: fc.string(),
      type: fc.constantFrom('text', 'image', 'document', 'template' as const),
      content: fc.record(
        { text: fc.string({ unit: 'binary' }), media_url: fc.webUrl(), filename: fc.string() },
        { requiredKeys: [] },
      ),
      template: fc.record({ name: fc.string(), language: fc.string(), components: fc.array(fc.jsonValue()) }),
      variables: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())),
      scheduled_at: fc.oneof(
        fc.string(),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      ),
      expires_at: fc.string(),
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anything, (request) => {
      try {
        const { address, type, content, template } = compose(request, context);
        assert.ok(address.length > 0 && (type === 'template' ? template : content));
      } catch (error) {
        assert.ok(error instanceof AldisError && error.field !== null, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
