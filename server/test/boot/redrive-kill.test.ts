import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, startProvider, suiteDatabase } from './program.ts';

const MANY = 12;

interface Json {
  id: string;
  state: string;
  queued: number;
  messages: { to: string }[];
  dead_letters: { count: number }[];
}

test('a redrive goes on over kills before and after its commits, and sends each message once', async (t) => {
  const folder = dataFolder(t);
  const provider = await startProvider(t).ready;
  // A killed instance's lanes are free when its lease is over.
  const lease = { ALDIS_ENGINE_LEASE: '2s', ALDIS_ENGINE_LEASE_RENEWAL: '500ms' };
  const env = { ...(await suiteDatabase(t)), ALDIS_SIMULATOR_URL: provider, ...lease };
  const ask = async (path: string, body?: object): Promise<Json> => {
    const { url, api_key } = credentials(folder);
    const response = await fetch(`${url}/api/v1/${path}`, {
      headers: { 'x-api-key': api_key, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    assert.ok(response.ok, answer);
    return JSON.parse(answer) as Json;
  };
  const faults = (method: string, rules: object[]) =>
    fetch(`${provider}/_simulator/faults`, { method, ...(rules.length > 0 && { body: JSON.stringify({ rules }) }) });

  const first = startProgram(t, folder, { ...env, ALDIS_FAILPOINTS: 'redrive.before_commit=kill@2' });
  await first.ready;
  assert.ok((await faults('PUT', [{ kind: 'error', code: 131026 }])).ok);
  const messages = Array.from({ length: MANY }, (_, n) => ({ to: `+62814000${1000 + n}`, content: { text: 'Hi' } }));
  await ask('messages/batch', { messages });
  await until('all have failed', async () => (await ask('dead-letters')).dead_letters[0]?.count === MANY);
  assert.ok((await faults('DELETE', [])).ok);
  const { id } = await ask('dead-letters/redrive', { filter: { error_code: 131026 }, per_second: 12 });
  assert.equal((await first.ended).signal, 'SIGKILL');

  const second = startProgram(t, folder, { ...env, ALDIS_FAILPOINTS: 'redrive.after_commit=kill@2' });
  assert.equal((await second.ended).signal, 'SIGKILL');
  const third = startProgram(t, folder, env);
  await third.ready;
  await until('it is done', async () => (await ask(`redrives/${id}`)).state === 'done');
  assert.equal((await ask(`redrives/${id}`)).queued, MANY);
  const accepted = async () => {
    const response = await fetch(`${provider}/_simulator/messages?limit=1000`);
    return ((await response.json()) as Json).messages.map(({ to }) => to);
  };
  // A kill may have met one whose call had not left yet: nobody knows, and its grace is a minute.
  await until('all have left', async () => (await accepted()).length >= MANY, 120_000);
  assert.deepEqual((await ask('dead-letters')).dead_letters, []);
  assert.equal(new Set(await accepted()).size, MANY);
  third.kill('SIGTERM');
  await third.ended;
  assert.equal((await accepted()).length, MANY, 'each left once');
});
