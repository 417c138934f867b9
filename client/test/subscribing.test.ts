import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../server/test/until.ts';
import { AldisError } from '../src/api-error.ts';
import { openSocket } from '../src/socket.ts';
import { hello, type ScriptedConnection, startScripted } from './scripted-server.ts';

/* What the real server does only in a moment that cannot be waited for, done by one that is told to. */

const timing = { first: 2, most: 10, stable: 0 };
type Heard = ScriptedConnection['frames'][number];
const answer = (connection: ScriptedConnection, { payload }: Heard) =>
  connection.tell('subscribed', { client_id: payload['client_id'] });

test('after a cut what holds is told again before what was asked for since', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, frame, n) {
      const { types } = frame.payload as { types?: string[] };
      if (n === 1 && types?.[0] === 'message.*') connection.close(4001);
      else answer(connection, frame);
    },
  });
  const socket = openSocket({ url: server.url, timing });
  await socket.subscribe({ users: ['ben', 'cleo'], types: ['chat.*'] });
  const pending = [socket.subscribe({ types: ['message.*'] }), socket.unsubscribe(['cleo'])];
  await Promise.all(pending);
  assert.deepEqual(
    server.connections[1]?.frames.map(({ type, payload: { client_id, ...rest } }) => [type, rest]),
    [
      ['subscribe', { users: ['ben', 'cleo'], types: ['chat.*'] }],
      ['subscribe', { types: ['message.*'] }],
      ['unsubscribe', { users: ['cleo'] }],
    ],
  );
  socket.close();
});

test('it is told again also when nothing more may wait', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, frame, n) {
      if (frame.type === 'send') connection.close(4001);
      if (n === 1 || frame.type !== 'send') answer(connection, frame);
    },
  });
  const errors: unknown[] = [];
  const socket = openSocket({ url: server.url, timing, outbox: 1, onError: (error) => errors.push(error) });
  await socket.subscribe({ users: ['ben'] });
  const sending = socket.send({ conversation_id: 'c', content: 'hi' });
  sending.catch(() => {});
  await until('it was told again', () =>
    (server.connections[1]?.frames ?? []).some(
      ({ type, payload }) => type === 'subscribe' && payload['users'] !== null,
    ),
  );
  assert.deepEqual(errors, []);
  socket.close();
  await assert.rejects(sending, { code: 'closed' });
  assert.deepEqual(errors, []);
});

test('one of whom nothing may be known any more takes no other with him', async () => {
  await using server = await startScripted({
    opened: (connection) => hello(connection),
    heard(connection, frame, n) {
      const { users = [], client_id } = frame.payload as { users?: string[]; client_id: string };
      if (n === 1 || !users.includes('zoe')) return answer(connection, frame);
      const details = { field: 'payload.users', user_id: 'zoe' };
      connection.tell('error', {
        ...{ code: 'forbidden', message: 'No.', details, type: frame.type, client_id, retry_after: null },
      });
    },
  });
  const errors: unknown[] = [];
  const socket = openSocket({ url: server.url, timing, onError: (error) => errors.push(error) });
  await socket.subscribe({ users: ['ben', 'zoe', 'cleo'] });
  const usersTold = (n: number) => server.connections[n]?.frames.map(({ payload }) => payload['users']) ?? [];
  for (const n of [0, 1]) {
    server.connections[n]?.close(4001);
    await until('the others were told again', () => usersTold(n + 1).length === 2 - n);
  }
  assert.deepEqual(usersTold(1), [
    ['ben', 'zoe', 'cleo'],
    ['ben', 'cleo'],
  ]);
  assert.deepEqual(usersTold(2), [['ben', 'cleo']]);
  assert.equal(errors.length, 1);
  assert.equal((errors[0] as AldisError).code, 'forbidden');
  socket.close();
});

test('what a connection needs and cannot be had is told, each time', async () => {
  await using server = await startScripted({ opened: (connection) => hello(connection) });
  const errors: unknown[] = [];
  let asked = 0;
  const socket = openSocket({
    ...{ url: server.url, timing },
    async getTicket() {
      if (++asked === 1) throw new AldisError('Away.', { code: 'unreachable' });
      if (asked === 2) throw new TypeError('not a function');
      return 'ticket';
    },
    onError: (error) => errors.push(error),
  });
  await until('it is live', () => socket.state === 'live');
  assert.deepEqual(
    errors.map((error) => (error as Error).message),
    ['Away.', 'not a function'],
  );
  socket.close();
});

test('a handler of errors that throws stops nothing, and is told of as what nobody caught', async (t) => {
  const uncaught: unknown[] = [];
  const original = globalThis.queueMicrotask;
  t.mock.method(globalThis, 'queueMicrotask', (task: () => void) =>
    original(() => {
      try {
        task();
      } catch (error) {
        uncaught.push(error);
      }
    }),
  );
  await using server = await startScripted({
    opened(connection) {
      hello(connection);
      for (const n of [1, 2]) {
        const event = { cursor: `c${n}`, prev: `c${n - 1}` };
        connection.tell('new_message', { type: 'new_message', message: { id: `${n}` }, timestamp: '' }, event);
      }
    },
  });
  const heard: string[] = [];
  const socket = openSocket({
    ...{ url: server.url, timing },
    onError() {
      throw new Error('of the handler of errors');
    },
  });
  socket.on('new_message', () => {
    throw new Error('of a handler');
  });
  socket.on('new_message', ({ message }) => heard.push(message.id));
  await until('both came', () => uncaught.length === 2);
  assert.deepEqual(heard, ['1', '2']);
  assert.ok(uncaught.every((error) => /of the handler of errors/.test(String(error))));
  assert.equal(socket.state, 'live');
  socket.close();
});
