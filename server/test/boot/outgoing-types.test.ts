import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { type Credentials, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

interface MessageView {
  id: string;
  state: string;
  type: string;
  whatsapp_message_id: string;
  error: unknown;
}

async function ask<Answer>(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  assert.ok(response.ok, `${url}: ${text}`);
  return JSON.parse(text) as Answer;
}

const withKey = ({ api_key }: Credentials) => ({ authorization: `Bearer ${api_key}` });

function post<Answer>(at: Credentials, path: string, body?: object): Promise<Answer> {
  const headers = { ...withKey(at), ...(body && { 'content-type': 'application/json' }) };
  return ask(`${at.url}${path}`, { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) });
}

const read = (at: Credentials, id: string) =>
  ask<MessageView>(`${at.url}/api/v1/messages/${id}`, { headers: withKey(at) });

/** What the provider has accepted, as it came. */
const accepted = (at: Credentials) =>
  ask<{ messages: Record<string, unknown>[] }>(`${at.simulator_url}/_simulator/messages?limit=1000`, {});

const TO = '+6281234567890';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const link = (name: string) => ({ media_url: `https://files.example/${name}` });
const body = { text: 'Choose' };
const interactive = (type: string, action: object, more: object = {}) => ({
  content: { interactive: { type, body, action, ...more } },
});
const card = (n: number) => ({
  card_index: n,
  type: 'cta_url',
  header: { type: 'image', image: { link: 'https://files.example/a.png' } },
  action: { name: 'cta_url', parameters: { display_text: 'Look', url: 'https://a.example' } },
});

const MESSAGES: readonly object[] = [
  { content: { text: 'https://a.example', preview_url: true } },
  { content: { ...link('a.jpg'), text: 'See' } },
  { content: link('a.mp4') },
  { content: { ...link('a.ogg'), voice: true } },
  { content: { ...link('a.pdf'), filename: 'Bill.pdf' } },
  { type: 'sticker', content: link('a.webp') },
  { content: { location: { latitude: -6.2, longitude: 106.8, name: 'Monas' } } },
  { content: { contacts: [{ name: { formatted_name: 'Ana B', first_name: 'Ana' }, phones: [{ phone: TO }] }] } },
  interactive('button', { buttons: [{ type: 'reply', reply: { id: 'a', title: 'A' } }] }),
  interactive('list', { button: 'Open', sections: [{ rows: [{ id: 'a', title: 'A' }] }] }),
  interactive('cta_url', { name: 'cta_url', parameters: { display_text: 'Look', url: 'https://a.example' } }),
  interactive('location_request_message', { name: 'send_location' }),
  interactive('flow', {
    name: 'flow',
    parameters: { flow_message_version: '3', flow_id: '1', flow_cta: 'Book', flow_token: 't' },
  }),
  { content: { interactive: { type: 'product', action: { catalog_id: 'c', product_retailer_id: 'p' } } } },
  interactive(
    'product_list',
    { catalog_id: 'c', sections: [{ title: 'All', product_items: [{ product_retailer_id: 'p' }] }] },
    { header: { type: 'text', text: 'Shop' } },
  ),
  interactive('catalog_message', { name: 'catalog_message' }),
  interactive('carousel', { cards: [card(0), card(1)] }),
  interactive('address_message', { name: 'address_message', parameters: { country: 'IN' } }),
  { template: { name: 'hello_world', language: 'en_US' } },
];

test('every type goes to WhatsApp, which takes it; outside the window the fallback goes', async (t) => {
  const folder = dataFolder(t);
  await startProgram(t, folder, await suiteDatabase(t)).ready;
  const at = credentials(folder);

  const form = new FormData();
  form.append('file', new Blob([PNG]), 'a.png');
  const file = await ask<{ id: string }>(`${at.url}/api/v1/media`, {
    method: 'POST',
    headers: withKey(at),
    body: form,
  });
  const messages = [...MESSAGES, { content: { media_id: file.id, text: 'See' } }];
  const asked: { id: string; type: string }[] = [];
  for (const message of messages) asked.push(await post(at, '/api/v1/messages', { to: TO, ...message }));
  const [first] = asked;
  const reacted = await post<{ id: string; type: string }>(at, '/api/v1/messages', {
    to: TO,
    content: { reaction: { message_id: await wamidOf(at, first?.id ?? ''), emoji: '👍' } },
  });
  for (const { id } of [...asked, reacted]) await arrived(at, id);
  const sent = (await accepted(at)).messages;
  assert.deepEqual(
    sent.map(({ type }) => String(type)).sort(),
    [...asked, reacted].map(({ type }) => type).sort(),
    JSON.stringify(sent[0]),
  );

  await ask(`${at.simulator_url}/_simulator/settings`, {
    method: 'PUT',
    body: JSON.stringify({ enforce: { window: true } }),
  });
  const late = await post<{ id: string; type: string }>(at, '/api/v1/messages', {
    to: '+6281234567891',
    content: { text: 'Are you there?' },
    fallback_template: { name: 'hello_world', language: 'en_US' },
  });
  assert.equal(late.type, 'text');
  await arrived(at, late.id);
  assert.equal((await read(at, late.id)).type, 'template');
});

async function arrived(at: Credentials, id: string): Promise<void> {
  await until('it is delivered', async () => {
    const { state, type, error } = await read(at, id);
    assert.notEqual(state, 'failed', `${type}: ${JSON.stringify(error)}`);
    return state === 'delivered' || state === 'read';
  });
}

async function wamidOf(at: Credentials, id: string): Promise<string> {
  await arrived(at, id);
  return (await read(at, id)).whatsapp_message_id;
}
