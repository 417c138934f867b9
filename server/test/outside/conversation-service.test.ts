import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { conversationService } from '../../src/outside/conversation-service.ts';
import { type ConversationServer, conversationServer, says, takes } from '../fanout/conversation-server.ts';

let server: ConversationServer;
before(async () => {
  server = await conversationServer();
});
after(() => server.close());

const MESSAGE = { conversation_id: 'conv-1', sender_type: 'llm', content: 'Hello!', whatsapp_message_id: 'wamid.x' };
const never = new AbortController().signal;
const store = (signal = never, timeout = 2000) =>
  conversationService(server.url, timeout).store('tenant-1', MESSAGE, signal);

test('it posts what is documented', async () => {
  server.answer = takes;
  assert.deepEqual(await store(), { kind: 'stored' });
  assert.deepEqual(server.posted.at(-1), { tenant: 'tenant-1', path: '/api/v1/messages', body: MESSAGE });
});

describe('answers', () => {
  for (const [status, text, kind] of [
    [200, '{}', 'stored'],
    [204, '', 'stored'],
    [201, '', 'stored'],
    [409, '{"error":"duplicate"}', 'stored'],
    [200, '<html>log in</html>', 'away'],
    [302, '', 'away'],
    [400, '{}', 'refused'],
    [422, '', 'refused'],
    [413, '<html>too large</html>', 'refused'],
    [404, '{"error":"no such conversation"}', 'refused'],
    [404, '404 page not found', 'away'],
    [401, '{}', 'away'],
    [403, '{}', 'away'],
    [429, '{}', 'away'],
    [500, '{}', 'away'],
    [503, '<html></html>', 'away'],
  ] as const) {
    test(`${status} ${text}: ${kind}`, async () => {
      server.answer = says(status, text);
      assert.equal((await store()).kind, kind);
    });
  }
});

test('no answer in time, one without an end, one cut off, nobody there, and an end of ours: away', async () => {
  server.answer = () => {};
  assert.match(JSON.stringify(await store(never, 50)), /"away".*timeout/i);
  assert.equal((await store(AbortSignal.timeout(20))).kind, 'away');
  server.answer = (_posted, response) => {
    response.writeHead(200).write('x'.repeat(2 ** 21));
  };
  assert.match(JSON.stringify(await store()), /longer than 1 MiB/);
  server.answer = (_posted, response) => {
    response.writeHead(200).write('{"id"');
    setImmediate(() => response.destroy());
  };
  assert.equal((await store()).kind, 'away');
  const gone = await conversationServer();
  await gone.close();
  assert.equal((await conversationService(gone.url, 500).store('t', MESSAGE, never)).kind, 'away');
});
