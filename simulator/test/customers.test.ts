import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { listOf } from './receiver.ts';
import { startWorld, type World } from './world.ts';

const CUSTOMER = '+16505551234';
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function inbound(world: World, body: JsonObject): Promise<JsonObject> {
  const answer = await world.call('POST', '/_simulator/inbound', { from: CUSTOMER, ...body });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** The customers' messages that came, in order. */
function messages(world: World): JsonObject[] {
  return world.receiver.received.flatMap(({ value }) => listOf(value.messages));
}

async function message(world: World, count: number): Promise<JsonObject> {
  await world.receiver.until(() => messages(world).length >= count, `message ${count}`);
  return messages(world)[count - 1] ?? {};
}

function objectIn(from: JsonObject | undefined, name: string): JsonObject {
  const value = from?.[name];
  assert.ok(isObject(value), `${name} in ${JSON.stringify(from)}`);
  return value;
}

test('files that customers send are really there, for five minutes by one address and seven days by id', async (context) => {
  const world = await startWorld(context);
  const media = { data: Buffer.from('a picture').toString('base64'), mime_type: 'image/jpeg', caption: 'Look' };
  await inbound(world, { type: 'image', media });
  const image = objectIn(await message(world, 1), 'image');
  assert.deepEqual([image.caption, image.mime_type], ['Look', 'image/jpeg']);
  const headers = { authorization: 'Bearer token' };
  assert.equal(await (await fetch(String(image.url), { headers })).text(), 'a picture');
  const path = `/v26.0/${String(image.id)}`;
  const described = await world.call('GET', path);
  assert.equal(Buffer.from(String(described.body.sha256), 'hex').toString('base64'), image.sha256);
  await world.call('POST', '/_simulator/clock', { advance_ms: 301_000 });
  assert.equal((await fetch(String(image.url), { headers })).status, 404);
  const again = await world.call('GET', path);
  assert.equal((await fetch(String(again.body.url), { headers })).status, 200);
  await world.call('POST', '/_simulator/clock', { advance_ms: 7 * 86_400_000 });
  assert.equal((await world.call('GET', path)).status, 400);
  const types = ['video', 'audio', 'document', 'sticker'];
  for (const type of types) await inbound(world, { type });
  await message(world, 5);
  for (const [index, type] of types.entries()) {
    const file = objectIn(messages(world)[index + 1], type);
    assert.ok(Buffer.from(await (await fetch(String(file.url), { headers })).arrayBuffer()).length > 10, type);
  }
});

test('a customer taps what he was sent: buttons, rows, quick replies, flows', async (context) => {
  const world = await startWorld(context);
  const interactive = (content: JsonObject): JsonObject => ({
    type: 'interactive',
    interactive: { body: { text: 'Choose' }, ...content },
  });
  const button = world.wamid(
    await world.send(
      CUSTOMER,
      interactive({ type: 'button', action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Yes' } }] } }),
    ),
  );
  const rows = [{ id: 'r1', title: 'Red', description: 'Warm' }];
  await world.send(CUSTOMER, interactive({ type: 'list', action: { button: 'Colours', sections: [{ rows }] } }));
  await world.send(
    CUSTOMER,
    interactive({
      type: 'flow',
      action: {
        name: 'flow',
        parameters: { flow_id: '1', flow_cta: 'Book', flow_message_version: '3', flow_token: 't' },
      },
    }),
  );
  const offer = { name: 'spring_offer', language: { code: 'en_US' } };
  const texts = ['first_name', 'code'].map((name) => ({ type: 'text', parameter_name: name, text: 'x' }));
  const quick = {
    type: 'button',
    sub_type: 'quick_reply',
    index: '0',
    parameters: [{ type: 'payload', payload: 'STOP' }],
  };
  await world.send(CUSTOMER, {
    type: 'template',
    template: { ...offer, components: [{ type: 'body', parameters: texts }, quick] },
  });
  for (const tap of ['yes', 'Red', 'Book', 'Stop promotions']) await inbound(world, { tap });
  await message(world, 4);
  const [yes, red, book, stop] = messages(world);
  assert.deepEqual(yes?.context, { from: DEFAULT_NUMBER.display_phone_number, id: button });
  assert.deepEqual(yes?.interactive, { type: 'button_reply', button_reply: { id: 'y', title: 'Yes' } });
  assert.deepEqual(red?.interactive, { type: 'list_reply', list_reply: rows[0] });
  assert.equal(objectIn(objectIn(book, 'interactive'), 'nfm_reply').response_json, '{"flow_token":"t"}');
  assert.deepEqual([stop?.type, stop?.button], ['button', { payload: 'STOP', text: 'Stop promotions' }]);
});

test('edits, deletions, reactions and reading mean the newest message when none is named', async (context) => {
  const world = await startWorld(context, { settings: { reads: false } });
  const { wamid } = await inbound(world, { text: 'Helo' });
  const sent = world.wamid(await world.send(CUSTOMER));
  await inbound(world, { type: 'edit', text: 'Hello' });
  await inbound(world, { type: 'revoke' });
  await inbound(world, { type: 'reaction', payload: { emoji: '👍' } });
  await message(world, 4);
  const [, edit, revoke, reaction] = messages(world);
  const text = { type: 'text', text: { body: 'Hello' } };
  assert.deepEqual(edit?.edit, { original_message_id: wamid, message: text });
  assert.deepEqual(revoke?.revoke, { original_message_id: wamid });
  assert.deepEqual(reaction?.reaction, { message_id: sent, emoji: '👍' });
  await world.receiver.until(() => world.receiver.statuses().length === 2, 'sent and delivered');
  assert.equal((await world.call('POST', '/_simulator/statuses', { to: CUSTOMER })).body.wamid, sent);
  await world.call('POST', '/_simulator/statuses', { wamid: sent, status: 'played' });
  await world.call('POST', '/_simulator/statuses', { wamid: sent, status: 'failed', code: 131026 });
  await world.receiver.until(() => world.receiver.statuses().length === 5, 'what was told');
  const words = world.receiver.statuses().map(({ status }) => status);
  assert.deepEqual(words, ['sent', 'delivered', 'read', 'played', 'failed']);
  const nobody = await world.call('POST', '/_simulator/statuses', { to: '+16505559999' });
  assert.deepEqual([nobody.status, nobody.body.field], [400, 'to']);
});

test('an edit means the newest text, whatever came after it, and goes along when the customer changes his number', async (context) => {
  const world = await startWorld(context);
  const nothing = await world.call('POST', '/_simulator/inbound', { from: CUSTOMER, type: 'edit', text: 'x' });
  assert.match(nothing.text, /written no text yet/);
  const { wamid } = await inbound(world, { text: 'Helo' });
  await inbound(world, { type: 'order' });
  const renamed = { type: 'user_changed_number', wa_id: '16505550077', body: 'changed' };
  await inbound(world, { type: 'system', payload: renamed });
  await inbound(world, { from: '+16505550077', type: 'edit', text: 'Hello' });
  const edit = await message(world, 4);
  assert.equal(objectIn(edit, 'edit').original_message_id, wamid);
});

test('what a customer calls himself stays when his number becomes known beside his user id', async (context) => {
  const world = await startWorld(context);
  const userId = 'US.13491208655302741918';
  await inbound(world, { from: undefined, user_id: userId, name: 'Uma', text: 'Hi' });
  await inbound(world, { user_id: userId, text: 'My number' });
  await inbound(world, { text: 'Again' });
  await message(world, 3);
  const names = world.receiver.received.map(({ value }) => objectIn(listOf(value.contacts)[0], 'profile').name);
  assert.deepEqual(names, ['Uma', 'Uma', 'Uma']);
});

test('business-scoped user ids: told with a number or alone, sent to, changed', async (context) => {
  const world = await startWorld(context);
  const userId = 'US.13491208655302741918';
  await inbound(world, { user_id: userId, name: 'Ana', username: 'ana.b', text: 'Hi' });
  const first = await message(world, 1);
  assert.deepEqual([first.from, first.from_user_id], ['16505551234', userId]);
  const [contact] = world.receiver.received.flatMap(({ value }) => listOf(value.contacts));
  assert.deepEqual(contact, { profile: { name: 'Ana', username: 'ana.b' }, wa_id: '16505551234', user_id: userId });
  const body = { messaging_product: 'whatsapp', recipient: userId, type: 'text', text: { body: 'Hello' } };
  const answer = await world.call('POST', `/v26.0/${DEFAULT_NUMBER.phone_number_id}/messages`, body);
  assert.equal(answer.status, 200, answer.text);
  await world.receiver.until(() => world.receiver.statuses().length === 3, 'three statuses');
  for (const { item } of world.receiver.statuses()) {
    assert.deepEqual([item.recipient_user_id, item.recipient_id], [userId, '16505551234']);
  }
  const delivered = world.receiver.received.find(({ raw }) => raw.includes('"delivered"'));
  assert.deepEqual(listOf(delivered?.value.contacts)[0]?.user_id, userId);
  await world.call('POST', '/_simulator/inbound', { user_id: 'US.1', text: 'Nobody knows my number' });
  assert.equal((await message(world, 2)).from, undefined);
  const system = { body: 'x', user_id: 'US.2', type: 'user_changed_user_id' };
  await world.call('POST', '/_simulator/inbound', { user_id: 'US.1', type: 'system', payload: system });
  const updates = (): JsonObject[] => world.receiver.received.flatMap(({ value }) => listOf(value.user_id_update));
  await world.receiver.until(() => updates().length === 1, 'the change of the id');
  assert.deepEqual(updates()[0]?.user_id, { previous: 'US.1', current: 'US.2' });
  const changed = await message(world, 3);
  assert.deepEqual([changed.from_user_id, changed.system], ['US.1', system]);
  await world.call('PUT', '/_simulator/settings', { user_ids: true });
  await world.call('POST', '/_simulator/inbound', { from: '+16505550007', text: 'Hi' });
  assert.match(String((await message(world, 4)).from_user_id), /^US\.\d+$/);
});

test('stop, resume and block: marketing fails, nothing arrives, and who is blocked is not heard', async (context) => {
  const world = await startWorld(context);
  const welcome = { type: 'template', template: { name: 'welcome_message', language: { code: 'en' } } };
  const outcome = async (wamid: string, count: number): Promise<string[]> => {
    const words = (): string[] =>
      world.receiver
        .statuses()
        .filter(({ id }) => id === wamid)
        .map(({ status }) => status);
    await world.receiver.until(() => words().length >= count, `${count} statuses`);
    return words();
  };
  assert.deepEqual(await inbound(world, { preference: 'stop', name: 'Ana' }), { preference: 'stop' });
  assert.deepEqual(await outcome(world.wamid(await world.send(CUSTOMER, welcome)), 1), ['failed']);
  assert.equal((await outcome(world.wamid(await world.send(CUSTOMER)), 3)).length, 3, 'not marketing');
  await inbound(world, { preference: 'resume' });
  assert.equal((await outcome(world.wamid(await world.send(CUSTOMER, welcome)), 3)).length, 3);
  const [stop] = world.receiver.received.flatMap(({ value }) => listOf(value.user_preferences));
  assert.deepEqual([stop?.wa_id, stop?.value, stop?.category], ['16505551234', 'stop', 'marketing_messages']);
  await inbound(world, { block: true });
  const lonely = world.wamid(await world.send(CUSTOMER));
  await inbound(world, { block: false });
  assert.deepEqual(await outcome(world.wamid(await world.send(CUSTOMER)), 3), ['sent', 'delivered', 'read']);
  assert.deepEqual(await outcome(lonely, 1), ['sent']);
  const path = `/v26.0/${DEFAULT_NUMBER.phone_number_id}/block_users`;
  const users = { messaging_product: 'whatsapp', block_users: [{ user: CUSTOMER }, { user: 'x' }] };
  const mixed = await world.call('POST', path, users);
  assert.equal(mixed.status, 400);
  assert.ok(isObject(mixed.body.error) && mixed.body.error.code === 139100);
  const listed = listOf((await world.call('GET', path)).body.data);
  assert.deepEqual(listed, [{ messaging_product: 'whatsapp', wa_id: '16505551234' }]);
  assert.equal((await world.send(CUSTOMER)).status, 400);
  assert.equal((await inbound(world, { text: 'Are you there?' })).blocked, true);
  const freed = await world.call('DELETE', path, { messaging_product: 'whatsapp', block_users: [{ user: CUSTOMER }] });
  assert.deepEqual(freed.body.block_users, { removed_users: [{ input: CUSTOMER, wa_id: '16505551234' }] });
  assert.equal((await world.send(CUSTOMER)).status, 200);
});

test('much in one webhook: messages together, whole batches, and whatever bytes one likes', async (context) => {
  const world = await startWorld(context, { settings: { messages_per_webhook: 5 } });
  await Promise.all(Array.from({ length: 12 }, (_, index) => inbound(world, { text: `m${index}` })));
  await message(world, 12);
  const sizes = world.receiver.received.map(({ value }) => listOf(value.messages).length);
  assert.ok(sizes.length < 12 && Math.max(...sizes) === 5, `sizes ${sizes.join(' ')}`);
  world.receiver.received.length = 0;
  await world.call('POST', '/_simulator/numbers', { phone_number_id: '200000000000001', waba_id: '300000000000001' });
  const batch = await world.call('POST', '/_simulator/webhook_batch', {
    messages: [
      { from: CUSTOMER, text: 'one' },
      { from: '+16505550002', type: 'image' },
      { from: CUSTOMER, text: 'three', phone_number_id: '200000000000001' },
    ],
    changes: [{ field: 'account_alerts', value: { entity_type: 'WABA' } }],
  });
  assert.equal(Array.isArray(batch.body.wamids) && batch.body.wamids.length, 3, batch.text);
  await world.receiver.until(() => world.receiver.received.length === 1, 'one webhook');
  const envelope: unknown = JSON.parse(world.receiver.received[0]?.raw ?? '');
  const entries = listOf(isObject(envelope) ? envelope.entry : undefined);
  assert.deepEqual(
    entries.map(({ changes }) => listOf(changes).map(({ field }) => field)),
    [['messages', 'account_alerts'], ['messages']],
  );
  const listed = await world.call('GET', '/_simulator/inbound?after=12&limit=2');
  const written = listOf(listed.body.messages).map(({ wamid, from, type }) => [wamid, from, type]);
  const [one, two] = Array.isArray(batch.body.wamids) ? batch.body.wamids : [];
  assert.deepEqual(
    [listed.body.total, written],
    [
      15,
      [
        [one, '16505551234', 'text'],
        [two, '16505550002', 'image'],
      ],
    ],
  );
  world.receiver.received.length = 0;
  const raw = (body: JsonObject): Promise<unknown> => world.call('POST', '/_simulator/raw_webhook', body);
  await raw({ body: { odd: true }, times: 2 });
  await raw({ value: { statuses: 'none' } });
  await raw({ body: { forged: true }, forged: true });
  await world.receiver.until(() => world.receiver.received.length === 4, 'four webhooks');
  assert.equal(world.receiver.badSignatures, 1);
  assert.equal(world.receiver.received[0]?.raw, '{"odd":true}');
});

test('the command line: a customer of the simulator that runs', async (context) => {
  const world = await startWorld(context);
  const folder = mkdtempSync(join(tmpdir(), 'aldis-simulator-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const picture = join(folder, 'a.png');
  writeFileSync(picture, 'a picture');
  const sent = world.wamid(await world.send(CUSTOMER));
  const done = async (...args: string[]): Promise<{ code: unknown; said: string }> => run(context, world, args);
  assert.match((await done('say', CUSTOMER, 'hello', '--name', 'Ana')).said, /^wamid\..*\n$/);
  assert.equal((await done('send-image', CUSTOMER, picture, '--caption', 'Look')).code, 0);
  await done('location', CUSTOMER, '37.4', '-122.08');
  await done('react', CUSTOMER, '👍');
  const [said, image, place, reaction] = [await message(world, 4), ...messages(world)].slice(1);
  assert.deepEqual(said?.text, { body: 'hello' });
  assert.equal(objectIn(image, 'image').caption, 'Look');
  assert.deepEqual(place?.location, { latitude: 37.4, longitude: -122.08 });
  assert.equal(objectIn(reaction, 'reaction').message_id, sent);
  const wrong = await done('tap', CUSTOMER, 'Nothing');
  assert.deepEqual(wrong, { code: 1, said: 'tap: no message to 16505551234 has a button or a row "Nothing"\n' });
  assert.match((await done('say', CUSTOMER)).said, /usage: aldis-simulator say CUSTOMER TEXT/);
  assert.match((await done('send-image', CUSTOMER, join(folder, 'none.png'))).said, /no such file/);
  assert.match((await done('send-audio', CUSTOMER, picture)).said, /a\.png must end in \.mp3, .*to go as audio\n$/);
  assert.match(
    (await done('location', CUSTOMER, 'north', '1')).said,
    /^LATITUDE must be a number from -90 to 90, got "north"\n$/,
  );
  assert.match((await done('order', CUSTOMER, 'sku', 'two')).said, /^QUANTITY must be a number/);
  const unknown = await done('shout', CUSTOMER, 'hello');
  assert.deepEqual(unknown, { code: 2, said: 'there is no shout; --help lists what a customer can do\n' });
  assert.equal(messages(world).length, 4);
});

async function run(context: TestContext, world: World, args: string[]): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: '', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ALDIS_SIMULATOR_URL: world.url },
  });
  context.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code]: unknown[] = await once(child, 'close');
  return { code, said };
}
