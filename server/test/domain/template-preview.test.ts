import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentsOfValues, previewTemplate } from '../../src/domain/template-preview.ts';

const ORDER = {
  category: 'utility' as const,
  components: [
    { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}', example: { header_text: ['A-0'] } },
    { type: 'BODY', text: 'Hi {{1}}, {{2}} is on its way to {{1}}.', example: { body_text: [['Ann', 'B-0']] } },
    { type: 'FOOTER', text: 'Bye' },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'QUICK_REPLY', text: 'Thanks' },
        { type: 'URL', text: 'Track', url: 'https://example.com/{{1}}', example: ['https://example.com/b-0'] },
        { type: 'PHONE_NUMBER', text: 'Call', phone_number: '+15550100' },
        { type: 'COPY_CODE', example: 'SAVE' },
      ],
    },
  ],
};

test('a preview shows what the customer will see', () => {
  const shown = previewTemplate(ORDER, [
    { type: 'header', parameters: [{ type: 'text', text: 'A-1' }] },
    {
      type: 'body',
      parameters: [
        { type: 'text', text: 'Ana' },
        { type: 'currency', currency: { fallback_value: '$5' } },
      ],
    },
    { type: 'button', sub_type: 'url', index: '1', parameters: [{ type: 'text', text: 'a-1?x=$&' }] },
    { type: 'button', sub_type: 'copy_code', index: 3, parameters: [{ type: 'coupon_code', coupon_code: 'SAVE25' }] },
  ]);
  assert.equal(shown.header?.text, 'Order A-1');
  assert.equal(shown.body, 'Hi Ana, $5 is on its way to Ana.');
  assert.deepEqual(
    shown.buttons.map(({ text, url, phone_number, code }) => [text, url ?? phone_number ?? code]),
    [
      ['Thanks', null],
      ['Track', 'https://example.com/a-1?x=$&'],
      ['Call', '+15550100'],
      ['Copy offer code', 'SAVE25'],
    ],
  );
  assert.equal(
    shown.text,
    'Order A-1\n\nHi Ana, $5 is on its way to Ana.\n\nBye\n\n[Thanks]\n[Track] https://example.com/a-1?x=$&\n[Call] +15550100\n[Copy offer code] SAVE25',
  );
});

test('what is not given shows its example; values go by name', () => {
  const bare = previewTemplate(ORDER, []);
  assert.deepEqual(
    [bare.header?.text, bare.body, bare.buttons[1]?.url],
    ['Order A-0', 'Hi Ann, B-0 is on its way to Ann.', 'https://example.com/b-0'],
  );
  const some = previewTemplate(
    ORDER,
    componentsOfValues(ORDER.components, { 2: 'B-7', 'header.1': 'B-7', 'button.1': 'b-7' }),
  );
  assert.deepEqual(
    [some.header?.text, some.body, some.buttons[1]?.url],
    ['Order B-7', 'Hi Ann, B-7 is on its way to Ann.', 'https://example.com/b-7'],
  );
  const named = {
    category: 'marketing' as const,
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'For {{name}}' },
      {
        type: 'BODY',
        text: 'Use {{code}}, {{name}}.',
        example: { body_text_named_params: [{ param_name: 'code', example: 'X0' }] },
      },
    ],
  };
  const both = previewTemplate(named, componentsOfValues(named.components, { name: 'Ana' }));
  assert.deepEqual([both.header?.text, both.body], ['For Ana', 'Use X0, Ana.']);
  const swapped = [
    {
      type: 'body',
      parameters: [
        { type: 'text', parameter_name: 'name', text: 'Ana' },
        { type: 'text', parameter_name: 'code', text: 'X1' },
      ],
    },
  ];
  assert.equal(previewTemplate(named, swapped).body, 'Use X1, Ana.');
  assert.equal(previewTemplate(named, []).body, 'Use X0, {{name}}.');
});

test('codes, files, offers and cards', () => {
  const code = previewTemplate(
    {
      category: 'authentication',
      components: [
        { type: 'BODY', add_security_recommendation: true },
        { type: 'FOOTER', code_expiration_minutes: 5 },
        { type: 'BUTTONS', buttons: [{ type: 'OTP', otp_type: 'COPY_CODE', text: 'Copy' }] },
      ],
    },
    [
      { type: 'body', parameters: [{ type: 'text', text: '123456' }] },
      { type: 'button', sub_type: 'url', index: 0, parameters: [{ type: 'text', text: '123456' }] },
    ],
  );
  assert.equal(code.body, '*123456* is your verification code. For your security, do not share this code.');
  assert.equal(code.footer, 'This code expires in 5 minutes.');
  assert.equal(code.buttons[0]?.code, '123456');
  const card = (body: string) => ({
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: body },
    ],
  });
  const carousel = previewTemplate(
    {
      category: 'marketing',
      components: [
        { type: 'LIMITED_TIME_OFFER', limited_time_offer: { text: 'Soon over', has_expiration: true } },
        { type: 'CAROUSEL', cards: [card('One for {{1}} only'), card('Two')] },
      ],
    },
    [
      {
        type: 'limited_time_offer',
        parameters: [{ type: 'limited_time_offer', limited_time_offer: { expiration_time_ms: 5 } }],
      },
      {
        type: 'carousel',
        cards: [
          {
            card_index: 0,
            components: [
              { type: 'header', parameters: [{ type: 'image', image: { link: 'https://example.com/a.jpg' } }] },
              { type: 'body', parameters: [{ type: 'text', text: 'Ana' }] },
            ],
          },
        ],
      },
    ],
  );
  assert.deepEqual(carousel.offer, { text: 'Soon over', expires_at: 5 });
  assert.deepEqual(
    carousel.cards.map(({ header, body }) => [header?.link, body]),
    [
      ['https://example.com/a.jpg', 'One for Ana only'],
      [null, 'Two'],
    ],
  );
  assert.equal(carousel.text, 'Soon over\n\n[image]\nOne for Ana only\n\n[image]\nTwo');
});

test('whatever the components are, something is shown', () => {
  const broken = [
    { type: 'HEADER', format: 5 },
    { type: 'BODY', text: 'Hi {{1}}', example: 'x' },
    { type: 'BUTTONS', buttons: [null, { type: 'URL' }] },
    { type: 'CAROUSEL', cards: [5] },
  ];
  const shown = previewTemplate({ category: 'utility', components: broken }, [
    null,
    5,
    { type: 'body', parameters: [null] },
  ]);
  assert.equal(shown.body, 'Hi {{1}}');
});
