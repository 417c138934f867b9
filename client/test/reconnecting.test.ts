import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../server/test/until.ts';
import { AldisError } from '../src/api-error.ts';
import { type Gap, openSocket, type SocketOptions, type SocketState } from '../src/socket.ts';
import { hello, type ScriptedConnection, startScripted } from './scripted-server.ts';

/* What the real server does only when something is broken, done by one that is told to. */

const QUICK = { first: 2, most: 10, stable: 0 };
const message = (content: string) => ({ id: content, content });

function open(url: string, options: Partial<SocketOptions> = {}) {
  const gaps: Gap[] = [];
  const states: SocketState[] = [];
  const errors: unknown[] = [];
  const texts: (string | null)[] = [];
  const socket = openSocket({
    url,
    timing: QUICK,
    onGap: (gap) => gaps.push(gap),
    onState: (state) => states.push(state),
    onError: (error) => errors.push(error),
    ...options,
  });
  socket.on('new_message', ({ message: { content } }) => texts.push(content));
  return { socket, gaps, states, errors, texts };
}

function say(connection: ScriptedConnection, n: number, prev = n - 1): void {
  const payload = { type: 'new_message', message: message(`text ${n}`), timestamp: '' };
  connection.tell('new_message', payload, { cursor: `c${n}`, prev: `c${prev}` });
}

test('a break of the chain is mended by going back to the last cursor', async () => {
  await using server = await startScripted({
    opened(connection, n) {
      hello(connection);
      if (n === 1) {
        say(connection, 1);
        say(connection, 3);
        say(connection, 3, 2);
      } else {
        for (const next of [2, 3, 4]) say(connection, next);
      }
    },
  });
  const { socket, gaps, texts } = open(server.url);
  await until('four came', () => texts.length === 4);
  assert.deepEqual(texts, ['text 1', 'text 2', 'text 3', 'text 4']);
  assert.equal(server.connections[1]?.query.get('after'), 'c1');
  assert.equal(socket.cursor, 'c4');
  assert.deepEqual(gaps, []);
  socket.close();
});

test('a chain that cannot be mended is told of, and goes on', async () => {
  await using server = await startScripted({
    opened(connection) {
      hello(connection);
      if (!connection.query.has('after')) say(connection, 1);
      say(connection, 3, 2);
    },
  });
  const { socket, gaps, texts } = open(server.url);
  await until('it went on', () => texts.includes('text 3'));
  assert.deepEqual(gaps, [{ after: 'c1', code: null }]);
  assert.deepEqual(texts, ['text 1', 'text 3']);
  assert.equal(server.connections.length, 3);
  socket.close();
});

test('a server that goes on elsewhere than it was asked is a break too', async () => {
  await using server = await startScripted({
    opened(connection, n) {
      hello(connection, n === 2 ? 'c9' : undefined);
      if (n === 1) {
        say(connection, 1);
        connection.close(4003, 'unavailable');
      }
      if (n === 3) say(connection, 2);
    },
  });
  const { socket, gaps, texts } = open(server.url);
  await until('two came', () => texts.length === 2);
  assert.deepEqual([server.connections.length, gaps], [3, []]);
  socket.close();
});

test('the ranges of close codes are obeyed: resume, renew, begin anew, give up', async () => {
  const renewals: boolean[] = [];
  await using server = await startScripted({
    opened(connection, n) {
      if (n === 5) return connection.close(4500, 'refused');
      hello(connection);
      if (n === 1) say(connection, 1);
      connection.close([4001, 4200, 4201, 4299][n - 1] ?? 1000, 'for a reason');
    },
  });
  const { socket, gaps, states } = open(server.url, {
    headers(renew) {
      renewals.push(renew);
      return { authorization: `Bearer ${renewals.length}` };
    },
  });
  const ending = await socket.closed;
  assert.deepEqual(ending, { code: 4500, reason: 'refused', error: null });
  assert.equal(socket.state, 'closed');
  assert.deepEqual(
    server.connections.map(({ query }) => query.get('after')),
    [null, 'c1', 'c1', null, 'c0'],
  );
  assert.deepEqual(renewals, [false, false, true, false, true]);
  assert.equal(server.connections[2]?.headers['authorization'], 'Bearer 3');
  assert.deepEqual(gaps, [{ after: 'c1', code: 4201 }]);
  assert.deepEqual(states.slice(0, 4), ['live', 'waiting', 'connecting', 'live']);
});

test('a server that stops says how long to wait', async () => {
  let stopped = 0;
  let waited = 0;
  await using server = await startScripted({
    opened(connection, n) {
      hello(connection);
      if (n === 1) {
        stopped = performance.now();
        connection.close(4000, 'shutdown retry_after_ms=150');
      } else {
        waited = performance.now() - stopped;
      }
    },
  });
  const { socket } = open(server.url);
  await until('it came again', () => waited > 0);
  assert.ok(waited >= 150, `${waited} ms`);
  socket.close();
});

test('a silent server is asked, and left when it does not answer; one that answers is kept', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, frame, n) {
      if (frame.type === 'ping' && n === 2) connection.tell('pong');
    },
  });
  const { socket } = open(server.url, { timing: { ...QUICK, quiet: 60, answer: 100 } });
  await until('the second was asked', () => (server.connections[1]?.frames.length ?? 0) >= 3);
  assert.deepEqual(
    server.connections[0]?.frames.map(({ type }) => type),
    ['ping'],
  );
  assert.equal(server.connections.length, 2);
  assert.equal(socket.state, 'live');
  socket.close();
});

test('a connection that never says hello is given up', async () => {
  await using server = await startScripted({
    opened(connection, n) {
      if (n === 2) hello(connection);
    },
  });
  const { socket } = open(server.url, { timing: { ...QUICK, connect: 80 } });
  await until('the second is live', () => socket.state === 'live');
  assert.equal(server.connections.length, 2);
  socket.close();
});

test('what was said is written again until it is answered, by the same name and in order', async () => {
  const stored: string[] = [];
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, { type, payload }, n) {
      if (type !== 'send') return;
      const name = String(payload['client_id']);
      // The first is stored, and its answer lost.
      if (n === 1) {
        stored.push(name);
        return connection.ws.terminate();
      }
      if (!stored.includes(name)) stored.push(name);
      connection.tell('sent', { client_id: name, message: message(String(payload['content'])) });
    },
  });
  const { socket } = open(server.url);
  const said = await Promise.all(
    ['one', 'two', 'three'].map((content) => socket.send({ conversation_id: 'c', content })),
  );
  assert.deepEqual(
    said.map(({ content }) => content),
    ['one', 'two', 'three'],
  );
  const written = server.connections.flatMap(({ frames }) => frames.map(({ payload }) => payload['content']));
  assert.deepEqual(written, ['one', 'one', 'two', 'three']);
  assert.equal(stored.length, 3);
  socket.close();
});

test('what was refused for a moment is said again after it, before what comes behind it', async () => {
  let refused = false;
  const order: unknown[] = [];
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, { type, payload: { client_id, content } }) {
      if (content === 'wrong') {
        connection.tell('error', {
          code: 'closed_conversation',
          message: 'No.',
          details: null,
          type,
          client_id,
          retry_after: null,
        });
      } else if (!refused) {
        refused = true;
        connection.tell('error', {
          code: 'rate_limited',
          message: 'Slowly.',
          details: null,
          type,
          client_id,
          retry_after: 0.05,
        });
      } else {
        order.push(content);
        connection.tell('sent', { client_id, message: message(String(content)) });
      }
    },
  });
  const { socket, errors } = open(server.url);
  const wrong = socket.send({ conversation_id: 'd', content: 'wrong' });
  const said = ['one', 'two'].map((content) => socket.send({ conversation_id: 'c', content }));
  await assert.rejects(wrong, { code: 'closed_conversation' });
  await Promise.all(said);
  assert.deepEqual(order, ['one', 'two']);
  assert.deepEqual(errors, []);
  socket.close();
});

test('a frame that the server is too small for is refused, and the rest goes on', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, { payload }) {
      connection.tell('sent', { client_id: payload['client_id'], message: message('fits') });
    },
  });
  const { socket } = open(server.url);
  const large = socket.send({ conversation_id: 'c', content: 'x'.repeat(100_000) });
  const small = socket.send({ conversation_id: 'd', content: 'small' });
  await assert.rejects(large, { code: 'payload_too_large' });
  assert.equal((await small).content, 'fits');
  socket.close();
});

test('the outbox is bounded, and what waits in it is told of the end', async () => {
  await using server = await startScripted({ opened() {} });
  const { socket } = open(server.url, { outbox: 2 });
  const waiting = [1, 2].map((n) => socket.send({ conversation_id: 'c', content: `text ${n}` }, `name-${n}`));
  await assert.rejects(socket.send({ conversation_id: 'c', content: 'more' }), { code: 'outbox_full' });
  await assert.rejects(socket.send({ conversation_id: 'c', content: 'again' }, 'name-1'), { code: 'invalid_field' });
  socket.close();
  for (const one of waiting) await assert.rejects(one, { code: 'closed' });
  await assert.rejects(socket.send({ conversation_id: 'c', content: 'late' }), { code: 'closed' });
  await assert.rejects(socket.react('m', '👍'), { code: 'closed' });
  assert.deepEqual(await socket.closed, { code: 1000, reason: '', error: null });
});

test('what may be done once only is not done again after a cut', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, _frame, n) {
      if (n === 1) connection.ws.terminate();
    },
  });
  const { socket } = open(server.url);
  await assert.rejects(socket.edit('m', 'new'), { code: 'connection_lost' });
  await until('it is live again', () => server.connections.length === 2 && socket.state === 'live');
  assert.deepEqual(server.connections[1]?.frames, []);
  socket.close();
});

test('receipts are gathered, and written again until a later pong has proved that they came', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, { type }, n) {
      if (type === 'ping' && n === 2) connection.tell('pong');
      if (type === 'ping' && n === 3) connection.ws.terminate();
      if (type === 'read_receipt' && n === 1) connection.ws.terminate();
      if (type === 'ping' && n === 2 && connection.frames.length > 3) connection.ws.terminate();
    },
  });
  const { socket } = open(server.url, { timing: { ...QUICK, quiet: 50, answer: 500 } });
  for (const n of [1, 2, 3]) socket.read('c', `m${n}`);
  await until('a third connection was asked', () => (server.connections[2]?.frames.length ?? 0) >= 1);
  const receipts = server.connections.map(({ frames }) =>
    frames.filter(({ type }) => type === 'read_receipt').map(({ payload }) => payload['message_id']),
  );
  assert.deepEqual(receipts.slice(0, 3), [['m3'], ['m3'], []]);
  socket.close();
});

test('who reads and closes the socket at once has read', async () => {
  await using server = await startScripted({ opened: (connection) => hello(connection) });
  const { socket } = open(server.url);
  await until('it is live', () => socket.state === 'live');
  socket.read('c', 'm1');
  socket.read('c', 'm2');
  socket.close();
  await until('it came', () => server.connections[0]?.frames.length === 1);
  assert.equal(server.connections[0]?.frames[0]?.payload['message_id'], 'm2');
});

test('typing is told at most every three seconds, and its end once', async () => {
  await using server = await startScripted({ opened: (connection) => hello(connection) });
  const { socket } = open(server.url);
  socket.typing('c');
  await until('it is live', () => socket.state === 'live');
  for (let n = 0; n < 10; n++) socket.typing('c');
  socket.typing('c', false);
  socket.typing('c', false);
  socket.typing('d');
  await until('three came', () => server.connections[0]?.frames.length === 3);
  assert.deepEqual(
    server.connections[0]?.frames.map(({ payload }) => payload),
    [
      { conversation_id: 'c', is_typing: true },
      { conversation_id: 'c', is_typing: false },
      { conversation_id: 'd', is_typing: true },
    ],
  );
  socket.close();
});

test('what is subscribed to is told to each new connection', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, { payload, type }) {
      connection.tell('subscribed', { client_id: payload['client_id'] });
      if (type === 'unsubscribe') connection.close(4001);
    },
  });
  const { socket } = open(server.url);
  await socket.subscribe({ users: ['ben', 'cleo'] });
  await socket.subscribe({ types: ['chat.*'] });
  await socket.unsubscribe(['cleo']);
  await until('it was told again', () => (server.connections[1]?.frames.length ?? 0) > 0);
  const [told] = server.connections[1]?.frames ?? [];
  assert.equal(told?.type, 'subscribe');
  assert.deepEqual([told?.payload['users'], told?.payload['types']], [['ben'], ['chat.*']]);
  socket.close();
});

test('a ticket that is denied closes it for good; one that cannot be had now is asked for again', async () => {
  await using server = await startScripted({ opened: (connection) => hello(connection) });
  let asked = 0;
  const { socket } = open(server.url, {
    async getTicket() {
      if (++asked === 1) throw new AldisError('Away.', { code: 'unreachable' });
      if (asked === 3) throw new AldisError('No.', { code: 'forbidden', status: 403 });
      return `ticket-${asked}`;
    },
    device: { id: 'phone 1', platform: 'web', appVersion: '1.0' },
  });
  await until('it is live', () => socket.state === 'live');
  assert.deepEqual(Object.fromEntries(server.connections[0]?.query ?? []), {
    ticket: 'ticket-2',
    device_id: 'phone 1',
    platform: 'web',
    app_version: '1.0',
  });
  server.connections[0]?.close(4001);
  const { code, reason, error } = await socket.closed;
  assert.deepEqual([code, reason], [0, 'forbidden']);
  assert.ok(error instanceof AldisError);
});

test('a handler that throws, and frames that are none, stop nothing', async () => {
  await using server = await startScripted({
    opened(connection) {
      connection.ws.send('no JSON');
      connection.ws.send(Buffer.from('binary'), { binary: true });
      connection.ws.send('null');
      hello(connection);
      connection.tell('something_new', { x: 1 });
      say(connection, 1);
      connection.tell('error', {
        code: 'invalid_field',
        message: 'No.',
        details: null,
        type: 'typing',
        client_id: null,
        retry_after: null,
      });
    },
  });
  const { socket, errors, texts } = open(server.url);
  const off = socket.on('hello', () => {
    throw new Error('my own');
  });
  await until('all came', () => errors.length === 2);
  assert.deepEqual(texts, ['text 1']);
  assert.match(String(errors[0]), /my own/);
  assert.equal((errors[1] as AldisError).code, 'invalid_field');
  off();
  socket.close();
});

test('a wrong address is told at once', () => {
  assert.throws(() => openSocket({ url: 'nowhere' }), TypeError);
});
