import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

test('a configured webhook gets what is sent, and a stop lasts over a restart', async (t) => {
  const got: { headers: IncomingHttpHeaders; body: { to: string; content: string; message_id: string } }[] = [];
  const hook = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(text) });
      response.writeHead(202).end(JSON.stringify({ message: 'Accepted', messageId: `hook-${got.length}` }));
    });
  });
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  t.after(() => {
    hook.close();
    hook.closeAllConnections();
  });
  const env = {
    ...(await suiteDatabase(t)),
    ALDIS_WEBHOOK_CHANNEL_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/in`,
    ALDIS_WEBHOOK_CHANNEL_API_KEY: 'the key of the hook',
    ALDIS_OUTGOING_ALLOWED_NETWORKS: '127.0.0.1',
    ALDIS_SIMULATOR_ENABLED: 'false',
  };
  const folder = dataFolder(t);
  let program = startProgram(t, folder, env);
  await program.ready;

  const ask = async (method: string, path: string, body?: object) => {
    const { url, api_key } = credentials(folder);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': api_key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const send = (text: string) => ask('POST', '/api/v1/messages', { to: '+6281234567890', content: { text } });
  const stateOf = async (id = '') => (await ask('GET', `/api/v1/messages/${id}`)).body['state'];

  const first = await send('Hello');
  assert.equal(first.status, 202);
  await until('it is sent', async () => (await stateOf(first.body['id'])) === 'sent');
  assert.equal(got.length, 1);
  assert.deepEqual(got[0]?.body, { to: '+6281234567890', content: 'Hello', message_id: first.body['id'] });
  assert.equal(got[0].headers['x-api-key'], 'the key of the hook');
  assert.equal(got[0].headers['idempotency-key'], first.body['id']);

  const stopped = await ask('POST', '/processor/stop');
  assert.deepEqual(stopped, { status: 200, body: { message: 'message processor stopped' } });
  const held = await send('Later');
  program.kill('SIGTERM');
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  program = startProgram(t, folder, env);
  await program.ready;
  assert.equal(await stateOf(held.body['id']), 'queued');
  assert.equal(got.length, 1);
  await ask('POST', '/processor/start');
  await until('it is sent in the end', async () => (await stateOf(held.body['id'])) === 'sent');
  const { body: list } = await ask('GET', '/processor/sent-messages?limit=2');
  assert.deepEqual(
    (list as unknown as { webhookMessageId: string; content: string }[]).map((sent) => [
      sent.webhookMessageId,
      sent.content,
    ]),
    [
      ['hook-2', 'Later'],
      ['hook-1', 'Hello'],
    ],
  );
});
