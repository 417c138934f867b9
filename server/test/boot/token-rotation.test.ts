import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { type Credentials, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

const MESSAGES = 600;

test('a token that expires in the middle of a batch costs no message: with a new one all leave, once, at once', async (t) => {
  const folder = dataFolder(t);
  await startProgram(t, folder, await suiteDatabase(t)).ready;
  const at = credentials(folder) as Credentials & { operator_key: string };
  async function ask<Answer>(url: string, method = 'GET', body?: object): Promise<Answer> {
    const response = await fetch(url, {
      method,
      headers: { 'x-api-key': at.api_key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  }
  const api = `${at.url}/api/v1`;
  const simulator = `${at.simulator_url}/_simulator`;
  const { senders } = await ask<{ senders: { account_id: string }[] }>(`${api}/senders`);
  const account = `${api}/accounts/${senders[0]?.account_id}`;
  const counts = async () => {
    const { by_state } = await ask<{ by_state: Record<string, number> }>(`${api}/batches/${batch_id}`);
    return by_state;
  };
  const left = async () => {
    const { sent = 0, delivered = 0, read = 0 } = await counts();
    return sent + delivered + read;
  };

  // Slow enough to be met in the middle.
  const slowed = await fetch(`${api}/senders/${at.sender_id}`, {
    method: 'PATCH',
    headers: { 'x-api-key': at.operator_key, 'content-type': 'application/json' },
    body: JSON.stringify({ messages_per_second: 300 }),
  });
  assert.equal(slowed.status, 200, await slowed.text());
  const messages = Array.from({ length: MESSAGES }, (_, i) => ({
    to: `+62812${String(i).padStart(8, '0')}`,
    content: { text: `message ${i}` },
  }));
  const { batch_id } = await ask<{ batch_id: string }>(`${api}/messages/batch`, 'POST', { messages });
  await until('some have left', async () => (await left()) > 50);
  await ask(`${simulator}/tokens`, 'POST', { revoke: 'simulated' });
  // The others wait for a token.
  await until('its queue stands still', async () => {
    const { pauses } = await ask<{ pauses: { cause: string; sender_id: string }[] }>(`${api}/pauses`);
    return pauses.some(({ cause, sender_id }) => cause === 'token_invalid' && sender_id === at.sender_id);
  });
  const connected = async () => {
    const { senders: all } = await ask<{ senders: { id: string; connected: boolean | null }[] }>(`${api}/senders`);
    return all.find(({ id }) => id === at.sender_id)?.connected;
  };
  // Learned from the refused sends, and not ten minutes later.
  await until('the number is known to be down', async () => (await connected()) === false);
  const before = await left();
  assert.ok(before < MESSAGES, `${before} of ${MESSAGES} had left already`);
  assert.equal((await counts())['failed'] ?? 0, 0);

  const changed = await ask<{ token_valid: boolean }>(account, 'PATCH', { access_token: 'EAAnew' });
  assert.equal(changed.token_valid, true);
  // Of itself the queue would be looked at after ten minutes.
  await until('all have left', async () => (await left()) === MESSAGES, 40_000);
  assert.equal((await counts())['failed'] ?? 0, 0);
  await until('it is connected again', async () => (await connected()) === true);
  const { messages: accepted } = await ask<{ messages: { to: string }[] }>(`${simulator}/messages?limit=10000`);
  assert.deepEqual(accepted.map(({ to }) => to).toSorted(), messages.map(({ to }) => to).toSorted(), 'each once');
});

test('what WhatsApp tells of an account is known at once, and kept for people', async (t) => {
  const folder = dataFolder(t);
  await startProgram(t, folder, await suiteDatabase(t)).ready;
  const at = credentials(folder);
  const get = async (way: string): Promise<Record<string, Record<string, unknown>[]>> => {
    const response = await fetch(`${at.url}/api/v1/${way}`, { headers: { 'x-api-key': at.api_key } });
    assert.equal(response.status, 200);
    return (await response.json()) as Record<string, Record<string, unknown>[]>;
  };
  const sender = async () => (await get('senders'))['senders']?.[0];
  const account = `accounts/${String((await sender())?.['account_id'])}`;
  await until('the account was read', async () => (await sender())?.['verified_name'] !== null);
  assert.equal((await get('accounts'))['accounts']?.[0]?.['token_valid'], true);
  const changed = await fetch(`${at.simulator_url}/_simulator/numbers`, {
    method: 'PATCH',
    body: JSON.stringify({ phone_number_id: at.phone_number_id, verified_name: 'Lucky Shrub' }),
  });
  assert.ok(changed.ok, await changed.text());
  await until('the name is known', async () => (await sender())?.['verified_name'] === 'Lucky Shrub');
  const { alerts } = await get(`${account}/alerts`);
  assert.deepEqual(
    alerts?.map(({ field }) => field),
    ['phone_number_name_update'],
  );
});
