import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { until } from '../until.ts';
import { direct, type SocketWorld, socketWorld, type TestInstance } from './socket-world.ts';

/** The examples of the documents run as they are written, with the address and the key of the test in their place. */
let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

const PAGE = new URL('../../../docs/websocket.md', import.meta.url);
const TEXT = { sender_type: 'user', message_type: 'text', content: 'Hello', mentions: [], note: false } as const;

test("the page's own example runs as it is written", async () => {
  const { tenant } = await world.tenant();
  const { key } = await world.key(tenant);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const example = /```javascript\n(.+?)```/s.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
  assert.match(example, /new WebSocket/);
  const body = example.replace(/^import .+$/m, '').replace('ws://localhost:8080', one.url);
  const printed: unknown[] = [];
  const run = new Function('WebSocket', 'KEY', 'console', `${body}\nreturn ws;`);
  const ws: WebSocket = run(WebSocket, key, { log: (...words: unknown[]) => printed.push(...words) });
  await until('it is connected', () => printed.includes('Connected'));
  const said = await one.chat.say(
    tenant,
    conversation,
    'ben',
    { ...TEXT, parent_message_id: null, metadata: null },
    null,
  );
  const id = said.kind === 'said' ? said.message.id : '';
  await until('it prints what was said', () => printed.includes('Hello'));
  await until('it has told that it read it', async () => {
    const { participants } = await readMarks(tenant, conversation);
    return participants.some((one) => one.user_id === 'ann' && one.read_seq === 1);
  });
  assert.notEqual(id, '');
  ws.close();
});

test("chat-service's example runs as it is documented, with the key as one header more", async () => {
  const { tenant } = await world.tenant();
  const { key } = await world.key(tenant);
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const printed: unknown[] = [];
  const ws = new WebSocket(`${one.url}/ws`, {
    headers: {
      'X-User-ID': 'ann',
      'X-Device-ID': 'web-device-1',
      'X-API-Key': key,
    },
  });
  ws.onopen = () => printed.push('Connected');
  ws.onmessage = (event) => printed.push(JSON.parse(String(event.data)));
  await until('it is connected', () => printed.includes('Connected'));
  const said = await one.chat.say(
    tenant,
    conversation,
    'ben',
    { ...TEXT, parent_message_id: null, metadata: null },
    null,
  );
  const message_id = said.kind === 'said' ? said.message.id : '';
  await until('the message came', () => JSON.stringify(printed).includes(message_id));
  ws.send(JSON.stringify({ type: 'read_receipt', payload: { message_id } }));
  await until('it is read', async () => {
    const { participants } = await readMarks(tenant, conversation);
    return participants.some((one) => one.user_id === 'ann' && one.read_seq === 1);
  });
  ws.send(JSON.stringify({ type: 'typing', payload: { conversation_id: conversation, is_typing: true } }));
  ws.send(JSON.stringify({ type: 'ping' }));
  await until('the pong came', () => JSON.stringify(printed).includes('{"type":"pong"}'));
  ws.close();
});

async function readMarks(tenant: string, conversation: string) {
  const participants = await world.db.query<{ user_id: string; read_seq: number }>(
    {
      name: 'test_marks',
      text: 'select user_id, read_seq from participants where tenant_id = $1 and conversation_id = $2',
    },
    [tenant, conversation],
  );
  return { participants };
}
