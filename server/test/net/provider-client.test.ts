import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { NotSent, type ProviderClient, type ProviderRequest, providerClient } from '../../src/net/provider-client.ts';

/** A provider that answers as it is told. Gives its address, what it got, and on how many connections. */
async function provider(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, n: number) => void,
) {
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => answer(request, response, bodies.push(body)));
  });
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, bodies, sockets, count: () => connections };
}

function client(t: TestContext, origin: string, { connections = 4, timeout = 2000 } = {}): ProviderClient {
  const made = providerClient({ origin, connections, timeout });
  t.after(() => made.close());
  return made;
}

const request = (more: Partial<ProviderRequest> = {}): ProviderRequest => ({
  path: '/v26.0/1/messages',
  headers: { 'content-type': 'application/json' },
  body: '{"text":"Hällo"}',
  stop: () => null,
  ...more,
});

const notSent = (error: unknown) => error instanceof NotSent;
const maybeSent = (error: unknown) => error instanceof Error && !(error instanceof NotSent);

test('a request is posted as it is, and its answer given whole', async (t) => {
  const { origin, bodies } = await provider(t, (asked, response) => {
    assert.deepEqual(
      [asked.method, asked.url, asked.headers['authorization']],
      ['POST', '/v26.0/1/messages', 'Bearer x'],
    );
    response.writeHead(400, { 'retry-after': '7' });
    response.write('{"a":');
    response.end('"ä"}');
  });
  let sent = 0;
  const headers = { 'content-type': 'application/json', authorization: 'Bearer x' };
  const answer = await client(t, origin).post(request({ headers, sent: () => sent++ }));
  assert.deepEqual([answer.status, answer.headers['retry-after'], answer.body], [400, '7', '{"a":"ä"}']);
  assert.deepEqual(bodies, ['{"text":"Hällo"}']);
  assert.equal(sent, 1);
});

test('where nobody listens, and where there is no such host, nothing was sent', async (t) => {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  await assert.rejects(client(t, `http://127.0.0.1:${port}`).post(request()), notSent);
  await assert.rejects(client(t, 'http://no-such-host.invalid').post(request()), notSent);
});

test('a reason to stop is asked for right before the write, and then nothing leaves', async (t) => {
  const { origin, bodies } = await provider(t, (_asked, response) => response.end('{}'));
  const { post } = client(t, origin, { connections: 1 });
  let reason: string | null = null;
  // The one connection is busy when this is asked for: it is stopped when its turn comes.
  const first = post(request({ sent: () => (reason = 'the lease is over') }));
  const second = post(request({ stop: () => reason }));
  await first;
  await assert.rejects(
    second,
    (error) => notSent(error) && error instanceof Error && /the lease is over/.test(error.message),
  );
  await post(request());
  assert.equal(bodies.length, 2);
});

test('a connection cut after the request, in the middle of the answer, or by a reset may have sent it, and is not repeated', async (t) => {
  const cuts: ((response: ServerResponse) => void)[] = [
    (response) => response.socket?.destroy(),
    (response) => response.socket?.resetAndDestroy(),
    (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"mess');
      setImmediate(() => response.socket?.destroy());
    },
  ];
  for (const cut of cuts) {
    const { origin, bodies } = await provider(t, (_asked, response) => cut(response));
    await assert.rejects(client(t, origin).post(request()), maybeSent);
    assert.equal(bodies.length, 1);
  }
});

test('a reset of a connection that was used before may have sent it, too', async (t) => {
  const { origin, bodies, count } = await provider(t, (_asked, response, n) => {
    if (n === 2) response.socket?.resetAndDestroy();
    else response.end('{}');
  });
  const { post } = client(t, origin, { connections: 1 });
  await post(request());
  await assert.rejects(post(request()), maybeSent);
  await post(request());
  assert.deepEqual([bodies.length, count()], [3, 2]);
});

test('a connection that the provider closed while it was idle is replaced without a word', async (t) => {
  const { origin, bodies, sockets, count } = await provider(t, (_asked, response) => response.end('{}'));
  const { post } = client(t, origin, { connections: 1 });
  await post(request());
  const [socket] = sockets;
  assert.ok(socket);
  socket.end();
  await once(socket, 'close');
  await post(request());
  assert.deepEqual([bodies.length, count()], [2, 2]);
});

test('connections are kept and no more are opened than allowed', async (t) => {
  const { origin, bodies, count } = await provider(t, (_asked, response) => response.end('{}'));
  const { post } = client(t, origin, { connections: 3 });
  await Promise.all(Array.from({ length: 60 }, () => post(request())));
  await post(request());
  assert.equal(bodies.length, 61);
  assert.ok(count() <= 3, `${count()} connections`);
});

test('an answer that is late, stands still, or is no HTTP may hide an accepted message', async (t) => {
  const slow = await provider(t, () => {});
  await assert.rejects(client(t, slow.origin, { timeout: 100 }).post(request()), maybeSent);
  const stuck = await provider(t, (_asked, response) => {
    response.writeHead(200);
    response.write('{');
  });
  await assert.rejects(client(t, stuck.origin, { timeout: 100 }).post(request()), maybeSent);
  const garbage = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('\0\0 this is not HTTP\r\n\r\n'));
  });
  garbage.listen(0, '127.0.0.1');
  await once(garbage, 'listening');
  t.after(() => garbage.close());
  const { port } = garbage.address() as AddressInfo;
  await assert.rejects(client(t, `http://127.0.0.1:${port}`).post(request()), maybeSent);
});

test('an answer that is too big is cut off', async (t) => {
  const { origin } = await provider(t, (_asked, response) => {
    response.on('error', () => {});
    response.end('x'.repeat(2 << 20));
  });
  await assert.rejects(client(t, origin).post(request()), maybeSent);
});

test('a redirect is an answer like any other', async (t) => {
  const { origin, bodies } = await provider(t, (_asked, response) => {
    response.writeHead(307, { location: '/elsewhere' });
    response.end();
  });
  assert.equal((await client(t, origin).post(request())).status, 307);
  assert.equal(bodies.length, 1);
});

test('closing waits for what is under way', async (t) => {
  const arrived = Promise.withResolvers<ServerResponse>();
  const { origin } = await provider(t, (_asked, response) => arrived.resolve(response));
  const made = providerClient({ origin, connections: 1, timeout: 2000 });
  const answer = made.post(request());
  const response = await arrived.promise;
  const closed = made.close();
  await assert.rejects(made.post(request()), notSent);
  response.end('{}');
  assert.equal((await answer).status, 200);
  await closed;
});
