import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { listOf } from './receiver.ts';
import { type Answer, startWorld, type World } from './world.ts';

const LIST = `/v26.0/${DEFAULT_NUMBER.waba_id}/message_templates`;
const HOUR = 3_600_000;

function errorOf(answer: Answer): JsonObject {
  return isObject(answer.body.error) ? answer.body.error : {};
}

function template(name: string, more: JsonObject = {}): JsonObject {
  return { name, language: 'en_US', category: 'UTILITY', components: [{ type: 'BODY', text: 'Hi there' }], ...more };
}

/** The values of a webhook field, in the order in which they came. */
function news(world: World, field: string): JsonObject[] {
  return world.receiver.received.filter(({ raw }) => raw.includes(`"field":"${field}"`)).map(({ value }) => value);
}

async function send(world: World, name: string, components?: unknown): Promise<unknown> {
  const content = { name, language: { code: 'en_US' }, components };
  const answer = await world.send('+16505551234', { type: 'template', template: content });
  return answer.status === 200 ? 200 : errorOf(answer).code;
}

async function decide(world: World, decision: JsonObject): Promise<void> {
  const answer = await world.call('POST', '/_simulator/templates', decision);
  assert.equal(answer.status, 200, answer.text);
}

test('hello_world is as Meta’s test accounts have it, and welcome_message takes no parameters', async (context) => {
  const world = await startWorld(context);
  const { body } = await world.call('GET', `${LIST}?fields=name,language,category,components,status,quality_score`);
  const [hello, welcome] = listOf(body.data);
  assert.deepEqual(
    [hello?.name, hello?.language, hello?.category, hello?.status],
    ['hello_world', 'en_US', 'UTILITY', 'APPROVED'],
  );
  assert.deepEqual(
    listOf(hello?.components).map(({ type }) => type),
    ['HEADER', 'BODY', 'FOOTER'],
  );
  assert.deepEqual([welcome?.name, welcome?.language], ['welcome_message', 'en']);
  const answer = await world.send('+16505551234', {
    type: 'template',
    template: { name: 'welcome_message', language: { code: 'en' } },
  });
  assert.equal(answer.status, 200);
  const page = await world.call('GET', `${LIST}?limit=2`);
  assert.equal(listOf(page.body.data).length, 2);
  assert.ok(isObject(page.body.paging) && typeof page.body.paging.next === 'string');
  const next = new URL(page.body.paging.next);
  const rest = await world.call('GET', next.pathname + next.search);
  assert.ok(listOf(rest.body.data).every(({ name }) => name !== 'hello_world'));
});

test('a review is automatic after its time, or somebody decides', async (context) => {
  const world = await startWorld(context);
  assert.equal((await world.call('POST', LIST, template('quick'))).body.status, 'PENDING');
  await world.receiver.until(() => news(world, 'message_template_status_update').length === 1, 'approval');
  await world.call('PUT', '/_simulator/settings', { template_review: 'manual' });
  const made = await world.call('POST', LIST, template('slow'));
  assert.equal(await send(world, 'slow'), 132001);
  await decide(world, { name: 'slow', event: 'REJECTED' });
  const shown = await world.call('GET', `/v26.0/${String(made.body.id)}?fields=status,rejected_reason`);
  assert.deepEqual([shown.body.status, shown.body.rejected_reason], ['REJECTED', 'INVALID_FORMAT']);
  await decide(world, { id: String(made.body.id), event: 'APPROVED' });
  assert.equal(await send(world, 'slow'), 200);
  await world.receiver.until(() => news(world, 'message_template_status_update').length === 3, 'both decisions');
  const [, rejected, approved] = news(world, 'message_template_status_update');
  assert.deepEqual(
    [rejected?.event, rejected?.reason, isObject(rejected?.rejection_info)],
    ['REJECTED', 'INVALID_FORMAT', true],
  );
  assert.deepEqual(
    [approved?.event, approved?.reason, approved?.message_template_id],
    ['APPROVED', 'NONE', Number(made.body.id)],
  );
  const wrong: [JsonObject, string][] = [
    [{ name: 'slow' }, 'body'],
    [{ name: 'none', event: 'APPROVED' }, 'name'],
    [{ name: 'slow', event: 'LOST' }, 'event'],
    [{ name: 'slow', event: 'APPROVED', waba_id: '1' }, 'waba_id'],
  ];
  for (const [body, field] of wrong) {
    const refused = await world.call('POST', '/_simulator/templates', body);
    assert.deepEqual([refused.status, refused.body.field], [400, field]);
  }
});

test('pauses of three and six hours end by the clock, the third is for good', async (context) => {
  const world = await startWorld(context);
  await decide(world, { name: 'hello_world', quality: 'RED', event: 'PAUSED' });
  assert.equal(await send(world, 'hello_world'), 132015);
  const advance = (hours: number): Promise<Answer> =>
    world.call('POST', '/_simulator/clock', { advance_ms: hours * HOUR });
  await advance(2.9);
  assert.equal(await send(world, 'hello_world'), 132015);
  await advance(0.2);
  assert.equal(await send(world, 'hello_world'), 200);
  await decide(world, { name: 'hello_world', event: 'PAUSED' });
  await advance(5);
  assert.equal(await send(world, 'hello_world'), 132015);
  const { body } = await world.call('GET', `${LIST}?name=hello_world`);
  const id = String(listOf(body.data)[0]?.id);
  assert.equal((await world.call('POST', `/v26.0/${id}/unpause`)).body.success, true);
  assert.equal((await world.call('POST', `/v26.0/${id}/unpause`)).body.success, false);
  assert.equal(await send(world, 'hello_world'), 200);
  await decide(world, { name: 'hello_world', event: 'PAUSED' });
  assert.equal(await send(world, 'hello_world'), 132016);
  await world.receiver.until(() => news(world, 'message_template_status_update').length === 5, 'all that happened');
  const told = news(world, 'message_template_status_update').map(({ event, other_info: info }) => [
    event,
    isObject(info) ? info.title : undefined,
  ]);
  assert.deepEqual(told, [
    ['PAUSED', 'FIRST_PAUSE'],
    ['APPROVED', 'UNPAUSE'],
    ['PAUSED', 'SECOND_PAUSE'],
    ['APPROVED', 'UNPAUSE'],
    ['DISABLED', undefined],
  ]);
  const [quality] = news(world, 'message_template_quality_update');
  assert.deepEqual([quality?.previous_quality_score, quality?.new_quality_score], ['UNKNOWN', 'RED']);
});

test('edits: replaced whole and reviewed again, once a day while approved, the category only when not', async (context) => {
  const world = await startWorld(context, { settings: { template_review: 'manual' } });
  const made = await world.call('POST', LIST, template('mine'));
  const path = `/v26.0/${String(made.body.id)}`;
  const edit = (body: JsonObject): Promise<Answer> => world.call('POST', path, body);
  const components = [{ type: 'BODY', text: 'Hi {{1}}!', example: { body_text: [['Ana']] } }];
  assert.equal((await edit({ components })).status, 400, 'while it is pending');
  await decide(world, { name: 'mine', event: 'APPROVED' });
  await world.call('PUT', '/_simulator/settings', { template_review: 'automatic' });
  const approvals = (): number => news(world, 'message_template_status_update').length;
  await world.receiver.until(() => approvals() === 1, 'approval');
  assert.equal((await edit({ category: 'MARKETING' })).status, 400);
  assert.equal((await edit({ components })).body.success, true);
  await world.receiver.until(() => approvals() === 2, 'the second approval');
  assert.equal(news(world, 'message_template_components_update')[0]?.message_template_element, 'Hi {{1}}!');
  assert.equal(await send(world, 'mine'), 132000);
  assert.equal((await edit({ components })).status, 400, 'twice in a day');
  await world.call('POST', '/_simulator/clock', { advance_ms: 25 * HOUR });
  assert.equal((await edit({ components })).body.success, true);
  await decide(world, { name: 'mine', event: 'REJECTED', reason: 'PROMOTIONAL' });
  assert.equal((await edit({ category: 'MARKETING', components })).body.success, true);
  await decide(world, { name: 'mine', category: 'UTILITY' });
  await world.receiver.until(() => news(world, 'template_category_update').length === 1, 'the category');
  const [change] = news(world, 'template_category_update');
  assert.deepEqual([change?.previous_category, change?.new_category], ['MARKETING', 'UTILITY']);
});

test('names: one a language, blocked for thirty days when an approved one is deleted', async (context) => {
  const world = await startWorld(context);
  const made = await world.call('POST', LIST, template('mine'));
  assert.equal(errorOf(await world.call('POST', LIST, template('mine'))).error_subcode, 2388024);
  assert.equal((await world.call('POST', LIST, template('mine', { language: 'de' }))).status, 200);
  await world.receiver.until(() => news(world, 'message_template_status_update').length === 2, 'both approvals');
  const one = await world.call('DELETE', `${LIST}?name=mine&hsm_id=${String(made.body.id)}`);
  assert.equal(one.body.success, true);
  assert.equal(listOf((await world.call('GET', `${LIST}?name=mine`)).body.data).length, 1);
  assert.equal((await world.call('DELETE', `${LIST}?name=mine`)).body.success, true);
  assert.equal(errorOf(await world.call('DELETE', `${LIST}?name=mine`)).error_subcode, 2593002);
  assert.equal(errorOf(await world.call('POST', LIST, template('mine'))).error_subcode, 2388023);
  await world.call('POST', '/_simulator/clock', { advance_ms: 31 * 24 * HOUR });
  assert.equal((await world.call('POST', LIST, template('mine'))).status, 200);
});

test('components that Meta refuses are refused, and good ones are taken', async (context) => {
  const world = await startWorld(context);
  const body = { type: 'BODY', text: 'Hi {{1}}, welcome', example: { body_text: [['Ana']] } };
  const buttons = (...list: JsonObject[]): JsonObject => ({ type: 'BUTTONS', buttons: list });
  const reply = { type: 'QUICK_REPLY', text: 'Yes' };
  const card = {
    components: [
      { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['4::a'] } },
      { type: 'BODY', text: 'Fresh' },
      buttons(reply),
    ],
  };
  const refused: [JsonObject, unknown][] = [
    [{ components: [] }, 2388043],
    [{ components: [{ type: 'BODY', text: 'Hi {{1}}, welcome' }] }, 2388043],
    [{ components: [{ type: 'BODY', text: '{{1}} hi', example: { body_text: [['a']] } }] }, 2388299],
    [{ components: [{ type: 'BODY', text: 'x'.repeat(1025) }] }, 2388040],
    [{ components: [{ ...body, text: 'Hi {{2}}, welcome' }] }, undefined],
    [{ components: [body, { type: 'HEADER', format: 'IMAGE' }] }, 2388043],
    [{ components: [body, { type: 'FOOTER', text: 'x'.repeat(61) }] }, 2388040],
    [{ components: [body, buttons(...Array.from({ length: 11 }, () => reply))] }, undefined],
    [{ components: [body, buttons(reply, { type: 'URL', text: 'Go', url: 'https://a.b' }, reply)] }, undefined],
    [{ components: [body, buttons({ type: 'URL', text: 'Go', url: 'https://a.b/{{1}}' })] }, 2388043],
    [{ components: [body, buttons({ type: 'QUICK_REPLY', text: 'x'.repeat(26) })] }, 2388040],
    [{ components: [body, body] }, undefined],
    [
      {
        components: [
          { type: 'BODY', text: 'Hi' },
          { type: 'CAROUSEL', cards: [card] },
        ],
      },
      undefined,
    ],
    [{ category: 'AUTHENTICATION', components: [{ type: 'BODY' }] }, 2388043],
    [{ category: 'SPAM' }, undefined],
    [{ language: 'English' }, undefined],
    [{ name: 'Not This' }, undefined],
    [{ parameter_format: 'NAMED', components: [body] }, undefined],
  ];
  for (const [more, subcode] of refused) {
    const answer = await world.call('POST', LIST, template('mine', more));
    assert.deepEqual(
      [answer.status, errorOf(answer).code, errorOf(answer).error_subcode],
      [400, 100, subcode],
      JSON.stringify(more),
    );
  }
  const accepted: JsonObject[] = [
    {
      components: [
        body,
        { type: 'FOOTER', text: 'Bye' },
        buttons(reply, { type: 'PHONE_NUMBER', text: 'Call', phone_number: '+15550783881' }),
      ],
    },
    {
      components: [
        { type: 'BODY', text: 'Look' },
        { type: 'CAROUSEL', cards: [card, card] },
      ],
    },
    { components: [{ type: 'HEADER', format: 'LOCATION' }, body] },
    {
      category: 'AUTHENTICATION',
      components: [{ type: 'BODY' }, buttons({ type: 'OTP', otp_type: 'COPY_CODE', text: 'Copy' })],
    },
    {
      category: 'MARKETING',
      components: [
        body,
        { type: 'LIMITED_TIME_OFFER', limited_time_offer: { text: 'Now', has_expiration: true } },
        buttons({ type: 'COPY_CODE', example: 'SAVE' }),
      ],
    },
  ];
  for (const [index, more] of accepted.entries()) {
    const answer = await world.call('POST', LIST, template(`good_${index}`, more));
    assert.equal(answer.status, 200, answer.text);
  }
});

test('parameters: media, copy codes, cards and offers must fit the template', async (context) => {
  const world = await startWorld(context, { settings: { template_review_ms: 0 } });
  const image = { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['4::a'] } };
  const card = { components: [image, { type: 'BODY', text: 'Fresh' }] };
  const made: JsonObject[] = [
    template('picture', { components: [image, { type: 'BODY', text: 'Look' }] }),
    template('coupon', {
      components: [
        { type: 'BODY', text: 'Save' },
        { type: 'BUTTONS', buttons: [{ type: 'COPY_CODE', example: 'A' }] },
      ],
    }),
    template('cards', {
      components: [
        { type: 'BODY', text: 'Look' },
        { type: 'CAROUSEL', cards: [card, card] },
      ],
    }),
  ];
  for (const one of made) assert.equal((await world.call('POST', LIST, one)).status, 200);
  await world.receiver.until(() => news(world, 'message_template_status_update').length === 3, 'three approvals');
  const picture = { type: 'image', image: { link: 'https://example.com/a.png' } };
  const header = { type: 'header', parameters: [picture] };
  assert.equal(await send(world, 'picture'), 132000);
  assert.equal(await send(world, 'picture', [{ type: 'header', parameters: [{ type: 'text', text: 'x' }] }]), 132012);
  assert.equal(await send(world, 'picture', [header]), 200);
  const unknown = { type: 'header', parameters: [{ type: 'image', image: { id: '1' } }] };
  assert.equal(await send(world, 'picture', [unknown]), 131053);
  assert.equal(await send(world, 'coupon'), 131008);
  const code = {
    type: 'button',
    sub_type: 'copy_code',
    index: 0,
    parameters: [{ type: 'coupon_code', coupon_code: 'A' }],
  };
  assert.equal(await send(world, 'coupon', [code]), 200);
  assert.equal(await send(world, 'cards'), 132000);
  const cards = [0, 1].map((index) => ({ card_index: index, components: [header] }));
  assert.equal(await send(world, 'cards', [{ type: 'carousel', cards }]), 200);
  const breaking = [{ type: 'body', parameters: ['a', '1', 'with\nbreak'].map((text) => ({ type: 'text', text })) }];
  assert.equal(await send(world, 'order_update', breaking), 132018);
});

test('a sample file for a template goes up in a session of its own', async (context) => {
  const world = await startWorld(context);
  const begun = await world.call('POST', '/v26.0/670843887433847/uploads?file_length=7&file_type=image/png');
  const id = String(begun.body.id);
  assert.match(id, /^upload:[\w-]+\?sig=/);
  const headers = { authorization: 'OAuth token', file_offset: '0' };
  assert.equal((await world.call('POST', `/v26.0/${id}`, 'short', headers)).status, 400);
  const done = await world.call('POST', `/v26.0/${id}`, 'picture', headers);
  assert.match(String(done.body.h), /^4::/);
  assert.equal((await world.call('POST', '/v26.0/670843887433847/uploads?file_type=image/png')).status, 400);
});
