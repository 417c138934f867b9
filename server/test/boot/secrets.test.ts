import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { until } from '../until.ts';
import { assertRefusesToStart, type Credentials, credentials, dataFolder, startProgram } from './program.ts';

type Body = Record<string, unknown>;

async function ask(url: string, key: string, method: string, body?: object): Promise<{ status: number; body: Body }> {
  const response = await fetch(url, {
    method,
    headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

test('a wrong key is told at start; every secret is sealed anew, and the old key can be taken away', async (t) => {
  const folder = dataFolder(t);
  const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const database = await testDatabase();
  t.after(() => database.drop());
  const start = (keys: string) =>
    startProgram(t, folder, { ALDIS_SECRETS_ENCRYPTION_KEYS: keys, ALDIS_DATABASE_URL: database.url });
  const stop = async (program: ReturnType<typeof start>) => {
    program.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  };
  const first = start(`1:${one}`);
  await first.ready;
  await stop(first);

  await assertRefusesToStart(start(`1:${two}`), /encryption key is not the one .* ALDIS_SECRETS_ENCRYPTION_KEYS/);

  const both = start(`1:${one},2:${two}`);
  await both.ready;
  const at = credentials(folder) as Credentials & { operator_key: string };
  const rotate = () => ask(`${at.url}/api/v1/secrets/rotate`, at.operator_key, 'POST');
  assert.equal((await ask(`${at.url}/api/v1/secrets/rotate`, at.api_key, 'POST')).status, 403);
  const done = await rotate();
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.equal(done.body['failed'], 0);
  // What the second start wrote, it sealed with the newest key: the sender's token. The rest is sealed now.
  assert.ok(Number(done.body['resealed']) >= 4, JSON.stringify(done.body));
  const all = Number(done.body['resealed']) + Number(done.body['already']);
  assert.deepEqual((await rotate()).body, { resealed: 0, already: all, failed: 0 });
  await stop(both);

  await start(`2:${two}`).ready;
  const now = credentials(folder);
  const sent = await ask(`${now.url}/api/v1/messages`, now.api_key, 'POST', {
    to: '+628123456789',
    content: { text: 'Hi' },
  });
  assert.equal(sent.status, 202, JSON.stringify(sent.body));
  const path = `${now.url}/api/v1/messages/${sent.body['id']}`;
  await until('its receipts come', async () => (await ask(path, now.api_key, 'GET')).body['state'] === 'read');
});

test('a start that was wrong leaves no key behind: not with a half configuration, nor with a database of another key', async (t) => {
  const folder = dataFolder(t);
  const database = await testDatabase();
  t.after(() => database.drop());
  const at = { ALDIS_DATABASE_URL: database.url };
  const half = { ...at, ALDIS_WHATSAPP_NUMBER_PHONE_NUMBER_ID: '123456789012345' };
  await assertRefusesToStart(startProgram(t, folder, half), /whatsapp\.number|phone_number_id/);
  assert.ok(!existsSync(join(folder, 'secret.key')), 'a half configuration');

  const first = startProgram(t, folder, at);
  await first.ready;
  assert.ok(existsSync(join(folder, 'secret.key')));
  first.kill('SIGTERM');
  await first.ended;
  const other = dataFolder(t);
  await assertRefusesToStart(startProgram(t, other, at), /encryption key is not the one .* restore secret\.key/);
  assert.ok(!existsSync(join(other, 'secret.key')), "another's database");
});
