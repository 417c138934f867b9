import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { until } from '../until.ts';
import { direct, type SocketWorld, socketWorld, type TestInstance } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

const refusals: { name: string; frame: string; code: string; field?: string }[] = [
  { name: 'not JSON', frame: '{"type": ', code: 'malformed_json', field: 'frame' },
  { name: 'a list', frame: '[]', code: 'invalid_field', field: 'frame' },
  { name: 'null', frame: 'null', code: 'invalid_field', field: 'frame' },
  { name: 'no type', frame: '{}', code: 'missing_field', field: 'type' },
  { name: 'an unknown type', frame: '{"type":"shout"}', code: 'invalid_field', field: 'type' },
  { name: 'a type that every object has', frame: '{"type":"constructor"}', code: 'invalid_field', field: 'type' },
  { name: 'a field beside the payload', frame: '{"type":"ping","to":1}', code: 'unknown_field', field: 'to' },
  {
    name: 'a payload that is no object',
    frame: '{"type":"ping","payload":7}',
    code: 'invalid_field',
    field: 'payload',
  },
  {
    name: 'an unknown field',
    frame: '{"type":"typing","payload":{"conversation_id":"x","is_typing":true,"loud":true}}',
    code: 'unknown_field',
    field: 'payload.loud',
  },
  {
    name: 'a missing field',
    frame: '{"type":"read_receipt","payload":{}}',
    code: 'missing_field',
    field: 'payload.message_id',
  },
  {
    name: 'a field of another kind',
    frame: '{"type":"typing","payload":{"conversation_id":"x","is_typing":"yes"}}',
    code: 'invalid_field',
    field: 'payload.is_typing',
  },
  {
    name: 'a message that is not there',
    frame: '{"type":"read_receipt","payload":{"message_id":"x"}}',
    code: 'not_found',
  },
  {
    name: 'a conversation that is not there',
    frame: '{"type":"send","payload":{"client_id":"c","conversation_id":"x","content":"hi"}}',
    code: 'not_found',
  },
  {
    name: 'a mention that is none',
    frame:
      '{"type":"send","payload":{"client_id":"c","conversation_id":"x","content":"hi","mentions":[{"user_id":1}]}}',
    code: 'invalid_field',
    field: 'payload.mentions[0]',
  },
  {
    name: 'a kind of message that is none',
    frame: '{"type":"send","payload":{"client_id":"c","conversation_id":"x","content":"hi","message_type":"poem"}}',
    code: 'unsupported_type',
    field: 'payload.message_type',
  },
];

test('a frame that cannot be taken is answered by an error frame, and the socket stays', async () => {
  const { key } = await world.people();
  const socket = one.connect({ key, user: 'ann' });
  await socket.next('hello');
  for (const { name, frame, code, field } of refusals) {
    socket.ws.send(frame);
    const { payload } = await socket.next('error');
    assert.equal(payload['code'], code, name);
    if (field) assert.equal((payload['details'] as { field: string } | null)?.field, field, name);
    if (frame.includes('client_id')) assert.equal(payload['client_id'], 'c', name);
  }
  socket.send('ping');
  await socket.next('pong');
  socket.ws.close();
});

test('who is not in a conversation, may not write there, or is no author is told so', async () => {
  const { tenant, key } = await world.people();
  const { conversation } = await one.chat.create(tenant, 'ann', {
    type: 'group',
    participants: [{ user_id: 'ann' }, { user_id: 'ben', can_send_messages: false }],
  });
  const said = await one.chat.say(tenant, conversation.id, 'ann', TEXT, null);
  const message_id = said.kind === 'said' ? said.message.id : '';
  const ben = one.connect({ key, user: 'ben' });
  const zoe = one.connect({ key, user: 'zoe' });
  await Promise.all([ben.next('hello'), zoe.next('hello')]);
  const refused = async (socket: typeof ben, type: string, payload: object) => {
    socket.send(type, payload);
    return (await socket.next('error')).payload['code'];
  };
  const say = { client_id: 'c', conversation_id: conversation.id, content: 'hi' };
  assert.equal(await refused(ben, 'send', say), 'cannot_send_messages');
  assert.equal(await refused(zoe, 'send', say), 'not_participant');
  assert.equal(await refused(zoe, 'read_receipt', { message_id }), 'not_participant');
  assert.equal(await refused(ben, 'delete', { message_id }), 'not_yours');
  assert.equal(await refused(zoe, 'typing', { conversation_id: conversation.id, is_typing: true }), 'not_participant');
  const far = { ...say, mentions: [{ user_id: 'ann', offset: 50, length: 3 }] };
  assert.equal(await refused(ben, 'send', far), 'invalid_field');
  for (const socket of [ben, zoe]) socket.ws.close();
});

const TEXT = {
  sender_type: 'user',
  message_type: 'text',
  content: 'hello',
  mentions: [],
  parent_message_id: null,
  metadata: null,
  note: false,
} as const;

test('a frame too large, a binary one and one that is no UTF-8 close the socket with the codes of the protocol', async () => {
  const { key } = await world.people();
  const open = async () => {
    const socket = one.connect({ key, user: 'ann' });
    await socket.next('hello');
    return socket;
  };
  const large = await open();
  large.ws.send(JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(70_000) } }));
  assert.equal((await large.closed()).code, 1009);
  const binary = await open();
  binary.ws.send(Buffer.from('{"type":"ping"}'));
  assert.equal((await binary.closed()).code, 1003);
  const broken = await open();
  broken.ws.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false });
  assert.equal((await broken.closed()).code, 1007);
});

test('a thousand messages in a second: some are taken, the others refused, and who goes on is shut out; others notice nothing', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key, user: 'ben' });
  const cem = one.connect({ key, user: 'cem' });
  await Promise.all([ann.next('hello'), ben.next('hello'), cem.next('hello')]);
  for (let n = 0; n < 1000; n++) {
    ann.send('send', { client_id: `${n}`, conversation_id: conversation, content: `${n}` });
  }
  cem.send('ping');
  await cem.next('pong');
  assert.deepEqual(await ann.closed(), { code: 4502, reason: 'abuse' });
  const limited = ann.frames.filter((frame) => frame.payload?.['code'] === 'rate_limited');
  assert.ok(limited.length >= 50, `${limited.length} refused`);
  assert.ok(typeof limited[0]?.payload['retry_after'] === 'number');
  cem.send('ping');
  await cem.next('pong');
  const came = ben.events().filter((frame) => frame.type === 'new_message').length;
  assert.ok(came <= 100, `${came} came`);
  for (const socket of [ben, cem]) socket.ws.close();
});

test('a client that does not read is closed with "resume", and costs the others nothing', async () => {
  const small = await world.instance({ 'ws.client_buffer_size': 32 });
  const { tenant, key } = await world.people();
  const { conversation } = await small.chat.create(tenant, 'ann', {
    type: 'group',
    participants: [{ user_id: 'ann' }, { user_id: 'ben' }, { user_id: 'cem' }],
  });
  const ben = small.connect({ key, user: 'ben' });
  const cem = small.connect({ key, user: 'cem' });
  const [, hello] = await Promise.all([ben.next('hello'), cem.next('hello')]);
  cem.ws.pause();
  const content = 'x'.repeat(4000);
  const metadata = { filling: 'y'.repeat(12_000) };
  let said = 0;
  await until('the slow one was closed', async () => {
    const many = Array.from({ length: 20 }, () =>
      small.chat.say(tenant, conversation.id, 'ann', { ...TEXT, content, metadata }, null),
    );
    await Promise.all(many);
    said += 20;
    return /aldis_socket_closes_total\{code="too_slow"\} 1/.test(await small.metrics());
  });
  const messagesOf = (socket: typeof ben) => socket.events().filter((frame) => frame.type === 'new_message').length;
  await until('the quick one has all', () => messagesOf(ben) === said);
  cem.ws.resume();
  assert.deepEqual(await cem.closed(), { code: 4001, reason: 'too_slow' });
  const last = cem.events().at(-1)?.cursor ?? hello.payload['cursor'];
  const again = small.connect({ key, user: 'cem', query: `?after=${last}` });
  await again.next('resumed');
  assert.equal(messagesOf(cem) + messagesOf(again), said);
  for (const socket of [ben, again]) socket.ws.close();
  await small.stop();
});

test('a peer that answers no ping is dropped in 30 s; one that does stays', async () => {
  const { key } = await world.people();
  const at = await world.instance();
  const alive = at.connect({ key, user: 'ben' });
  await alive.next('hello');
  const url = new URL(at.url);
  const raw = net.connect(Number(url.port), url.hostname);
  raw.write(
    `GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${key}\r\nX-User-ID: ann\r\n\r\n`,
  );
  let came = Buffer.alloc(0);
  raw.on('data', (data: Buffer) => {
    came = Buffer.concat([came, data]);
  });
  const gone = new Promise((resolve) => raw.once('close', resolve));
  await until('it was upgraded', () => came.includes('101 Switching Protocols') && came.includes('hello'));
  let pings = 0;
  alive.ws.on('ping', () => pings++);
  at.pass(20_000);
  await until('both were pinged', () => pings > 0 && came.includes(Buffer.from([0x89, 0])));
  alive.send('ping');
  await alive.next('pong');
  assert.ok(!raw.destroyed);
  at.pass(10_000);
  await gone;
  assert.match(await at.metrics(), /aldis_socket_closes_total\{code="no_answer"\} 1/);
  alive.send('ping');
  await alive.next('pong');
  alive.ws.close();
  await at.stop();
});
