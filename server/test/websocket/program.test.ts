import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { credentials, dataFolder, startProgram, suiteDatabase } from '../boot/program.ts';
import { until } from '../until.ts';

test('the program takes sockets on its own port, and tells them when it stops', async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, await suiteDatabase(t));
  await program.ready;
  const { url, api_key } = credentials(folder);
  const ask = async (path: string, body: object) => {
    const headers = { 'x-api-key': api_key, 'x-user-id': 'ann', 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, unknown>;
  };
  const made = await ask('/api/v1/conversations', {
    type: 'direct',
    participants: [{ user_id: 'ann' }, { user_id: 'ben' }],
  });
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
    headers: { 'x-api-key': api_key, 'x-user-id': 'ben', 'x-device-id': 'phone' },
  });
  const frames: { type: string; payload: { message?: { content: string } } }[] = [];
  ws.on('message', (data) => frames.push(JSON.parse(String(data))));
  const closed = once(ws, 'close');
  await until('it is open', () => frames[0]?.type === 'hello');
  await ask('/api/v1/messages', { conversation_id: made['id'], content: 'Hello', message_type: 'text' });
  await until('the message came', () => frames.some((frame) => frame.payload?.message?.content === 'Hello'));
  const presenceFor = (user: string) =>
    fetch(`${url}/api/v1/users/ben/presence`, { headers: { 'x-api-key': api_key, 'x-user-id': user } });
  await until('he is there for who talks with him', async () => {
    const presence = await presenceFor('ann');
    assert.equal(presence.status, 200);
    return ((await presence.json()) as { online: boolean }).online;
  });
  assert.equal((await presenceFor('zoe')).status, 403);
  // What asks for another protocol than a socket is answered as if it had not asked.
  const other = request(`${url}/health`, { headers: { connection: 'Upgrade', upgrade: 'h2c' } }).end();
  const [answer] = (await once(other, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  answer.resume();
  // As a proxy asks that does not pass the header on.
  const bare = await fetch(`${url}/ws`);
  assert.equal(bare.status, 404);
  assert.match(((await bare.json()) as { message: string }).message, /Upgrade: websocket\. A proxy/);
  program.kill('SIGTERM');
  const [code, reason] = await closed;
  assert.equal(code, 4000);
  assert.match(String(reason), /^shutdown retry_after_ms=\d+$/);
  assert.equal((await program.ended).code, 0);
});
