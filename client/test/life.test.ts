import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../bench/src/free-port.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from '../../server/test/boot/program.ts';
import { until } from '../../server/test/until.ts';
import { createClient } from '../src/client.ts';
import { type Gap, openSocket } from '../src/socket.ts';

test('clients live through a stop and a kill of the program: what was said is there once, and the stream has no gap', async (t) => {
  const folder = dataFolder(t);
  const settings = { ...(await suiteDatabase(t)), ALDIS_SERVER_PORT: String(await freePort()) };
  let program = startProgram(t, folder, settings);
  const url = await program.ready;
  const { api_key: apiKey } = credentials(folder);
  const ann = createClient({ url, apiKey, userId: 'ann' });
  const made = await ann.request('POST', '/api/v1/conversations', {
    body: { type: 'direct', participants: [{ user_id: 'ann' }, { user_id: 'ben' }] },
  });
  const conversation_id = made.body.id;

  const timing = { first: 20, most: 200 };
  const gaps: Gap[] = [];
  const seen: (string | null)[] = [];
  const [speaker, listener] = ['ann', 'ben'].map((userId) => {
    const client = createClient({ url, apiKey, userId });
    const socket = openSocket({ url, getTicket: client.ticket, timing, onGap: (gap) => gaps.push(gap) });
    t.after(() => socket.close());
    return socket;
  });
  assert.ok(speaker && listener);
  listener.on('new_message', ({ message }) => seen.push(message.content));
  await until('both are live', () => speaker.state === 'live' && listener.state === 'live');

  const said: Promise<unknown>[] = [];
  const wanted: string[] = [];
  const say = (many: number) => {
    for (let n = 0; n < many; n++) {
      const content = `text ${wanted.length}`;
      wanted.push(content);
      said.push(speaker.send({ conversation_id, content }));
    }
  };
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    say(10);
    await until('some came', () => seen.length > wanted.length - 10);
    program.kill(signal);
    say(5);
    await program.ended;
    say(5);
    program = startProgram(t, folder, settings);
    await program.ready;
  }
  await Promise.all(said);
  await until('all came', () => seen.length >= wanted.length);
  assert.deepEqual(seen, wanted);
  assert.deepEqual(gaps, []);
  const history = await ann.request('GET', '/api/v1/conversations/{id}/messages', {
    params: { id: conversation_id },
    query: { limit: 100 },
  });
  assert.equal(history.body.messages.length, wanted.length);
});
