import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { listOf } from './receiver.ts';
import { type Answer, startWorld } from './world.ts';

const PATH = `/v26.0/${DEFAULT_NUMBER.phone_number_id}/messages`;

function codeOf(answer: Answer): unknown {
  return isObject(answer.body.error) ? answer.body.error.code : undefined;
}

function detailsOf(answer: Answer): string {
  const { error } = answer.body;
  if (!isObject(error)) return '';
  return `${String(error.message)} ${isObject(error.error_data) ? String(error.error_data.details) : ''}`;
}

test('a message is accepted, and sent, delivered and read follow in signed webhooks', async (context) => {
  const world = await startWorld(context);
  const answer = await world.send('+16505551234', { biz_opaque_callback_data: 'héllo/1' });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body.contacts, [{ input: '+16505551234', wa_id: '16505551234' }]);
  const id = world.wamid(answer);
  assert.match(id, /^wamid\./);
  assert.ok(Buffer.from(id.slice(6), 'base64').toString('latin1').includes('16505551234'), 'it holds the number');
  await world.receiver.until(() => world.receiver.statuses().length === 3, 'three statuses');
  const statuses = world.receiver.statuses();
  assert.deepEqual(
    statuses.map((status) => status.status),
    ['sent', 'delivered', 'read'],
  );
  for (const { item } of statuses) {
    assert.equal(item.id, id);
    assert.equal(item.recipient_id, '16505551234');
    assert.equal(item.biz_opaque_callback_data, 'héllo/1');
    assert.match(String(item.timestamp), /^\d{10}$/);
  }
  assert.equal(world.receiver.badSignatures, 0);
  const [first] = world.receiver.received;
  assert.ok(first?.raw.includes('h\\u00e9llo\\/1'), 'the bytes are escaped as Meta escapes them');
});

test('without settings they come 50, 200 and 1,000 ms after acceptance', async (context) => {
  const usual = { sent_after: 50, delivered_after: 200, read_after: 1000 };
  const world = await startWorld(context, { settings: usual });
  const defaults = await world.call('GET', '/_simulator/settings');
  assert.equal(defaults.body.sent_after, 50);
  const began = performance.now();
  await world.send('+16505551234');
  await world.receiver.until(() => world.receiver.statuses().length === 3, 'three statuses');
  for (const [index, after] of [50, 200, 1000].entries()) {
    const took = (world.receiver.statuses()[index]?.at ?? 0) - began;
    assert.ok(took >= after - 2 && took < after + 500, `${after} ms took ${took}`);
  }
});

test('the ledger lists what was accepted, in order, in pages', async (context) => {
  const world = await startWorld(context);
  for (let index = 1; index <= 5; index++) {
    await world.send(`+1650555000${index}`, { biz_opaque_callback_data: `m${index}` });
  }
  await world.send('nobody');
  const page = await world.call('GET', '/_simulator/messages?after=1&limit=3');
  const messages = listOf(page.body.messages);
  assert.deepEqual(
    messages.map((message) => [message.n, message.to, message.opaque]),
    [
      [2, '+16505550002', 'm2'],
      [3, '+16505550003', 'm3'],
      [4, '+16505550004', 'm4'],
    ],
  );
  assert.deepEqual([page.body.total, page.body.next], [5, 4]);
  const [second] = messages;
  assert.deepEqual(Object.keys(second ?? {}), [
    'n',
    'wamid',
    'phone_number_id',
    'to',
    'type',
    'opaque',
    'received_at',
    'body',
  ]);
  assert.match(String(second?.received_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(isObject(second?.body) && second.body.text, { body: 'Hello' });
  const end = await world.call('GET', '/_simulator/messages?after=5');
  assert.deepEqual(end.body, { messages: [], total: 5, next: null });
  for (const query of ['after=-1', 'after=x', 'limit=0', 'limit=10001']) {
    const refused = await world.call('GET', `/_simulator/messages?${query}`);
    assert.deepEqual([refused.status, refused.body.field], [400, query.split('=')[0]], query);
  }
});

test('what Meta refuses is refused, with its code and the name of the parameter', async (context) => {
  const world = await startWorld(context);
  const long = 'x'.repeat(4097);
  const refused: [JsonObject, number, RegExp][] = [
    [{ messaging_product: 'sms' }, 100, /messaging_product/],
    [{ to: undefined }, 100, /to is required/],
    [{ to: '12' }, 131009, /to is malformed/],
    [{ to: DEFAULT_NUMBER.display_phone_number }, 131021, /sender/],
    [{ to: undefined, recipient: 'nobody' }, 131009, /recipient is malformed/],
    [{ recipient_type: 'group' }, 100, /recipient_type/],
    [{ type: 'fax' }, 100, /type must be one of/],
    [{ text: { body: long } }, 100, /text\['body'\] must be at most 4096/],
    [{ text: { body: '' } }, 100, /text\['body'\] is required/],
    [{ text: undefined }, 100, /text is required/],
    [{ biz_opaque_callback_data: 'x'.repeat(513) }, 100, /biz_opaque_callback_data/],
    [{ type: 'image', image: { link: 'no address' } }, 100, /image\['link'\]/],
    [{ type: 'image', image: { id: '1' } }, 100, /image\['id'\] is not a valid/],
    [{ type: 'audio', audio: { link: 'https://example.com/a.mp3', caption: 'no' } }, 100, /caption/],
    [{ type: 'location', location: { latitude: 91, longitude: 0 } }, 131009, /latitude/],
    [{ type: 'contacts', contacts: [] }, 131009, /contacts/],
    [{ type: 'reaction', reaction: { emoji: '👍' } }, 100, /message_id/],
    [{ context: {} }, 100, /context/],
    [
      { type: 'interactive', interactive: { type: 'button', body: { text: 'Hi' }, action: { buttons: [] } } },
      131009,
      /buttons count/,
    ],
    [
      {
        type: 'interactive',
        interactive: {
          type: 'list',
          body: { text: 'Hi' },
          action: { button: 'Choose', sections: [{ rows: [{ id: '1', title: 'x'.repeat(25) }] }] },
        },
      },
      100,
      /title.*at most 24/,
    ],
  ];
  for (const [message, code, details] of refused) {
    const answer = await world.send('+16505551234', message);
    assert.equal(answer.status, 400, answer.text);
    assert.equal(codeOf(answer), code, answer.text);
    assert.match(detailsOf(answer), details);
  }
  assert.equal(codeOf(await world.call('POST', PATH, '{"messaging_product"')), 100);
  assert.equal((await world.call('GET', '/_simulator/messages')).body.total, 0);
});

test('messages of every type that Aldis knows are accepted', async (context) => {
  const world = await startWorld(context);
  const link = 'https://example.com/file';
  const accepted: JsonObject[] = [
    { type: 'image', image: { link, caption: 'A picture' } },
    { type: 'video', video: { link } },
    { type: 'audio', audio: { link } },
    { type: 'document', document: { link, filename: 'invoice.pdf' } },
    { type: 'sticker', sticker: { link } },
    { type: 'location', location: { latitude: '37.4', longitude: -122.1 } },
    { type: 'contacts', contacts: [{ name: { formatted_name: 'Ana', first_name: 'Ana' } }] },
    { type: 'reaction', reaction: { message_id: 'wamid.A', emoji: '' } },
    { text: { body: 'A reply' }, context: { message_id: 'wamid.A' } },
    {
      type: 'interactive',
      interactive: {
        type: 'button',
        body: { text: 'Hi' },
        action: { buttons: [{ type: 'reply', reply: { id: 'a', title: 'A' } }] },
      },
    },
  ];
  for (const message of accepted) assert.equal((await world.send('+16505551234', message)).status, 200);
  assert.equal((await world.call('GET', '/_simulator/stats')).body.accepted, accepted.length);
});

test('templates: the name, the language and the number of parameters must be right', async (context) => {
  const world = await startWorld(context);
  const template = (name: string, components: unknown, code = 'en_US'): Promise<Answer> =>
    world.send('+16505551234', { type: 'template', template: { name, language: { code }, components } });
  const texts = (...values: string[]): JsonObject[] => values.map((text) => ({ type: 'text', text }));
  const unknown = await template('nothing', undefined);
  assert.deepEqual([unknown.status, codeOf(unknown)], [404, 132001]);
  assert.equal(codeOf(await template('order_update', undefined, 'fr')), 132001);
  const few = await template('order_update', [{ type: 'body', parameters: texts('Ana') }]);
  assert.equal(codeOf(few), 132000);
  assert.match(detailsOf(few), /localizable_params \(1\).*expected number of params \(3\)/);
  assert.equal((await template('order_update', [{ type: 'body', parameters: texts('Ana', '1', 'sent') }])).status, 200);
  const code = { type: 'body', parameters: texts('123456') };
  assert.equal(codeOf(await template('otp', [code])), 131008);
  const button = { type: 'button', sub_type: 'url', index: '0', parameters: texts('123456') };
  assert.equal((await template('otp', [code, button])).status, 200);
  const named = texts('Ana', 'X').map((one, index) => ({
    ...one,
    parameter_name: index === 0 ? 'first_name' : 'wrong',
  }));
  assert.equal(codeOf(await template('spring_offer', [{ type: 'body', parameters: named }])), 132018);
  const waba = `/v26.0/${DEFAULT_NUMBER.waba_id}/message_templates`;
  const fresh = { name: 'fresh', language: 'en_US', category: 'UTILITY', components: [{ type: 'BODY', text: 'Hi' }] };
  assert.equal((await world.call('POST', waba, fresh)).body.status, 'PENDING');
  await world.receiver.until(() => world.receiver.received.some(({ value }) => value.event === 'APPROVED'), 'approval');
  assert.equal((await template('fresh', undefined)).status, 200);
  assert.equal((await world.call('DELETE', `${waba}?name=fresh`)).body.success, true);
  assert.equal(codeOf(await template('fresh', undefined)), 132001);
});

test('media: uploaded, described, downloaded, sent, deleted', async (context) => {
  const world = await startWorld(context);
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('type', 'image/png');
  form.set('file', new Blob(['picture'], { type: 'image/png' }), 'a.png');
  const headers = { authorization: 'Bearer token' };
  const path = `${world.url}/v26.0/${DEFAULT_NUMBER.phone_number_id}/media`;
  const uploaded: unknown = await (await fetch(path, { method: 'POST', body: form, headers })).json();
  const id = isObject(uploaded) ? String(uploaded.id) : '';
  assert.match(id, /^\d+$/);
  assert.equal((await world.send('+16505551234', { type: 'image', image: { id } })).status, 200);
  const described = await world.call('GET', `/v26.0/${id}`);
  assert.equal(described.body.mime_type, 'image/png');
  const download = await fetch(String(described.body.url), { headers });
  assert.equal(await download.text(), 'picture');
  assert.equal((await fetch(String(described.body.url))).status, 401);
  assert.equal((await fetch(`${String(described.body.url)}0`, { headers })).status, 404);
  form.set('type', 'image/gif');
  assert.equal((await fetch(path, { method: 'POST', body: form, headers })).status, 400);
  assert.equal((await world.call('DELETE', `/v26.0/${id}`)).body.success, true);
  const gone = await world.call('GET', `/v26.0/${id}`);
  assert.deepEqual([gone.status, codeOf(gone)], [400, 100]);
});

test('tokens, versions and ids that are not good', async (context) => {
  const world = await startWorld(context);
  const unknown = await world.call('POST', '/v26.0/1/messages', {});
  assert.deepEqual([unknown.status, isObject(unknown.body.error) && unknown.body.error.error_subcode], [400, 33]);
  assert.equal(codeOf(await world.call('GET', `/v20.0/${DEFAULT_NUMBER.phone_number_id}`)), 2635);
  assert.equal((await world.call('GET', `/v21.0/${DEFAULT_NUMBER.phone_number_id}`)).status, 200);
  assert.equal(codeOf(await world.call('POST', `/v26.0/${DEFAULT_NUMBER.phone_number_id}/fax`, {})), 2500);
  assert.equal(codeOf(await world.call('GET', `/v26.0/${DEFAULT_NUMBER.phone_number_id}?fields=colour`)), 100);
  await world.call('POST', '/_simulator/tokens', { revoke: 'token' });
  const revoked = await world.send('+16505551234');
  assert.deepEqual([revoked.status, codeOf(revoked)], [401, 190]);
  await world.call('POST', '/_simulator/tokens', { restore: 'token', require: ['another'] });
  assert.equal((await world.send('+16505551234')).status, 401);
  await world.call('POST', '/_simulator/tokens', { require: [] });
  assert.equal((await world.send('+16505551234')).status, 200);
  const long = await world.call('POST', PATH, `{"x":"${'y'.repeat(2_100_000)}"}`);
  assert.equal(long.status, 413);
});

test('numbers: made, changed, told apart by account', async (context) => {
  const world = await startWorld(context);
  const number = { phone_number_id: '200000000000001', waba_id: '300000000000001', throughput: 80 };
  assert.equal((await world.call('POST', '/_simulator/numbers', number)).status, 200);
  const node = await world.call('GET', '/v26.0/200000000000001?fields=throughput');
  assert.deepEqual(node.body.throughput, { level: 'STANDARD' });
  const usual = await world.call('GET', `/v26.0/${DEFAULT_NUMBER.phone_number_id}`);
  assert.deepEqual(usual.body.throughput, { level: 'HIGH' });
  const members = await world.call('GET', '/v26.0/300000000000001/phone_numbers');
  assert.deepEqual(
    listOf(members.body.data).map((member) => member.id),
    ['200000000000001'],
  );
  assert.equal((await world.call('POST', '/v26.0/300000000000001/subscribed_apps')).body.success, true);
  const refused = await world.call('POST', '/_simulator/numbers', { ...number, throughput: 'fast' });
  assert.deepEqual([refused.status, refused.body.field], [400, 'throughput']);
});
