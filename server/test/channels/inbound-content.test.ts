import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { readWebhook } from '../../src/channels/whatsapp/webhook.ts';
import { type CustomerMessage, INBOUND_TYPES } from '../../src/domain/inbound-message.ts';

const FIXTURES = fileURLToPath(new URL('../../../simulator/fixtures/', import.meta.url));

function webhook(field: string, value: object): Buffer {
  const metadata = { display_phone_number: '15550783881', phone_number_id: '106540352242922' };
  return Buffer.from(JSON.stringify({ entry: [{ id: '1', changes: [{ field, value: { metadata, ...value } }] }] }));
}

function only(body: Buffer): CustomerMessage {
  const [item, ...others] = readWebhook(body);
  assert.ok(item?.kind === 'message', JSON.stringify(item));
  assert.deepEqual(others, []);
  return item.message;
}

const envelope = { from: '16505551234', id: 'wamid.B', timestamp: '1749416383' };
const read = (item: object, more: object = {}) =>
  only(webhook('messages', { messages: [{ ...envelope, ...item }], ...more }));
const content = (item: object) => read(item).content;
const fixture = (name: string) =>
  only(Buffer.from(JSON.stringify(JSON.parse(readFileSync(`${FIXTURES}inbound-${name}.json`, 'utf8')).payload)));

test('a text is its body [received text]', () => {
  assert.deepEqual(fixture('text').content, { text: 'Does it come in another color?' });
});

test('a file to be fetched, described [received image] [received video] [received audio] [received document] [received sticker]', () => {
  const image = fixture('image');
  assert.deepEqual([image.type, image.mediaId], ['image', '1003383421387256']);
  assert.deepEqual(image.content, {
    text: 'My parcel',
    media: {
      mime_type: 'image/jpeg',
      sha256: 'SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=',
      state: 'pending',
    },
  });
  const cases = [
    ['video', { id: '7', mime_type: 'video/mp4', caption: 'Look' }, { text: 'Look' }, {}],
    ['audio', { id: 8, mime_type: 'audio/ogg; codecs=opus', voice: true }, {}, { voice: true }],
    ['document', { id: '9', mime_type: 'application/pdf', filename: 'a.pdf' }, {}, { filename: 'a.pdf' }],
    ['sticker', { id: '10', mime_type: 'image/webp', animated: false }, {}, { animated: false }],
  ] as const;
  for (const [type, file, more, described] of cases) {
    const { mediaId, content: said } = read({ type, [type]: file });
    assert.equal(mediaId, String(file.id));
    assert.deepEqual(said, { ...more, media: { mime_type: file.mime_type, ...described, state: 'pending' } }, type);
  }
});

test('a file that WhatsApp could not take in says why, and is not fetched', () => {
  const errors = [{ code: 131052, title: 'Media download error', error_data: { details: 'Too large' } }];
  const { mediaId, content: said } = read({ type: 'video', video: { mime_type: 'video/mp4' }, errors });
  assert.equal(mediaId, null);
  assert.deepEqual(said, {
    media: { mime_type: 'video/mp4', state: 'failed' },
    errors: [{ code: 131052, title: 'Media download error', detail: 'Too large' }],
  });
});

test('a place, cards, an order [received location] [received contacts] [received order]', () => {
  assert.deepEqual(fixture('location').content, {
    location: {
      latitude: 37.44221496582,
      longitude: -122.16165924072,
      name: 'A café',
      address: '101 Forest Ave, Palo Alto, CA 94301',
      url: 'https://example.com/',
    },
  });
  assert.deepEqual(content({ type: 'location', location: { latitude: '1.5', longitude: '-2' } }), {
    location: { latitude: 1.5, longitude: -2 },
  });
  const contacts = fixture('contacts').content?.['contacts'];
  assert.ok(Array.isArray(contacts));
  assert.equal(contacts[0].name.formatted_name, 'Lucía Gómez');
  const order = fixture('order');
  assert.deepEqual([order.type, Object.keys(order.content ?? {})], ['order', ['order']]);
});

test('a reaction, and one that is taken back [received reaction]', () => {
  const { content: said, act } = fixture('reaction');
  const target = 'wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA';
  assert.deepEqual(said, { reaction: { message_id: null, whatsapp_message_id: target, emoji: '👍' } });
  assert.deepEqual(act, { kind: 'reaction', target, emoji: '👍' });
  for (const emoji of ['', undefined]) {
    const back = read({ type: 'reaction', reaction: { message_id: target, emoji } });
    assert.deepEqual(back.act, { kind: 'reaction', target, emoji: null });
    assert.deepEqual(back.content, { reaction: { message_id: null, whatsapp_message_id: target, emoji: null } });
  }
});

test('what is tapped, chosen and filled in [received interactive button_reply] [received interactive list_reply] [received interactive nfm_reply] [received button]', () => {
  const button = fixture('button-reply');
  assert.deepEqual(button.content, {
    text: 'Cancel',
    reply: { kind: 'button', id: 'cancel-button', title: 'Cancel' },
  });
  assert.equal(button.replyTo, 'wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA');
  assert.deepEqual(fixture('list-reply').content, {
    text: 'Express',
    reply: { kind: 'list', id: 'express', title: 'Express', description: 'Tomorrow' },
  });
  assert.deepEqual(fixture('button').content, {
    text: 'Unsubscribe',
    reply: { kind: 'quick_reply', title: 'Unsubscribe', payload: 'Unsubscribe' },
  });
  const flow = (response_json: unknown) =>
    content({
      type: 'interactive',
      interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json } },
    });
  const reply = { kind: 'flow', name: 'flow', title: 'Sent' };
  assert.deepEqual(flow('{"flow_token":"t","size":3}'), {
    text: 'Sent',
    reply: { ...reply, response: { flow_token: 't', size: 3 } },
  });
  assert.deepEqual(flow('{broken'), { text: 'Sent', reply: { ...reply, response: '{broken' } });
});

test('an edit and a deletion name the message they change [received edit] [received revoke]', () => {
  const edit = { original_message_id: 'wamid.A', message: { type: 'text', text: { body: 'Two, please' } } };
  const edited = read({ type: 'edit', edit });
  assert.deepEqual(edited.act, { kind: 'edit', target: 'wamid.A', text: 'Two, please' });
  assert.deepEqual(edited.content, {
    text: 'Two, please',
    edit: { message_id: null, whatsapp_message_id: 'wamid.A' },
  });
  const image = { original_message_id: 'wamid.A', message: { type: 'image', image: { id: '1', caption: 'New' } } };
  assert.deepEqual(read({ type: 'edit', edit: image }).act, { kind: 'edit', target: 'wamid.A', text: 'New' });
  const revoked = read({ type: 'revoke', revoke: { original_message_id: 'wamid.A' } });
  assert.deepEqual(revoked.act, { kind: 'revoke', target: 'wamid.A' });
  assert.deepEqual(revoked.content, { revoke: { message_id: null, whatsapp_message_id: 'wamid.A' } });
  assert.deepEqual([edited.windowHours, revoked.windowHours], [0, 0]);
});

test('a new number, a new id, and news that changes no name [received system user_changed_number] [received system user_changed_user_id]', () => {
  const number = fixture('system');
  assert.deepEqual([number.phone, number.formerly], ['+12195555358', { phone: '+16505551234', userId: null }]);
  assert.equal(number.windowHours, 0);
  const both = read({
    type: 'system',
    from_user_id: 'US.2',
    system: { type: 'user_changed_number', wa_id: '12195555358', user_id: 'US.2', previous_user_id: 'US.1' },
  });
  assert.deepEqual(
    [both.phone, both.userId, both.formerly],
    ['+12195555358', 'US.2', { phone: '+16505551234', userId: 'US.1' }],
  );
  const id = read({
    type: 'system',
    from: undefined,
    system: { type: 'user_changed_user_id', user_id: 'US.2', previous_user_id: 'US.1', parent_user_id: 'US.ENT.9' },
  });
  assert.deepEqual(
    [id.phone, id.userId, id.parentUserId, id.formerly],
    [null, 'US.2', 'US.ENT.9', { phone: null, userId: 'US.1' }],
  );
  const noted = fixture('user-changed-id');
  assert.deepEqual(
    [noted.phone, noted.userId, noted.formerly],
    ['+12195555358', 'US.24817305912873645029', { phone: '+16505551234', userId: null }],
  );
  const same = read({ type: 'system', system: { type: 'user_changed_user_id', user_id: 'US.2' } });
  assert.deepEqual([same.phone, same.userId, same.formerly], ['+16505551234', 'US.2', { phone: null, userId: null }]);
  const identity = read({ type: 'system', system: { type: 'customer_identity_changed', body: 'New device' } });
  assert.deepEqual([identity.phone, identity.formerly], ['+16505551234', null]);
  assert.deepEqual(identity.content, {
    text: 'New device',
    system: { type: 'customer_identity_changed', body: 'New device' },
  });
});

test('request_welcome says nothing', () => {
  assert.deepEqual(content({ type: 'request_welcome' }), {});
});

test('unsupported and unknown types, and known ones of another shape, are kept raw [received unsupported]', () => {
  const { type, content: said } = fixture('unsupported');
  assert.equal(type, 'unsupported');
  assert.deepEqual(said?.['errors'], [
    {
      code: 131051,
      title: 'Message type unknown',
      detail: 'Message type is currently not supported.',
    },
  ]);
  const items: object[] = [
    { type: 'hologram', hologram: { id: '1' } },
    { type: 'constructor' },
    { type: 7 },
    {},
    ...INBOUND_TYPES.filter((one) => !['request_welcome', 'unsupported'].includes(one)).flatMap((one) => [
      { type: one },
      { type: one, [one]: [] },
      { type: one, [one]: {} },
    ]),
  ];
  for (const item of items) {
    const odd = read(item);
    assert.deepEqual([odd.type, odd.content], ['unsupported', { raw: { ...envelope, ...item } }]);
  }
});

test('what is around a message: forwarded, referred product, group; an ad opens the window for three days [received referral]', () => {
  const text = { type: 'text', text: { body: 'Hi' } };
  assert.deepEqual(content({ ...text, context: { forwarded: true, frequently_forwarded: true } }), {
    text: 'Hi',
    context: { forwarded: true, frequently_forwarded: true },
  });
  const referred_product = { catalog_id: '1', product_retailer_id: 'x' };
  const asked = read({ ...text, context: { from: '15550783881', id: 'wamid.Q', referred_product } });
  assert.deepEqual([asked.replyTo, asked.content], ['wamid.Q', { text: 'Hi', context: { referred_product } }]);
  for (const [source_type, hours] of [
    ['ad', 72],
    ['post', 72],
    ['else', 24],
  ] as const) {
    const referral = { source_type, source_id: '1', source_url: 'https://fb.me/1', ctwa_clid: 'c' };
    const came = read({ ...text, referral });
    assert.deepEqual([came.windowHours, came.content], [hours, { text: 'Hi', referral }]);
  }
  const group = read({ ...text, group_id: 'G1' });
  assert.deepEqual([group.windowHours, group.content], [0, { text: 'Hi', group_id: 'G1' }]);
});

test('who it is: ids from the item or from the contacts beside it, with profile name and username', () => {
  const contacts = [
    {
      wa_id: '16505551234',
      user_id: 'US.1',
      parent_user_id: 'US.ENT.9',
      profile: { name: 'A\0na\ud800', username: '@ana' },
    },
    { wa_id: '1650555', profile: { name: 'Other' } },
  ];
  const { phone, userId, parentUserId, name, username } = read({ type: 'text', text: { body: 'Hi' } }, { contacts });
  assert.deepEqual(
    [phone, userId, parentUserId, name, username],
    ['+16505551234', 'US.1', 'US.ENT.9', 'A\ufffdna\ufffd', '@ana'],
  );
});

test('an echo of the WhatsApp Business app is what the business wrote [field smb_message_echoes]', () => {
  const echo = { from: '15550783881', to: '16505551234', id: 'wamid.E', timestamp: '1739321024', type: 'text' };
  const body = webhook('smb_message_echoes', { message_echoes: [{ ...echo, text: { body: 'On its way' } }] });
  const { outbound, phone, content: said, windowHours } = only(body);
  assert.deepEqual([outbound, phone, said, windowHours], [true, '+16505551234', { text: 'On its way' }, 0]);
  const [nobody] = readWebhook(webhook('smb_message_echoes', { message_echoes: [{ ...echo, to: null }] }));
  assert.equal(nobody?.kind, 'unreadable');
});

test('what cannot be kept with a message is left out: too deep, too large', () => {
  const text = JSON.stringify({ entry: [{ id: '1', changes: [{ field: 'messages', value: 0 }] }] });
  let nested = '1';
  for (let i = 0; i < 20_000; i++) nested = `{"a":${nested}}`;
  const value = `{"metadata":{"phone_number_id":"1","big":12345678901234567890},"messages":[{"from":"16505551234","id":"w","timestamp":"1749416383","type":"x","x":${nested}}]}`;
  const tooDeep = only(Buffer.from(text.replace('"value":0', `"value":${value}`)));
  assert.deepEqual([tooDeep.type, tooDeep.content], ['unsupported', {}]);
  assert.deepEqual(content({ type: 'x', x: 'y'.repeat(100_000) }), {});
  assert.equal(String(content({ type: 'text', text: { body: 'y'.repeat(100_000) } })?.['text']).length, 65_536);
});

test('ids that are numbers too long to be exact stay as they are written', () => {
  const body = '{"entry":[{"id":12345,"changes":[{"field":"x","value":{"a":12345678901234567890,"b":[1.5,7]}}]}]}';
  const [item] = readWebhook(Buffer.from(body));
  assert.deepEqual(item, {
    kind: 'change',
    place: 'entry[0].changes[0]',
    accountId: '12345',
    field: 'x',
    value: { a: '12345678901234567890', b: [1.5, 7] },
  });
});

test('no item of any shape makes it throw', () => {
  const word = fc.constantFrom(
    ...INBOUND_TYPES,
    'message_id',
    'id',
    'body',
    'emoji',
    'context',
    'referral',
    'nfm_reply',
  );
  const item = fc.dictionary(word, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
  fc.assert(
    fc.property(item, fc.constantFrom(...INBOUND_TYPES), fc.dictionary(word, item), (more, type, own) => {
      const said = read({ ...more, id: 'wamid.B', type, [type]: own });
      assert.ok((INBOUND_TYPES as readonly string[]).includes(said.type));
    }),
  );
});

test('calls: only what a customer begins is a call of his', () => {
  const call = {
    id: 'wacid.1',
    from: '16505551234',
    timestamp: '1749416383',
    event: 'connect',
    direction: 'USER_INITIATED',
  };
  const calls = [call, { ...call, event: 'terminate' }, { ...call, from: null }, 7];
  const items = readWebhook(webhook('calls', { calls }));
  assert.deepEqual(
    items.map((item) => item.kind),
    ['call', 'other', 'unreadable', 'unreadable'],
  );
});
