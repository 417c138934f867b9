import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startFaultProxy } from '../../bench/src/fault-proxy.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from '../../server/test/boot/program.ts';
import { until } from '../../server/test/until.ts';
import { createClient } from '../src/client.ts';
import { openPage } from './browser-page.ts';

/* With ALDIS_TEST_BROWSER, the path of a Chromium: the client as modules of a page of another origin than Aldis's. */

const BROWSER = process.env['ALDIS_TEST_BROWSER'];

describe(`in a browser${BROWSER ? '' : ': not tried, for ALDIS_TEST_BROWSER names none'}`, () => {
  if (!BROWSER) return;
  test('a page reads by the API and is told by a socket, over a cut too', async (t) => {
    await using page = await openPage(BROWSER);
    const folder = dataFolder(t);
    const program = startProgram(t, folder, {
      ...(await suiteDatabase(t)),
      ALDIS_SERVER_CORS_ORIGINS: page.origin,
    });
    const url = await program.ready;
    const { api_key: apiKey } = credentials(folder);
    await using proxy = await startFaultProxy(Number(new URL(url).port));
    const ann = createClient({ url, apiKey, userId: 'ann' });
    const { body } = await ann.request('POST', '/api/v1/conversations', {
      body: { type: 'direct', participants: [{ user_id: 'ann' }, { user_id: 'ben' }] },
    });
    const say = (content: string) =>
      ann.request('POST', '/api/v1/messages', { body: { conversation_id: body.id, content } });

    const settings = JSON.stringify({ url: `http://127.0.0.1:${proxy.port}`, apiKey, userId: 'ben' });
    const user = await page.run(`(async () => {
      const { createClient } = await import('/client.ts');
      const { openSocket } = await import('/socket.ts');
      globalThis.client = createClient(${settings});
      globalThis.seen = [];
      globalThis.socket = openSocket({
        url: ${JSON.stringify(`http://127.0.0.1:${proxy.port}`)},
        getTicket: client.ticket,
        device: { id: 'page', platform: 'web' },
        timing: { first: 20, most: 200 },
      });
      socket.on('new_message', ({ message }) => seen.push(message.content));
      return new Promise((resolve) => socket.on('hello', (hello) => resolve(hello.user_id + ' ' + hello.device_id)));
    })()`);
    assert.equal(user, 'ben page');
    await say('one');
    const seen = async () => (await page.run('seen')) as string[];
    await until('one came', async () => (await seen()).length === 1);
    assert.ok(proxy.cut() > 0);
    await say('two');
    await until('two came', async () => (await seen()).length === 2);
    const answer = await page.run(
      `socket.send({ conversation_id: ${JSON.stringify(body.id)}, content: 'three' }).then(({ seq }) => seq)`,
    );
    assert.equal(answer, 3);
    await until('three came', async () => (await seen()).length === 3);
    assert.deepEqual(await seen(), ['one', 'two', 'three']);
    const read = await page.run(
      `client.request('GET', '/api/v1/conversations/{id}/messages', { params: { id: ${JSON.stringify(body.id)} } }).then(({ body }) => body.messages.length)`,
    );
    assert.equal(read, 3);
    const refused = await page.run(
      `client.request('GET', '/api/v1/conversations/{id}', { params: { id: 'none' } }).catch(({ code }) => code)`,
    );
    assert.equal(refused, 'not_found');
  });
});
