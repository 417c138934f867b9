import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { type Credentials, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

interface Answer {
  status: number;
  body: Record<string, unknown> & { messages?: { id: string; direction: string }[] };
}

async function ask({ api_key }: Credentials, url: string, method = 'GET', body?: object): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'x-api-key': api_key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

test('a message is sent while its request waits, and the answer to it is marked as read at WhatsApp', async (t) => {
  const folder = dataFolder(t);
  await startProgram(t, folder, await suiteDatabase(t)).ready;
  const at = credentials(folder);
  const api = `${at.url}/api/v1/messages`;
  const to = '+628123456789';
  const asked = {
    tenant_id: at.tenant_id,
    outlet_id: at.sender_id,
    conversation_id: 'conv-uuid',
    to,
    message: 'Hello!',
  };
  const sent = await ask(at, `${api}/send`, 'POST', { ...asked, message_type: 'text' });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.match(String(sent.body['whatsapp_message_id']), /^wamid\./);
  assert.deepEqual([sent.body['status'], sent.body['conversation_id']], ['sent', 'conv-uuid']);

  const simulator = `${at.simulator_url}/_simulator`;
  const inbound = { phone_number_id: at.phone_number_id, from: to, text: 'Thank you' };
  assert.equal((await ask(at, `${simulator}/inbound`, 'POST', inbound)).status, 200);
  let received: string | undefined;
  await until('the answer is there', async () => {
    const { body } = await ask(at, `${api}?direction=inbound&conversation_id=conv-uuid`);
    received = body.messages?.[0]?.id;
    return received !== undefined;
  });
  assert.equal((await ask(at, `${api}/${received}/read`, 'PUT')).status, 200);
  await until('WhatsApp was told', async () => (await ask(at, `${simulator}/stats`)).body['read_marks'] === 1);
  const { body: statistics } = await ask(at, `${api}/statistics`);
  assert.deepEqual(statistics['by_direction'], { inbound: 1, outbound: 1 });
});
