import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AldisError } from '../../src/domain/errors.ts';
import { newId, type TemplateId } from '../../src/domain/ids.ts';
import { checkTemplateSend } from '../../src/domain/template-check.ts';
import type { TemplateDefinition } from '../../src/domain/template-definition.ts';
import { shapeOf } from '../../src/domain/template-shape.ts';
import { fateOf, fateOfAccepted, type StoredTemplate } from '../../src/domain/template-status.ts';

function stored(components: TemplateDefinition['components'], change: Partial<StoredTemplate> = {}): StoredTemplate {
  const template = {
    id: newId<TemplateId>(),
    name: 'order_update',
    language: 'en',
    status: 'APPROVED',
    reason: null,
    category: 'utility' as const,
    parameter_format: 'POSITIONAL' as const,
    components,
    ...change,
  };
  return { ...template, shape: shapeOf(template.category, components) };
}

const text = (value: string, name?: string) => ({ type: 'text', text: value, ...(name && { parameter_name: name }) });
const send = (components?: readonly unknown[]) => ({
  name: 'order_update',
  language: 'en',
  ...(components && { components }),
});

/** The code, field and sentence with which a send is refused. */
function refusal(
  components: readonly unknown[],
  template: StoredTemplate,
): { code: string; field: string | null; message: string } {
  try {
    checkTemplateSend(send(components), template);
  } catch (error) {
    assert.ok(error instanceof AldisError, String(error));
    return { code: error.code, field: error.field, message: error.message };
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(components)}` });
}

const ORDER = stored([
  { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
  { type: 'BODY', text: 'Hi {{1}}, your order {{2}} is on its way.' },
  {
    type: 'BUTTONS',
    buttons: [
      { type: 'URL', text: 'Track', url: 'https://example.com/{{1}}' },
      { type: 'QUICK_REPLY', text: 'Thanks' },
    ],
  },
]);
const HEADER = { type: 'header', parameters: [text('A-1')] };
const BODY = { type: 'body', parameters: [text('Ana'), text('A-1')] };
const BUTTON = { type: 'button', sub_type: 'url', index: '0', parameters: [text('a-1')] };

test('a send that gives a template what it asks for has its category', () => {
  assert.deepEqual(checkTemplateSend(send([HEADER, BODY, BUTTON]), ORDER), {
    category: 'utility',
    template_id: ORDER.id,
    held: null,
  });
  const reply = {
    type: 'button',
    sub_type: 'quick_reply',
    index: 1,
    parameters: [{ type: 'payload', payload: 'thanks' }],
  };
  const capitals = { type: 'BUTTON', sub_type: 'URL', index: 0, parameters: [text('a-1')] };
  checkTemplateSend(send([reply, capitals, { ...BODY, type: 'BODY' }, HEADER]), ORDER);
  const money = { type: 'currency', currency: { fallback_value: '$1', code: 'USD', amount_1000: 1000 } };
  const day = { type: 'date_time', date_time: { fallback_value: 'May 1' } };
  checkTemplateSend(send([HEADER, { type: 'body', parameters: [money, day] }, BUTTON]), ORDER);
});

test('a template of another status is refused, held, or not judged', () => {
  assert.equal(checkTemplateSend(send(), 'unsynced'), null);
  assert.throws(() => checkTemplateSend(send(), 'absent', 'fallback_template'), {
    code: 'unknown_template',
    field: 'fallback_template',
  });
  assert.throws(() => checkTemplateSend(send(), { only_in: ['en_US', 'id'] }), {
    code: 'unknown_template',
    message: /has no template order_update \(en\); it has it in en_US, id\.$/,
  });
  const bare = [{ type: 'BODY', text: 'Hi' }];
  assert.equal(checkTemplateSend(send(), stored(bare, { status: 'PAUSED' }))?.held, 'template');
  assert.equal(checkTemplateSend(send(), stored(bare, { status: 'FLAGGED' }))?.held, null);
  for (const status of ['REJECTED', 'PENDING', 'DISABLED', 'SUBMITTING', 'REFUSED', 'DELETED', 'A_NEW_WORD']) {
    assert.throws(
      () => checkTemplateSend(send(), stored(bare, { status, reason: 'Why.' })),
      (error) => {
        assert.ok(error instanceof AldisError);
        assert.equal(error.code, 'template_unavailable');
        assert.match(error.message, new RegExp(`is ${status}: Why`));
        return true;
      },
    );
  }
});

test('what waits already is held as long as the template may come back', () => {
  assert.deepEqual(
    ['APPROVED', 'FLAGGED', 'PAUSED', 'PENDING', 'IN_APPEAL', 'DISABLED', 'REJECTED', 'DELETED'].map(fateOfAccepted),
    ['send', 'send', 'hold', 'hold', 'hold', 'fail', 'fail', 'fail'],
  );
  assert.equal(fateOf('PENDING'), 'refuse');
});

test('what is missing, too much or of another kind names its field', () => {
  const cases: [readonly unknown[], string, string][] = [
    [[BODY, BUTTON], 'missing_field', 'template.components'],
    [[HEADER, BUTTON], 'missing_field', 'template.components'],
    [[HEADER, BODY], 'missing_field', 'template.components'],
    [
      [HEADER, { type: 'body', parameters: [text('Ana')] }, BUTTON],
      'invalid_field',
      'template.components[1].parameters',
    ],
    [[HEADER, { type: 'body' }, BUTTON], 'invalid_field', 'template.components[1].parameters'],
    [[HEADER, { type: 'body', parameters: 'Ana' }], 'invalid_field', 'template.components[1].parameters'],
    [[HEADER, BODY, BODY, BUTTON], 'invalid_field', 'template.components[2]'],
    [
      [HEADER, { type: 'body', parameters: [text(''), text('b')] }],
      'invalid_field',
      'template.components[1].parameters[0].text',
    ],
    [
      [HEADER, { type: 'body', parameters: [text('a'), text('b\nc')] }],
      'invalid_field',
      'template.components[1].parameters[1].text',
    ],
    [
      [HEADER, { type: 'body', parameters: [text('a'), text('b'.repeat(1025))] }],
      'invalid_field',
      'template.components[1].parameters[1].text',
    ],
    [
      [HEADER, { type: 'body', parameters: [text('a'), { type: 'image', image: { id: '1' } }] }],
      'invalid_field',
      'template.components[1].parameters[1].type',
    ],
    [
      [{ type: 'header', parameters: [text('x'.repeat(61))] }],
      'invalid_field',
      'template.components[0].parameters[0].text',
    ],
    [[HEADER, BODY, { ...BUTTON, sub_type: 'quick_reply' }], 'invalid_field', 'template.components[2].sub_type'],
    [[HEADER, BODY, { ...BUTTON, index: 2 }], 'invalid_field', 'template.components[2].index'],
    [[HEADER, BODY, { ...BUTTON, index: 'x' }], 'invalid_field', 'template.components[2].index'],
    [[HEADER, BODY, { ...BUTTON, parameters: [] }], 'invalid_field', 'template.components[2].parameters'],
    [
      [HEADER, BODY, { ...BUTTON, parameters: [{ type: 'payload', payload: 'x' }] }],
      'invalid_field',
      'template.components[2].parameters[0].type',
    ],
    [[HEADER, BODY, BUTTON, BUTTON], 'invalid_field', 'template.components[3]'],
    [[HEADER, BODY, BUTTON, { type: 'footer', parameters: [] }], 'invalid_field', 'template.components[3]'],
    [[HEADER, BODY, BUTTON, { type: 'carousel', cards: [] }], 'invalid_field', 'template.components[3]'],
    [[HEADER, BODY, BUTTON, { type: 'limited_time_offer' }], 'invalid_field', 'template.components[3]'],
    [[HEADER, BODY, BUTTON, { type: 'nothing' }], 'invalid_field', 'template.components[3].type'],
    [[null], 'invalid_field', 'template.components[0]'],
    [['body'], 'invalid_field', 'template.components[0]'],
    [[{ parameters: [] }], 'invalid_field', 'template.components[0].type'],
  ];
  for (const [components, code, field] of cases) {
    const found = refusal(components, ORDER);
    assert.deepEqual([found.code, found.field], [code, field], found.message);
  }
  assert.match(
    refusal([HEADER, { type: 'body', parameters: [] }, BUTTON], ORDER).message,
    /must be 2, .*has 2 variables \(1, 2\)/,
  );
});

test('named parameters are each given once, by their names', () => {
  const named = stored([{ type: 'BODY', text: 'Hi {{first_name}}, use {{code}}.' }], { parameter_format: 'NAMED' });
  const body = (...parameters: object[]) => [{ type: 'body', parameters }];
  checkTemplateSend(send(body(text('X1', 'code'), text('Ana', 'first_name'))), named);
  const field = 'template.components[0].parameters[1].parameter_name';
  const nameless = refusal(body(text('X1', 'code'), text('Ana')), named);
  assert.deepEqual([nameless.code, nameless.field], ['missing_field', field]);
  assert.match(nameless.message, /has named variables: first_name, code\.$/);
  assert.equal(refusal(body(text('X1', 'code'), text('Ana', 'code')), named).field, field);
  assert.equal(refusal(body(text('X1', 'code'), text('Ana', 'last_name')), named).field, field);
  // A body alone may have long values.
  checkTemplateSend(send(body(text('x'.repeat(5000), 'code'), text('Ana', 'first_name'))), named);
});

test('a header that is a file or a place asks for one', () => {
  for (const [format, value] of [
    ['IMAGE', { link: 'https://example.com/a.jpg' }],
    ['VIDEO', { id: '123' }],
    ['DOCUMENT', { link: 'https://example.com/a.pdf', filename: 'a.pdf' }],
    ['LOCATION', { latitude: -6.2, longitude: '106.8', name: 'Here', address: 'There' }],
  ] as const) {
    const type = format.toLowerCase();
    const template = stored([
      { type: 'HEADER', format },
      { type: 'BODY', text: 'Hi' },
    ]);
    const header = (parameter: object) => [{ type: 'header', parameters: [parameter] }];
    checkTemplateSend(send(header({ type, [type]: value })), template);
    assert.equal(refusal([], template).code, 'missing_field');
    assert.equal(refusal(header({ type }), template).field, `template.components[0].parameters[0].${type}`);
    assert.equal(refusal(header(text('x')), template).field, 'template.components[0].parameters[0].type');
  }
  const image = stored([{ type: 'HEADER', format: 'IMAGE' }]);
  for (const value of [{}, { id: '1', link: 'https://example.com' }, { link: 'ftp://x' }, { id: 5 }]) {
    assert.equal(
      refusal([{ type: 'header', parameters: [{ type: 'image', image: value }] }], image).code,
      'invalid_field',
    );
  }
  const place = stored([{ type: 'HEADER', format: 'LOCATION' }]);
  const far = { type: 'location', location: { latitude: 91, longitude: 0 } };
  assert.match(refusal([{ type: 'header', parameters: [far] }], place).field ?? '', /latitude$/);
  for (const longitude of [null, true, [], ' ', 'east', undefined]) {
    const nowhere = { type: 'location', location: { latitude: 1, longitude } };
    assert.match(refusal([{ type: 'header', parameters: [nowhere] }], place).field ?? '', /longitude$/);
  }
});

test('codes, coupons, flows, offers and carousels', () => {
  const code = stored(
    [
      { type: 'BODY', add_security_recommendation: true },
      { type: 'BUTTONS', buttons: [{ type: 'OTP', otp_type: 'COPY_CODE' }] },
    ],
    {
      category: 'authentication',
    },
  );
  const otp = { type: 'button', sub_type: 'url', index: 0, parameters: [text('123456')] };
  const verdict = checkTemplateSend(send([{ type: 'body', parameters: [text('123456')] }, otp]), code);
  assert.equal(verdict?.category, 'authentication');
  assert.match(refusal([{ type: 'body', parameters: [text('1')] }], code).message, /button with sub_type url, index 0/);

  const offer = stored([
    { type: 'LIMITED_TIME_OFFER', limited_time_offer: { text: 'Soon over', has_expiration: true } },
    { type: 'BODY', text: 'Now' },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'COPY_CODE', example: 'SAVE' },
        { type: 'FLOW', text: 'Open', flow_id: '1' },
      ],
    },
  ]);
  const ends = (time: unknown) => ({
    type: 'limited_time_offer',
    parameters: [{ type: 'limited_time_offer', limited_time_offer: { expiration_time_ms: time } }],
  });
  const coupon = {
    type: 'button',
    sub_type: 'copy_code',
    index: 0,
    parameters: [{ type: 'coupon_code', coupon_code: 'SAVE25' }],
  };
  const flow = {
    type: 'button',
    sub_type: 'flow',
    index: 1,
    parameters: [{ type: 'action', action: { flow_token: 'x' } }],
  };
  checkTemplateSend(send([ends(1_800_000_000_000), coupon]), offer);
  checkTemplateSend(send([ends(1_800_000_000_000), coupon, flow]), offer);
  assert.equal(refusal([coupon], offer).code, 'missing_field');
  assert.match(refusal([ends('soon'), coupon], offer).field ?? '', /expiration_time_ms$/);
  const long = { ...coupon, parameters: [{ type: 'coupon_code', coupon_code: 'x'.repeat(16) }] };
  assert.match(refusal([ends(1), long], offer).message, /at most 15 characters, but has 16/);

  const card = {
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'See', url: 'https://example.com/{{1}}' }] },
    ],
  };
  const carousel = stored([
    { type: 'BODY', text: 'Look' },
    { type: 'CAROUSEL', cards: [card, card] },
  ]);
  const sent = (
    index: number,
    components: object[] = [{ type: 'header', parameters: [{ type: 'image', image: { id: '1' } }] }, { ...BUTTON }],
  ) => ({
    card_index: index,
    components,
  });
  checkTemplateSend(send([{ type: 'carousel', cards: [sent(1), sent(0)] }]), carousel);
  const field = (components: readonly unknown[]) => refusal(components, carousel).field;
  assert.equal(field([]), 'template.components');
  assert.equal(field([{ type: 'carousel', cards: [sent(0)] }]), 'template.components[0].cards');
  assert.equal(field([{ type: 'carousel', cards: [sent(0), sent(0)] }]), 'template.components[0].cards[1].card_index');
  assert.equal(
    field([{ type: 'carousel', cards: [sent(0), sent(1, [])] }]),
    'template.components[0].cards[1].components',
  );
});

test('what a template has that is not known here asks for nothing', () => {
  const odd = stored([
    { type: 'HEADER', format: 'HOLOGRAM' },
    { type: 'BODY', text: 'Hi' },
    { type: 'SOMETHING', new: true },
    { type: 'BUTTONS', buttons: [{ type: 'TELEPORT', text: 'Go' }, 'no button', null] },
  ]);
  assert.equal(checkTemplateSend(send(), odd)?.category, 'utility');
  assert.equal(
    refusal([{ type: 'button', sub_type: 'teleport', index: 0, parameters: [text('x')] }], odd).code,
    'invalid_field',
  );
  for (const broken of [
    [{}],
    [{ type: 'BODY', text: 5 }],
    [{ type: 'CAROUSEL' }],
    [{ type: 'BUTTONS', buttons: 'x' }],
  ]) {
    assert.equal(typeof shapeOf('utility', broken), 'object');
  }
});
