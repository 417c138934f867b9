import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

type Body = Record<string, unknown>;

test('a customer who writes STOP gets no marketing any more, until he writes START', async (t) => {
  const folder = dataFolder(t);
  await startProgram(t, folder, await suiteDatabase(t)).ready;
  const { url, api_key, simulator_url, phone_number_id } = credentials(folder);
  async function ask(path: string, body?: object): Promise<{ status: number; body: Body }> {
    const response = await fetch(path, {
      headers: { 'x-api-key': api_key, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  }
  const customer = '+6281234500001';
  const say = (text: string) =>
    ask(`${simulator_url}/_simulator/inbound`, { phone_number_id, from: customer, name: 'Ana', text });
  const find = () => ask(`${url}/api/v1/contacts/find?phone=${encodeURIComponent(customer)}`);
  const advertise = (scheduled_at?: string) =>
    ask(`${url}/api/v1/messages`, { to: customer, content: { text: 'Sale' }, category: 'marketing', scheduled_at });

  const waits = await advertise(new Date(Date.now() + 3_600_000).toISOString());
  assert.equal(waits.status, 202);
  await say('Stop!');
  await until('he has opted out', async () => (await find()).body['marketing_consent'] === 'out');
  const refused = await advertise();
  assert.deepEqual([refused.status, refused.body['error']], [409, 'recipient_suppressed']);
  const stopped = await ask(`${url}/api/v1/messages/${String(waits.body['id'])}`);
  assert.equal(stopped.body['state'], 'failed');
  await say('start');
  await until('he takes part again', async () => (await find()).body['marketing_consent'] === 'in');
  assert.equal((await advertise()).status, 202);

  // The same by the switch that WhatsApp itself has.
  await ask(`${simulator_url}/_simulator/inbound`, { phone_number_id, from: customer, preference: 'stop' });
  await until('he has opted out again', async () => (await find()).body['marketing_consent'] === 'out');
  const { body: history } = await ask(`${url}/api/v1/contacts/${String((await find()).body['id'])}/consents`);
  assert.deepEqual(
    (history['consents'] as Body[]).map(({ state, source }) => `${String(state)} by ${String(source)}`),
    ['out by whatsapp', 'in by keyword', 'out by keyword'],
  );

  // He is blocked at the number he wrote to, and WhatsApp is told.
  const { body: contact } = await find();
  assert.equal((await ask(`${url}/api/v1/contacts/${String(contact['id'])}/block`, {})).status, 202);
  const { sender_id } = credentials(folder);
  await until('WhatsApp blocks him', async () => {
    const { body } = await ask(`${url}/api/v1/blocked-users?sender_id=${sender_id}`);
    const [one] = body['blocked_users'] as Body[];
    assert.notEqual(one?.['confirmed'], false, String(one?.['detail']));
    return one?.['confirmed'] === true;
  });
  const { body: late } = await ask(`${url}/api/v1/messages`, { to: customer, content: { text: 'Your order' } });
  await until('WhatsApp refuses what is sent to him', async () => {
    const { body } = await ask(`${url}/api/v1/messages/${String(late['id'])}`);
    return (body['error'] as Body | null)?.['code'] === 130403;
  });
});
