import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { until } from '../until.ts';
import {
  assertRefusesToStart,
  type Credentials,
  credentials,
  dataFolder,
  startProgram,
  startProvider,
} from './program.ts';

interface MessageView {
  id: string;
  state: string;
  direction: string;
  content: { text?: string } | null;
}

/** Asks the API, and holds it to the status. */
async function ask<Answer>(
  { url, api_key }: Credentials,
  way: string,
  { status = 200, body, headers = {} }: { status?: number; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${way}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${api_key}`, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as Answer;
}

const stateOf = async (at: Credentials, id: string) => (await ask<MessageView>(at, `/api/v1/messages/${id}`)).state;

test('from nothing to a message read and answered, a clean stop, and a start on the same data', async (t) => {
  const folder = dataFolder(t);
  const first = startProgram(t, folder);
  const url = await first.ready;
  const at = credentials(folder);
  assert.equal(at.url, url);
  assert.equal(statSync(path.join(folder, 'credentials.json')).mode & 0o777, 0o600);

  const body = { recipient_phone: '+6281234567890', content: { text: 'Hello, {name}!' }, variables: { name: 'Ana' } };
  const { id } = await ask<MessageView>(at, '/api/v1/messages', { body, status: 202 });
  await until('it is read', async () => (await stateOf(at, id)) === 'read');
  const answered = await fetch(`${at.simulator_url}/_simulator/inbound`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone_number_id: at.phone_number_id, from: '+6281234567890', text: 'Thank you' }),
  });
  assert.ok(answered.ok, await answered.text());
  await until('the answer is there', async () => {
    const { messages } = await ask<{ messages: MessageView[] }>(at, '/api/v1/messages?direction=inbound');
    return messages[0]?.content?.text === 'Thank you';
  });

  first.kill('SIGTERM');
  assert.deepEqual(await first.ended, { code: 0, signal: null });

  const second = startProgram(t, folder);
  await second.ready;
  assert.equal(credentials(folder).api_key, at.api_key);
  assert.equal(await stateOf(credentials(folder), id), 'read');

  // A second process finds the folder taken, and leaves the first alone.
  await assertRefusesToStart(startProgram(t, folder), /in use/);
  assert.equal(await stateOf(credentials(folder), id), 'read');
  second.kill('SIGINT');
  assert.equal((await second.ended).code, 0);
});

interface Accepted {
  to: string;
  type: string;
}

/** All that the provider really accepted. */
async function acceptedBy(provider: string): Promise<Accepted[]> {
  const accepted: Accepted[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const response = await fetch(`${provider}/_simulator/messages?after=${after}&limit=1000`);
    const page = (await response.json()) as { messages: Accepted[]; next: number | null };
    accepted.push(...page.messages);
    after = page.messages.length === 0 ? null : page.next;
  }
  return accepted;
}

test('killed while it sends, and started again: all that was accepted leaves, and nothing twice', async (t) => {
  const folder = dataFolder(t);
  const provider = await startProvider(t).ready;
  // Long enough for the provider to have told again what it could not tell while we were dead.
  const env = { ALDIS_SIMULATOR_URL: provider, ALDIS_ENGINE_DOUBT_GRACE: '20s' };
  const doomed = startProgram(t, folder, { ...env, ALDIS_FAILPOINTS: 'call.after_answer=kill@40' });
  await doomed.ready;
  const items = Array.from({ length: 120 }, (_, i) => ({
    recipient_phone: `+62813${String(i).padStart(8, '0')}`,
    content: { text: `${i}` },
  }));
  const batch = { body: { messages: items }, headers: { 'idempotency-key': 'life' }, status: 202 };
  // The answer may come or be cut off: who asks again by the key is told the same.
  await ask(credentials(folder), '/api/v1/messages/batch', batch).catch(() => {});
  assert.equal((await doomed.ended).signal, 'SIGKILL');

  const next = startProgram(t, folder, env);
  await next.ready;
  const at = credentials(folder);
  const { batch_id } = await ask<{ batch_id: string }>(at, '/api/v1/messages/batch', batch);
  let asked = 0;
  await until(
    'all of it is read',
    async () => {
      // The proof that receipts flow: a message now and then, as on any number that is in use.
      if (asked++ % 50 === 0) {
        const body = { recipient_phone: `+62899${String(asked).padStart(8, '0')}`, content: { text: 'later' } };
        await ask(at, '/api/v1/messages', { body, status: 202 });
      }
      const { by_state } = await ask<{ by_state: Record<string, number> }>(at, `/api/v1/batches/${batch_id}`);
      return by_state['read'] === items.length;
    },
    40_000,
  );
  const sent = (await acceptedBy(provider))
    .map((one) => one.to.replace('+', ''))
    .filter((to) => to.startsWith('62813'));
  assert.deepEqual([sent.length, new Set(sent).size], [120, 120]);
  next.kill('SIGTERM');
  assert.equal((await next.ended).code, 0);
});

test('a port in use is told in one line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const program = startProgram(t, dataFolder(t), { ALDIS_SERVER_HOST: '127.0.0.1', ALDIS_SERVER_PORT: String(port) });
  await assertRefusesToStart(program, new RegExp(`port ${port} .*in use: .*ALDIS_SERVER_PORT`));

  const other = startProgram(t, dataFolder(t), { ALDIS_SIMULATOR_PORT: String(port) });
  const advice = 'stop what uses it, or set ALDIS_SIMULATOR_PORT';
  await assertRefusesToStart(
    other,
    new RegExp(`simulator could not start: port ${port} on 127.0.0.1 is in use; ${advice}$`, 'm'),
  );
});

test('a data folder that cannot be written is told in one line', async (t) => {
  const folder = dataFolder(t);
  // A file where the folder should be stops root as well.
  writeFileSync(path.join(folder, 'file'), '');
  await assertRefusesToStart(startProgram(t, path.join(folder, 'file', 'data')), /file.*: /);
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  await assertRefusesToStart(startProgram(t, path.join(folder, 'data')), /cannot|not be|permission/i);
});

test('a database that is newer than the program, or out of reach, is told in one line', async (t) => {
  const database = await testDatabase();
  t.after(() => database.drop());
  await database.db.script(`insert into migrations (number, name) values (9999, '9999_later')`);
  const newer = startProgram(t, dataFolder(t), { ALDIS_DATABASE_URL: database.url });
  await assertRefusesToStart(newer, /newer than this program .*9999_later.*: start the newer Aldis/);
  const away = startProgram(t, dataFolder(t), { ALDIS_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  await assertRefusesToStart(away, /127\.0\.0\.1:1 cannot be used .*: check ALDIS_DATABASE_URL/);
});
