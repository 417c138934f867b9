import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ComposeContext, compose, type MessageRequest } from '../../src/domain/compose.ts';
import { AldisError, type ErrorCode } from '../../src/domain/errors.ts';
import { newId, type SenderId } from '../../src/domain/ids.ts';

/** What WhatsApp takes of each type, and the limits beyond which it is refused before anything is stored. */

const context: ComposeContext = { now: Date.now(), sender: newId<SenderId>(), priority: 1 };
const TO = '+6281234567890';

/** A request with any content: what the schema leaves open comes as it is. */
function asking(content: object, more: Partial<MessageRequest> = {}): MessageRequest {
  return { to: TO, content, ...more };
}

function accepts(content: object, more: Partial<MessageRequest> = {}, change: Partial<ComposeContext> = {}) {
  const { type, content: kept } = compose(asking(content, more), { ...context, ...change });
  return { type, content: kept };
}

/** Holds that a content is refused with the path of the field and, if there is one, the limit. */
function refuses(
  content: object,
  code: ErrorCode,
  field: string,
  limit?: number,
  more: Partial<MessageRequest> = {},
  change: Partial<ComposeContext> = {},
): void {
  try {
    compose(asking(content, more), { ...context, ...change });
  } catch (error) {
    assert.ok(error instanceof AldisError, String(error));
    assert.deepEqual([error.code, error.field], [code, field], error.message);
    if (limit !== undefined) {
      assert.deepEqual(error.details, { limit });
      assert.match(error.message, new RegExp(`\\b${limit}\\b`));
    }
    return;
  }
  assert.fail(`${field} was not refused`);
}

const ana = { name: { formatted_name: 'Ana B', first_name: 'Ana' } };
const body = { text: 'Choose' };
const reply = (n: number) => ({ type: 'reply', reply: { id: `id-${n}`, title: `Choice ${n}` } });
const buttons = (n: number) => Array.from({ length: n }, (_, i) => reply(i));
const rows = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ id: `r${from + i}`, title: `Row ${i}` }));
const products = (n: number) => Array.from({ length: n }, (_, i) => ({ product_retailer_id: `p${i}` }));
const interactive = (type: string, action: object, more: object = {}) => ({
  interactive: { type, body, action, ...more },
});
const button = (action: object, more: object = {}) => interactive('button', action, more);
const list = (sections: object[], more: object = {}) => interactive('list', { button: 'Open', sections, ...more });
const cta = (parameters: object, more: object = {}) => interactive('cta_url', { name: 'cta_url', parameters }, more);
const AT = 'content.interactive';

test('the content tells the type', () => {
  const cases: [object, string][] = [
    [{ text: 'Hello' }, 'text'],
    [{ location: { latitude: 0, longitude: 0 } }, 'location'],
    [{ contacts: [ana] }, 'contacts'],
    [{ reaction: { message_id: 'wamid.A', emoji: '👍' } }, 'reaction'],
    [button({ buttons: buttons(1) }), 'interactive'],
  ];
  for (const [content, type] of cases) {
    assert.equal(accepts(content).type, type);
    assert.equal(accepts(content, { type: type as 'text' }).type, type);
  }
  refuses({}, 'missing_field', 'content.location', undefined, { type: 'location' });
  refuses({}, 'missing_field', 'content.media_url', undefined, { type: 'sticker' });
  refuses({}, 'missing_field', 'content.text');
});

test('what a type does not have is refused with it', () => {
  const place = { location: { latitude: 0, longitude: 0 } };
  refuses({ ...place, text: 'Here' }, 'invalid_field', 'content.text');
  refuses({ ...place, contacts: [ana] }, 'invalid_field', 'content.contacts');
  refuses({ text: 'x', voice: true }, 'invalid_field', 'content.voice');
  refuses({ media_url: 'https://a.example/a.jpg', preview_url: true }, 'invalid_field', 'content.preview_url');
  refuses({ text: 'x', ...place }, 'invalid_field', 'content.location', undefined, { type: 'text' });
  refuses({ media_url: 'https://a.example/a.webp', text: 'x' }, 'invalid_field', 'content.text', undefined, {
    type: 'sticker',
  });
  refuses({ ...place, media_url: 'https://a.example/a.jpg' }, 'invalid_field', 'content.location');
});

test('a text may show what its link leads to [sent text]', () => {
  assert.deepEqual(accepts({ text: 'https://a.example', preview_url: true }).content, {
    text: 'https://a.example',
    preview_url: true,
  });
});

test('an audio may be a voice message, and a sticker is WebP [sent audio] [sent sticker]', () => {
  const voice = { media_url: 'https://a.example/a.ogg', voice: true };
  assert.deepEqual(accepts(voice), { type: 'audio', content: voice });
  const sticker = { media_url: 'https://a.example/a.webp' };
  assert.deepEqual(accepts(sticker, { type: 'sticker' }), { type: 'sticker', content: sticker });
  refuses(sticker, 'unsupported_type', 'content.media_url');
  refuses(sticker, 'unsupported_type', 'content.media_url', undefined, { type: 'image' });
  refuses({ media_url: 'https://a.example/a.png' }, 'invalid_field', 'type', undefined, { type: 'sticker' });
  refuses({ media_url: 'https://a.example/a.gif' }, 'unsupported_type', 'content.media_url', undefined, {
    type: 'sticker',
  });
});

test('a file of ours is sent as what it is, or as a document [sent image] [sent video] [sent document]', () => {
  const media_id = newId();
  const image = { file: { kind: 'image' } };
  assert.deepEqual(accepts({ media_id, text: 'See' }, {}, image), {
    type: 'image',
    content: { media_id, text: 'See' },
  });
  assert.equal(accepts({ media_id, filename: 'a.png' }, { type: 'document' }, image).type, 'document');
  assert.equal(accepts({ media_id }, { type: 'text' }, { file: { kind: 'video' } }).type, 'video');
  const named = (filename: string | null) =>
    accepts({ media_id }, {}, { file: { kind: 'document', filename } }).content;
  assert.deepEqual(named('Offer é.pdf'), { media_id, filename: 'Offer é.pdf' });
  for (const odd of [null, '', 'a/b.pdf', 'a\u0000.pdf', `${'x'.repeat(240)}.pdf`, 'a\ud800.pdf']) {
    assert.deepEqual(named(odd), { media_id }, String(odd));
  }
  const own = accepts({ media_id, filename: 'b.pdf' }, {}, { file: { kind: 'document', filename: 'a.pdf' } });
  assert.equal(own.content?.filename, 'b.pdf');
  const picture = { file: { kind: 'image', filename: 'a.png' } };
  assert.deepEqual(accepts({ media_id }, {}, picture).content, { media_id }, 'only documents show a name');
  refuses({ media_id }, 'invalid_field', 'type', undefined, { type: 'audio' }, image);
  refuses({ media_id }, 'invalid_field', 'content.media_id', undefined, {}, { file: null });
  refuses({ media_id }, 'invalid_field', 'content.media_id', undefined, {}, { file: { kind: 'other' } });
  refuses(
    { media_id, media_url: 'https://a.example/a.png' },
    'invalid_field',
    'content.media_id',
    undefined,
    {},
    image,
  );
  refuses({ media_id }, 'invalid_field', 'content.media_id', undefined, { type: 'location' }, image);
});

test('a location lies on the earth [sent location]', () => {
  const place = { latitude: -90, longitude: 180, name: 'Edge', address: 'Nowhere' };
  assert.deepEqual(accepts({ location: place }), { type: 'location', content: { location: place } });
  const at = 'content.location';
  refuses({ location: { ...place, latitude: 90.1 } }, 'invalid_field', `${at}.latitude`, 90);
  refuses({ location: { ...place, longitude: -180.5 } }, 'invalid_field', `${at}.longitude`, 180);
  refuses({ location: { latitude: 'x', longitude: 0 } }, 'invalid_field', `${at}.latitude`, 90);
  refuses({ location: { ...place, name: 'x'.repeat(1001) } }, 'invalid_field', `${at}.name`, 1000);
  refuses({ location: { ...place, zoom: 3 } }, 'unknown_field', `${at}.zoom`);
});

test('contacts are cards with a name of two parts at least [sent contacts]', () => {
  const whole = {
    name: { formatted_name: 'Ana B', last_name: 'B' },
    birthday: '1990-12-31',
    phones: [{ phone: '+6281234567890', type: 'CELL', wa_id: '6281234567890' }],
    emails: [{ email: 'ana@a.example', type: 'WORK' }],
    urls: [{ url: 'https://a.example' }],
    addresses: [{ city: 'Jakarta', country_code: 'ID' }],
    org: { company: 'A', title: 'CEO' },
  };
  assert.deepEqual(accepts({ contacts: [whole] }).content, { contacts: [whole] });
  assert.equal((accepts({ contacts: Array(257).fill(ana) }).content?.contacts ?? []).length, 257);
  const at = 'content.contacts';
  refuses({ contacts: Array(258).fill(ana) }, 'invalid_field', at, 257);
  refuses({ contacts: [] }, 'invalid_field', at, 1);
  refuses({ contacts: [{ name: { formatted_name: 'Ana' } }] }, 'missing_field', `${at}[0].name.first_name`);
  refuses({ contacts: [ana, { name: { first_name: 'Ana' } }] }, 'missing_field', `${at}[1].name.formatted_name`);
  refuses({ contacts: [{ phones: [] }] }, 'missing_field', `${at}[0].name`);
  refuses({ contacts: [{ ...ana, phones: [{ type: 'CELL' }] }] }, 'missing_field', `${at}[0].phones[0].phone`);
  refuses({ contacts: [{ ...ana, birthday: 'May' }] }, 'invalid_field', `${at}[0].birthday`);
  refuses({ contacts: [{ ...ana, nick: 'A' }] }, 'unknown_field', `${at}[0].nick`);
  refuses({ contacts: [{ ...ana, phones: [{ phone: '1', home: true }] }] }, 'unknown_field', `${at}[0].phones[0].home`);
  refuses({ contacts: ['Ana'] }, 'invalid_field', `${at}[0]`);
});

test('a reaction is one emoji to one message, or takes it back [sent reaction]', () => {
  for (const emoji of ['👍', '❤️', '👨‍👩‍👧‍👦', '🇮🇩', '1️⃣', '👍🏽', '']) {
    const { type, content } = accepts({ reaction: { message_id: 'wamid.A', emoji } });
    assert.deepEqual(
      [type, content],
      ['reaction', { reaction: { message_id: 'wamid.A', emoji, whatsapp_message_id: 'wamid.A' } }],
    );
  }
  const id = newId();
  const ours = accepts({ reaction: { message_id: id, emoji: '👍' } }, {}, { reactedTo: 'wamid.B' });
  assert.equal(ours.content?.reaction?.whatsapp_message_id, 'wamid.B');
  const at = 'content.reaction';
  for (const emoji of ['👍👍', 'a', 'ok', '1', ' ']) {
    refuses({ reaction: { message_id: 'wamid.A', emoji } }, 'invalid_field', `${at}.emoji`);
  }
  refuses({ reaction: { message_id: 'wamid.A' } }, 'missing_field', `${at}.emoji`);
  refuses({ reaction: { emoji: '👍' } }, 'missing_field', `${at}.message_id`);
  refuses(
    { reaction: { message_id: id, emoji: '👍' } },
    'invalid_field',
    `${at}.message_id`,
    undefined,
    {},
    { reactedTo: null },
  );
  refuses({ reaction: { message_id: 'wamid.A', emoji: '👍' } }, 'invalid_field', 'reply_to', undefined, {
    reply_to: 'wamid.C',
  });
});

test('reply buttons: three, each with its own id and title [sent interactive button]', () => {
  const header = { type: 'image', image: { link: 'https://a.example/a.png' } };
  const whole = button({ buttons: buttons(3) }, { header, footer: { text: 'small' } });
  assert.deepEqual(accepts(whole), { type: 'interactive', content: whole });
  const at = `${AT}.action.buttons`;
  refuses(button({ buttons: buttons(4) }), 'invalid_field', at, 3);
  refuses(button({ buttons: [] }), 'invalid_field', at, 1);
  const titled = (title: string, id = 'a') => button({ buttons: [{ type: 'reply', reply: { id, title } }] });
  refuses(titled('x'.repeat(21)), 'invalid_field', `${at}[0].reply.title`, 20);
  refuses(titled('x', 'i'.repeat(257)), 'invalid_field', `${at}[0].reply.id`, 256);
  refuses(button({ buttons: [reply(1), reply(1)] }), 'invalid_field', `${at}[1].reply.id`);
  refuses(button({ buttons: [{ type: 'url' }] }), 'invalid_field', `${at}[0].type`);
  refuses(button({ buttons: buttons(1), extra: 1 }), 'unknown_field', `${AT}.action.extra`);
});

test('header, body and footer of what can be tapped', () => {
  const one = { buttons: buttons(1) };
  refuses(button(one, { body: { text: 'x'.repeat(1025) } }), 'invalid_field', `${AT}.body.text`, 1024);
  refuses(button(one, { footer: { text: 'x'.repeat(61) } }), 'invalid_field', `${AT}.footer.text`, 60);
  refuses(button(one, { header: { type: 'text', text: 'x'.repeat(61) } }), 'invalid_field', `${AT}.header.text`, 60);
  refuses(button(one, { body: undefined }), 'missing_field', `${AT}.body`);
  refuses(button(one, { header: { type: 'audio', audio: {} } }), 'invalid_field', `${AT}.header.type`);
  refuses(
    button(one, { header: { type: 'image', image: { link: 'a.png' } } }),
    'invalid_media_url',
    `${AT}.header.image.link`,
  );
  refuses(button(one, { header: { type: 'image', image: {} } }), 'invalid_field', `${AT}.header.image`);
  refuses(button(one, { head: {} }), 'unknown_field', `${AT}.head`);
  const document = { type: 'document', document: { id: '77', filename: 'a.pdf' } };
  assert.equal(accepts(button(one, { header: document })).type, 'interactive');
});

test('values are filled in in the body', () => {
  const greeting = button({ buttons: buttons(1) }, { body: { text: 'Hi {name}' } });
  const { content } = accepts(greeting, { variables: { name: 'Ana' } });
  assert.deepEqual(content?.interactive?.['body'], { text: 'Hi Ana' });
  refuses(greeting, 'missing_variables', `${AT}.body.text`);
});

test('a list: ten rows in ten sections, in all [sent interactive list]', () => {
  const sections = [
    { title: 'One', rows: rows(5) },
    { title: 'Two', rows: rows(5, 5) },
  ];
  assert.deepEqual(accepts(list(sections)).content, list(sections));
  assert.equal(accepts(list([{ rows: rows(10) }])).type, 'interactive');
  const at = `${AT}.action.sections`;
  refuses(list([{ rows: rows(11) }]), 'invalid_field', `${at}[0].rows[10]`, 10);
  refuses(
    list([
      { title: 'a', rows: rows(6) },
      { title: 'b', rows: rows(5, 6) },
    ]),
    'invalid_field',
    `${at}[1].rows[4]`,
    10,
  );
  refuses(list(Array.from({ length: 11 }, (_, i) => ({ title: 'a', rows: rows(1, i) }))), 'invalid_field', at, 10);
  refuses(list([{ rows: rows(1) }, { rows: rows(1, 1) }]), 'missing_field', `${at}[0].title`);
  refuses(list([{ title: 'x'.repeat(25), rows: rows(1) }]), 'invalid_field', `${at}[0].title`, 24);
  const row = (change: object) => list([{ rows: [{ id: 'a', title: 'A', ...change }] }]);
  refuses(row({ title: 'x'.repeat(25) }), 'invalid_field', `${at}[0].rows[0].title`, 24);
  refuses(row({ description: 'x'.repeat(73) }), 'invalid_field', `${at}[0].rows[0].description`, 72);
  refuses(row({ id: 'x'.repeat(201) }), 'invalid_field', `${at}[0].rows[0].id`, 200);
  refuses(list([{ rows: [...rows(1), ...rows(1)] }]), 'invalid_field', `${at}[0].rows[1].id`);
  refuses(list([{ rows: [] }]), 'invalid_field', `${at}[0].rows`, 1);
  refuses(list([{ rows: rows(1) }], { button: 'x'.repeat(21) }), 'invalid_field', `${AT}.action.button`, 20);
  const picture = { type: 'image', image: { link: 'https://a.example/a.png' } };
  const headed = { interactive: { ...list([{ rows: rows(1) }]).interactive, header: picture } };
  refuses(headed, 'invalid_field', `${AT}.header.type`);
});

test('a button that opens a page [sent interactive cta_url]', () => {
  const whole = cta({ display_text: 'Look', url: 'https://a.example' });
  assert.deepEqual(accepts(whole).content, whole);
  const at = `${AT}.action.parameters`;
  refuses(cta({ display_text: 'x'.repeat(21), url: 'https://a.example' }), 'invalid_field', `${at}.display_text`, 20);
  refuses(cta({ display_text: 'x', url: 'a.example' }), 'invalid_field', `${at}.url`, 2048);
  refuses(cta({ display_text: 'x' }), 'missing_field', `${at}.url`);
});

test('a question for the place [sent interactive location_request_message]', () => {
  const whole = interactive('location_request_message', { name: 'send_location' });
  assert.deepEqual(accepts(whole).content, whole);
  refuses(interactive('location_request_message', { name: 'other' }), 'invalid_field', `${AT}.action.name`);
  refuses(
    interactive('location_request_message', { name: 'send_location' }, { footer: { text: 'x' } }),
    'unknown_field',
    `${AT}.footer`,
  );
});

test('flows [sent interactive flow]', () => {
  const parameters = { flow_message_version: '3', flow_id: '1', flow_cta: 'Book', flow_action: 'navigate' };
  const flow = (change: object = {}) => interactive('flow', { name: 'flow', parameters: { ...parameters, ...change } });
  const payload = { flow_action_payload: { screen: 'FIRST', data: { a: 1 } }, mode: 'draft', flow_token: 't' };
  assert.deepEqual(accepts(flow(payload)).content, flow(payload));
  const at = `${AT}.action.parameters`;
  refuses(flow({ flow_cta: 'x'.repeat(31) }), 'invalid_field', `${at}.flow_cta`, 30);
  refuses(flow({ flow_id: undefined }), 'missing_field', `${at}.flow_id`);
  refuses(flow({ flow_name: 'book' }), 'invalid_field', `${at}.flow_name`);
  refuses(flow({ flow_message_version: undefined }), 'missing_field', `${at}.flow_message_version`);
  refuses(flow({ flow_action: 'jump' }), 'invalid_field', `${at}.flow_action`);
  refuses(flow({ flow_action_payload: {} }), 'missing_field', `${at}.flow_action_payload.screen`);
});

test('products, lists of them and the catalog [sent interactive product] [sent interactive product_list] [sent interactive catalog_message]', () => {
  const one = { interactive: { type: 'product', action: { catalog_id: 'c', product_retailer_id: 'p' } } };
  assert.deepEqual(accepts(one).content, one);
  refuses(
    { interactive: { type: 'product', action: { catalog_id: 'c' } } },
    'missing_field',
    `${AT}.action.product_retailer_id`,
  );
  const header = { type: 'text', text: 'Shop' };
  const many = (sections: object[], more: object = { header }) =>
    interactive('product_list', { catalog_id: 'c', sections }, more);
  const thirty = many([
    { title: 'a', product_items: products(15) },
    { title: 'b', product_items: products(15) },
  ]);
  assert.deepEqual(accepts(thirty).content, thirty);
  const at = `${AT}.action.sections`;
  refuses(many([{ product_items: products(31) }]), 'invalid_field', `${at}[0].product_items[30]`, 30);
  const section = (_: unknown, i: number) => ({ title: `s${i}`, product_items: products(1) });
  refuses(many(Array.from({ length: 11 }, section)), 'invalid_field', at, 10);
  refuses(many([{ product_items: products(1) }], {}), 'missing_field', `${AT}.header`);
  const catalog = interactive('catalog_message', {
    name: 'catalog_message',
    parameters: { thumbnail_product_retailer_id: 'p' },
  });
  assert.deepEqual(accepts(catalog).content, catalog);
  refuses(interactive('catalog_message', { name: 'x' }), 'invalid_field', `${AT}.action.name`);
});

test('a carousel has two to ten cards of one kind [sent interactive carousel]', () => {
  const card = (i: number, change: object = {}) => ({
    card_index: i,
    type: 'cta_url',
    header: { type: 'image', image: { link: 'https://a.example/a.png' } },
    body: { text: 'Card' },
    action: { name: 'cta_url', parameters: { display_text: 'Look', url: 'https://a.example' } },
    ...change,
  });
  const carousel = (cards: object[]) => interactive('carousel', { cards });
  const ten = carousel(Array.from({ length: 10 }, (_, i) => card(i)));
  assert.deepEqual(accepts(ten).content, ten);
  const product = (i: number) => ({
    card_index: i,
    type: 'product',
    action: { catalog_id: 'c', product_retailer_id: `p${i}` },
  });
  assert.equal(accepts(carousel([product(0), product(1)])).type, 'interactive');
  const at = `${AT}.action.cards`;
  refuses(carousel([card(0)]), 'invalid_field', at, 2);
  refuses(carousel(Array.from({ length: 11 }, (_, i) => card(i))), 'invalid_field', at, 10);
  refuses(carousel([card(0), card(2)]), 'invalid_field', `${at}[1].card_index`);
  refuses(carousel([card(0), product(1)]), 'invalid_field', `${at}[1].type`);
  refuses(
    carousel([card(0), card(1, { body: { text: 'x'.repeat(161) } })]),
    'invalid_field',
    `${at}[1].body.text`,
    160,
  );
  const film = { header: { type: 'video', video: { link: 'https://a.example/a.mp4' } } };
  refuses(carousel([card(0), card(1, film)]), 'invalid_field', `${at}[1].header.type`);
});

test('the form of an address [sent interactive address_message]', () => {
  const form = (parameters: object) => interactive('address_message', { name: 'address_message', parameters });
  const whole = form({ country: 'IN', values: { name: 'Ana' }, saved_addresses: [{ id: 'a', value: {} }] });
  assert.deepEqual(accepts(whole).content, whole);
  refuses(form({}), 'missing_field', `${AT}.action.parameters.country`);
  refuses(form({ country: 'in' }), 'invalid_field', `${AT}.action.parameters.country`);
  refuses(form({ country: 'IN', values: 'x' }), 'invalid_field', `${AT}.action.parameters.values`);
});

test('what is no interactive message, and calls, which are not supported [sent interactive voice_call]', () => {
  refuses({ interactive: {} }, 'missing_field', `${AT}.type`);
  refuses({ interactive: { type: 'poll' } }, 'unsupported_type', `${AT}.type`);
  refuses(
    { interactive: { type: 'voice_call', body, action: { name: 'voice_call' } } },
    'unsupported_type',
    `${AT}.type`,
  );
  refuses({ interactive: { type: 'constructor' } }, 'unsupported_type', `${AT}.type`);
  refuses(
    button({ buttons: [{ type: 'reply', reply: { id: 'a', title: '\0' } }] }),
    'invalid_field',
    `${AT}.action.buttons[0].reply.title`,
  );
  refuses({ interactive: { type: 'button', body, action: 'x' } }, 'invalid_field', `${AT}.action`);
  refuses(interactive('flow', { data: 'x'.repeat(70_000) }), 'invalid_field', AT, 65_536);
});

test('templates with codes go to phone numbers only [code 131062]', () => {
  const template = { name: 'code', language: 'en' };
  const bsuid = (more: Partial<MessageRequest>): MessageRequest => ({ to: 'ID.1A2b3C', ...more });
  assert.throws(() => compose(bsuid({ template, category: 'authentication' }), context), { field: 'template' });
  assert.equal(compose(bsuid({ template, category: 'utility' }), context).type, 'template');
  assert.equal(compose({ to: TO, template, category: 'authentication' }, context).type, 'template');
});

test('a fallback is a template, for what is none', () => {
  const fallback_template = { name: 'come_back', language: 'en', components: [{ type: 'body' }] };
  const message = compose(asking({ text: 'x' }, { fallback_template }), context);
  assert.deepEqual(
    [message.type, message.category, message.fallback],
    ['text', 'service', { ...fallback_template, category: 'marketing' }],
  );
  refuses({ text: 'x' }, 'invalid_field', 'fallback_template.name', undefined, {
    fallback_template: { name: 'Come Back', language: 'en' },
  });
  refuses({ text: 'x' }, 'invalid_field', 'fallback_template', undefined, {
    template: { name: 'a', language: 'en' },
    fallback_template,
  });
});

test('whatever a content is, it is a message or an error that names its field', () => {
  const words = [
    'button',
    'list',
    'flow',
    'carousel',
    'product_list',
    'reply',
    'text',
    'image',
    '__proto__',
    'constructor',
  ];
  const value = fc.oneof(fc.constantFrom(...words), fc.jsonValue());
  const named = (...names: string[]) => fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
  const anything = fc.record(
    {
      location: fc.oneof(value, named('latitude', 'longitude', 'name', 'zoom')),
      contacts: fc.oneof(value, fc.array(fc.oneof(value, fc.record({ name: named('formatted_name', 'first_name') })))),
      reaction: fc.oneof(value, named('message_id', 'emoji')),
      interactive: fc.oneof(
        value,
        named('type', 'header', 'body', 'footer', 'action'),
        fc.record({
          type: fc.constantFrom(...words),
          body: named('text'),
          header: named('type', 'text', 'image'),
          action: named('buttons', 'button', 'sections', 'cards', 'name', 'parameters'),
        }),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anything, (content) => {
      try {
        assert.ok(accepts(content).content);
      } catch (error) {
        assert.ok(error instanceof AldisError && error.field !== null, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
