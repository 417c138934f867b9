import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AldisError } from '../../src/domain/errors.ts';
import { checkDefinition, checkTimeToLive, type DefinitionRules } from '../../src/domain/template-rules.ts';
import { samplesOf, withHandles } from '../../src/domain/template-samples.ts';

const USUAL: DefinitionRules = { category: 'utility', parameter_format: 'POSITIONAL' };
const NAMED: DefinitionRules = { category: 'utility', parameter_format: 'NAMED' };
const CODE: DefinitionRules = { category: 'authentication', parameter_format: 'POSITIONAL' };
const OFFER: DefinitionRules = { category: 'marketing', parameter_format: 'POSITIONAL' };

const BODY = { type: 'BODY', text: 'Hi {{1}}, thanks.', example: { body_text: [['Ana']] } };
const PLAIN = { type: 'BODY', text: 'Thanks.' };
const REPLY = { type: 'QUICK_REPLY', text: 'Yes' };
const LINK = { type: 'URL', text: 'See', url: 'https://example.com/{{1}}', example: ['https://example.com/1'] };
const PHONE = { type: 'PHONE_NUMBER', text: 'Call', phone_number: '+15550100' };
const COUPON = { type: 'COPY_CODE', example: 'SAVE25' };
const buttons = (...list: object[]) => ({ type: 'BUTTONS', buttons: list });
const image = { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['4::abc'] } };

/** Where and why a definition is refused: `field code`. */
function flaw(components: readonly unknown[], rules = USUAL): string {
  try {
    checkDefinition(components, rules);
  } catch (error) {
    assert.ok(error instanceof AldisError, String(error));
    return `${error.field} ${error.code}`;
  }
  return 'taken';
}

test('what WhatsApp takes is taken, its types written in capitals', () => {
  const written = checkDefinition(
    [
      { type: 'header', format: 'text', text: 'Order {{1}}', example: { header_text: ['A-1'] } },
      { ...BODY, type: 'body' },
      { type: 'footer', text: 'Bye' },
      {
        type: 'buttons',
        buttons: [{ ...REPLY, type: 'quick_reply' }, LINK, PHONE, COUPON, { type: 'flow', text: 'Open', flow_id: '1' }],
      },
    ],
    USUAL,
  );
  assert.deepEqual(
    written.map(({ type }) => type),
    ['HEADER', 'BODY', 'FOOTER', 'BUTTONS'],
  );
  assert.equal(written[0]?.['format'], 'TEXT');
  for (const format of ['IMAGE', 'VIDEO', 'DOCUMENT']) {
    assert.equal(flaw([{ ...image, format }, PLAIN]), 'taken');
  }
  assert.equal(flaw([{ type: 'HEADER', format: 'LOCATION' }, PLAIN]), 'taken');
  const named = {
    type: 'BODY',
    text: 'Hi {{first_name}}, use {{code}} now.',
    example: {
      body_text_named_params: [
        { param_name: 'first_name', example: 'Ana' },
        { param_name: 'code', example: 'X1' },
      ],
    },
  };
  assert.equal(flaw([named], NAMED), 'taken');
  assert.equal(flaw([PLAIN, buttons(...Array.from({ length: 10 }, () => REPLY))]), 'taken');
});

test('texts are held to their limits, and their variables to the format', () => {
  const body = (text: string, example?: object) => [{ type: 'BODY', text, ...(example && { example }) }];
  const cases: [readonly unknown[], string, DefinitionRules?][] = [
    [[], 'components missing_field'],
    [[{ type: 'FOOTER', text: 'Bye' }], 'components missing_field'],
    [[{ type: 'BODY' }], 'components[0].text missing_field'],
    [body(' '), 'components[0].text invalid_field'],
    [body('x'.repeat(1025)), 'components[0].text invalid_field'],
    [body('Hi {{1}} there'), 'components[0].example.body_text[0] missing_field'],
    [body('Hi {{1}} and {{2}} there', { body_text: [['a']] }), 'components[0].example.body_text[0] missing_field'],
    [body('Hi {{2}} there', { body_text: [['a']] }), 'components[0].text invalid_field'],
    [body('Hi {{name}} there', { body_text: [['a']] }), 'components[0].text invalid_field'],
    [body('{{1}} there', { body_text: [['a']] }), 'components[0].text invalid_field'],
    [body('Hi {{1}}', { body_text: [['a']] }), 'components[0].text invalid_field'],
    [body('Hi {{1}}{{2}} there', { body_text: [['a', 'b']] }), 'components[0].text invalid_field'],
    [body('Hi {{ there'), 'components[0].text invalid_field'],
    [body('Hi {{a b}} there'), 'components[0].text invalid_field'],
    [body('Hi {{1}} there', { body_text: [['a']] }), 'components[0].text invalid_field', NAMED],
    [body('Hi {{name}} there'), 'components[0].example.body_text_named_params missing_field', NAMED],
    [[PLAIN, PLAIN], 'components[1] invalid_field'],
    [[PLAIN, { type: 'FOOTER', text: 'x'.repeat(61) }], 'components[1].text invalid_field'],
    [[PLAIN, { type: 'FOOTER', text: 'Bye {{1}} x' }], 'components[1].text invalid_field'],
    [[PLAIN, { type: 'HEADER', format: 'TEXT', text: 'x'.repeat(61) }], 'components[1].text invalid_field'],
    [[PLAIN, { type: 'HEADER', format: 'TEXT', text: 'a\nb' }], 'components[1].text invalid_field'],
    [
      [PLAIN, { type: 'HEADER', format: 'TEXT', text: 'A {{1}} b {{2}}', example: { header_text: ['a', 'b'] } }],
      'components[1].text invalid_field',
    ],
    [[PLAIN, { type: 'HEADER', format: 'TEXT', text: 'A {{1}}' }], 'components[1].example.header_text missing_field'],
    [[PLAIN, { type: 'HEADER', format: 'IMAGE' }], 'components[1].example.header_handle missing_field'],
    [[PLAIN, { type: 'HEADER', format: 'HOLOGRAM' }], 'components[1].format invalid_field'],
    [[PLAIN, { type: 'TAIL' }], 'components[1].type invalid_field'],
    [[PLAIN, 'x'], 'components[1] invalid_field'],
    [[{ type: 'BODY', text: 'a\0b' }], 'components[0].text invalid_field'],
    [[{ ...PLAIN, extra: 'x'.repeat(70_000) }], 'components invalid_field'],
  ];
  for (const [components, expected, rules] of cases) {
    assert.equal(flaw(components, rules), expected, JSON.stringify(components).slice(0, 200));
  }
});

test('buttons are counted, grouped and each held to its limits', () => {
  const cases: [object[], string][] = [
    [[], 'components[1].buttons invalid_field'],
    [Array.from({ length: 11 }, () => REPLY), 'components[1].buttons invalid_field'],
    [[LINK, LINK, LINK], 'components[1].buttons[2] invalid_field'],
    [[PHONE, PHONE], 'components[1].buttons[1] invalid_field'],
    [[COUPON, COUPON], 'components[1].buttons[1] invalid_field'],
    [[REPLY, LINK, REPLY], 'components[1].buttons invalid_field'],
    [[{ ...REPLY, text: 'x'.repeat(26) }], 'components[1].buttons[0].text invalid_field'],
    [[{ ...REPLY, text: 'Yes {{1}}' }], 'components[1].buttons[0].text invalid_field'],
    [[{ ...LINK, url: 'https://example.com/{{1}}/x' }], 'components[1].buttons[0].url invalid_field'],
    [[{ ...LINK, url: 'https://{{1}}' }], 'components[1].buttons[0].url invalid_field'],
    [[{ ...LINK, url: 'example.com' }], 'components[1].buttons[0].url invalid_field'],
    [[{ ...LINK, url: `https://example.com/${'x'.repeat(2000)}` }], 'components[1].buttons[0].url invalid_field'],
    [[{ ...LINK, example: undefined }], 'components[1].buttons[0].example missing_field'],
    [[{ ...PHONE, phone_number: '+155501001234567890123' }], 'components[1].buttons[0].phone_number invalid_field'],
    [[{ ...PHONE, phone_number: 'call me' }], 'components[1].buttons[0].phone_number invalid_field'],
    [[{ ...COUPON, example: 'x'.repeat(16) }], 'components[1].buttons[0].example invalid_field'],
    [[{ type: 'COPY_CODE' }], 'components[1].buttons[0].example missing_field'],
    [[{ type: 'FLOW', text: 'Open' }], 'components[1].buttons[0] invalid_field'],
    [[{ type: 'OTP', otp_type: 'COPY_CODE' }], 'components[1].buttons[0].type invalid_field'],
    [[{ type: 'TELEPORT', text: 'Go' }], 'components[1].buttons[0].type invalid_field'],
  ];
  for (const [list, expected] of cases)
    assert.equal(flaw([PLAIN, buttons(...list)]), expected, JSON.stringify(list).slice(0, 200));
  assert.equal(flaw([PLAIN, buttons(LINK, PHONE, REPLY, REPLY)]), 'taken');
});

test('authentication: WhatsApp words it, and one button has the code', () => {
  const otp = (change: object = {}) => buttons({ type: 'OTP', otp_type: 'copy_code', ...change });
  const app = { package_name: 'com.example', signature_hash: 'K8a/AINcGX7' };
  const minutes = (code_expiration_minutes: unknown) => ({ type: 'FOOTER', code_expiration_minutes });
  const body = { type: 'BODY', add_security_recommendation: true };
  assert.equal(flaw([body, minutes(10), otp()], CODE), 'taken');
  assert.equal(flaw([body, otp({ otp_type: 'ONE_TAP', supported_apps: [app] })], CODE), 'taken');
  const cases: [readonly unknown[], string][] = [
    [[otp()], 'components missing_field'],
    [[body], 'components missing_field'],
    [[{ ...body, text: 'Hi' }, otp()], 'components[0].text invalid_field'],
    [
      [{ ...body, add_security_recommendation: 'yes' }, otp()],
      'components[0].add_security_recommendation invalid_field',
    ],
    [[body, minutes(0), otp()], 'components[1].code_expiration_minutes invalid_field'],
    [[body, minutes(91), otp()], 'components[1].code_expiration_minutes invalid_field'],
    [[body, minutes('5'), otp()], 'components[1].code_expiration_minutes invalid_field'],
    [[body, otp({ otp_type: 'LOUD' })], 'components[1].buttons[0].otp_type invalid_field'],
    [[body, otp({ otp_type: 'ONE_TAP' })], 'components[1].buttons[0].supported_apps invalid_field'],
    [
      [body, otp({ otp_type: 'ZERO_TAP', supported_apps: [app] })],
      'components[1].buttons[0].zero_tap_terms_accepted invalid_field',
    ],
    [
      [body, otp({ otp_type: 'ONE_TAP', supported_apps: [{ ...app, signature_hash: 'short' }] })],
      'components[1].buttons[0].supported_apps[0].signature_hash invalid_field',
    ],
    [[body, buttons(REPLY)], 'components[1].buttons[0].type invalid_field'],
    [[body, image, otp()], 'components[1].type invalid_field'],
  ];
  for (const [components, expected] of cases)
    assert.equal(flaw(components, CODE), expected, JSON.stringify(components));
});

test('carousels have two to ten cards of one shape; offers end soon', () => {
  const card = (change: object[] = []) => ({
    components: [image, { ...BODY, text: 'For {{1}} now' }, buttons(REPLY, LINK), ...change],
  });
  const carousel = (...cards: object[]) => [PLAIN, { type: 'CAROUSEL', cards }];
  assert.equal(flaw(carousel(card(), card())), 'taken');
  assert.equal(flaw(carousel(card())), 'components[1].cards invalid_field');
  assert.equal(flaw(carousel(...Array.from({ length: 11 }, () => card()))), 'components[1].cards invalid_field');
  assert.equal(
    flaw(carousel(card(), { components: [image, buttons(REPLY, LINK)] })),
    'components[1].cards[1] invalid_field',
  );
  assert.equal(
    flaw(carousel(card(), { components: [buttons(REPLY)] })),
    'components[1].cards[1].components missing_field',
  );
  assert.equal(flaw(carousel(card(), { components: [image] })), 'components[1].cards[1].components invalid_field');
  assert.equal(
    flaw(carousel({ components: [image, { type: 'BODY', text: 'x'.repeat(161) }, buttons(REPLY)] }, card())),
    'components[1].cards[0].components[1].text invalid_field',
  );
  assert.equal(
    flaw([...carousel(card(), card()), { type: 'FOOTER', text: 'Bye' }]),
    'components[2].type invalid_field',
  );
  assert.equal(flaw([PLAIN, { type: 'CAROUSEL' }]), 'components[1].cards invalid_field');

  const offer = (change: object = {}) => ({
    type: 'LIMITED_TIME_OFFER',
    limited_time_offer: { text: 'Soon over', has_expiration: true, ...change },
  });
  const all = [offer(), image, PLAIN, buttons(COUPON, LINK)];
  assert.equal(flaw(all, OFFER), 'taken');
  assert.equal(flaw(all, USUAL), 'category invalid_field');
  assert.equal(
    flaw([offer({ text: 'x'.repeat(17) }), PLAIN, buttons(COUPON, LINK)], OFFER),
    'components[0].limited_time_offer.text invalid_field',
  );
  assert.equal(flaw([offer(), PLAIN, buttons(LINK)], OFFER), 'components missing_field');
  assert.equal(flaw([offer(), PLAIN, buttons(COUPON)], OFFER), 'components missing_field');
  assert.equal(
    flaw([offer(), { type: 'BODY', text: 'x'.repeat(601) }, buttons(COUPON, LINK)], OFFER),
    'components[1].text invalid_field',
  );
  assert.equal(flaw([...all, { type: 'FOOTER', text: 'Bye' }], OFFER), 'components[4].type invalid_field');
});

test('files that are stored here may be samples, and are given by their handles', () => {
  const id = '0197a1b2-0000-7000-8000-000000000001';
  const own = { type: 'header', format: 'image', example: { media_id: id } };
  const written = checkDefinition([own, PLAIN], USUAL);
  assert.deepEqual(samplesOf(written), [{ media_id: id, format: 'IMAGE', field: 'components[0].example.media_id' }]);
  const handles = new Map([[id, '4::abc']]);
  assert.deepEqual(withHandles(written, handles)[0]?.['example'], { header_handle: ['4::abc'] });
  assert.equal(
    flaw([{ ...own, example: { media_id: 'mine' } }, PLAIN]),
    'components[0].example.media_id invalid_field',
  );
  const card = { components: [own, buttons(REPLY)] };
  const carousel = checkDefinition([PLAIN, { type: 'CAROUSEL', cards: [card, card] }], USUAL);
  assert.deepEqual(
    samplesOf(carousel).map(({ field }) => field),
    ['components[1].cards[0].components[0].example.media_id', 'components[1].cards[1].components[0].example.media_id'],
  );
  assert.match(JSON.stringify(withHandles(carousel, handles)), /4::abc.*4::abc/);
  assert.deepEqual(
    samplesOf([
      { type: 'HEADER', example: 5 },
      { type: 'CAROUSEL', cards: [null] },
    ]),
    [],
  );
});

test('a time to live is held to its category', () => {
  checkTimeToLive(30, 'authentication', 'ttl');
  checkTimeToLive(-1, 'marketing', 'ttl');
  for (const [seconds, category] of [
    [901, 'authentication'],
    [29, 'utility'],
    [43_199, 'marketing'],
  ] as const) {
    assert.throws(() => checkTimeToLive(seconds, category, 'ttl'), { code: 'invalid_field', field: 'ttl' });
  }
});
