import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { type GuardedFetch, type GuardedFetchOptions, guardedFetch } from '../../src/net/guarded-fetch.ts';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';
import { NotSent } from '../../src/net/provider-client.ts';

/** A server that answers as it is told. Gives its port, what was asked of it, and how many connections there were. */
async function server(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host = '127.0.0.1',
) {
  const asked: { host: string | undefined; path: string | undefined; body: string; headers: NodeJS.Dict<unknown> }[] =
    [];
  let connections = 0;
  const listening = createServer((request, response) => {
    response.on('error', () => {});
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      asked.push({ host: request.headers.host, path: request.url, body, headers: request.headers });
      answer(request, response);
    });
  });
  listening.on('connection', () => connections++);
  listening.listen(0, host);
  await once(listening, 'listening');
  t.after(() => {
    listening.close();
    listening.closeAllConnections();
  });
  return { port: (listening.address() as AddressInfo).port, asked, connections: () => connections };
}

function client(t: TestContext, change: Partial<GuardedFetchOptions> = {}): GuardedFetch {
  const made = guardedFetch({ guard: addressGuard(['127.0.0.1']), connections: 4, timeout: 2000, ...change });
  t.after(() => made.close());
  return made;
}

const to = (url: string, stop?: () => string | null) => ({
  method: 'POST' as const,
  url,
  headers: { 'content-type': 'application/json' },
  body: '{"to":"Zoë"}',
  ...(stop && { stop }),
});

const notSent = (about: RegExp) => (error: unknown) => error instanceof NotSent && about.test(error.message);
const maybeSent = (error: unknown) => error instanceof Error && !(error instanceof NotSent);

test('a request is made as it is, by its name, at the address that was checked', async (t) => {
  const { port, asked } = await server(t, (_request, response) => {
    response.writeHead(201, { 'x-a': 'b' });
    response.end('{"messageId":"ä"}');
  });
  const { send } = client(t, { resolve: async () => ['127.0.0.1'] });
  const answer = await send(to(`http://hooks.example:${port}/in?a=1`));
  assert.deepEqual(
    [answer.status, answer.headers['x-a'], answer.body, answer.cut],
    [201, 'b', '{"messageId":"ä"}', null],
  );
  assert.deepEqual(
    asked.map(({ host, path, body }) => [host, path, body]),
    [[`hooks.example:${port}`, '/in?a=1', '{"to":"Zoë"}']],
  );
});

test('what leads to this machine is not called, however it is written', async (t) => {
  const { port, connections } = await server(t, (_request, response) => response.end());
  const { send } = client(t, { guard: addressGuard([]) });
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '１２７.０.０.１',
    'localhost',
    'LOCALHOST',
  ];
  for (const host of hosts)
    await assert.rejects(send(to(`http://${host}:${port}/`)), notSent(/may not be called/), host);
  assert.equal(connections(), 0);
});

test('every address of a name is checked, not only the first', async (t) => {
  const { send } = client(t, { guard: addressGuard([]), resolve: async () => ['1.1.1.1', '169.254.169.254'] });
  await assert.rejects(send(to('http://mixed.example/')), notSent(/169\.254\.169\.254.*link-local/));
});

test('a name that leads elsewhere a moment later changes nothing for the connection that was checked', async (t) => {
  const { port, asked } = await server(t, (_request, response) => response.end());
  const elsewhere = await server(t, (_request, response) => response.end(), '127.0.0.2');
  let lookups = 0;
  const answers = [['127.0.0.1'], ['127.0.0.2']];
  const { send } = client(t, { resolve: async () => answers[lookups++] ?? ['127.0.0.2'] });
  await send(to(`http://rebind.example:${port}/`));
  await send(to(`http://rebind.example:${port}/`));
  assert.deepEqual([asked.length, lookups], [2, 1], 'what was looked up is what is called');
  // Looked up anew, its new address is checked, whatever connections are open.
  const later = client(t, { resolve: async () => ['127.0.0.2'] });
  await assert.rejects(later.send(to(`http://rebind.example:${port}/`)), notSent(/127\.0\.0\.2.*loopback/));
  assert.equal(elsewhere.connections(), 0);
});

test('a name that the operator allowed may lead anywhere', async (t) => {
  const { port, asked } = await server(t, (_request, response) => response.end());
  const { send } = client(t, { guard: addressGuard(['localhost']), resolve: async () => ['127.0.0.1'] });
  await send(to(`http://localhost:${port}/`));
  assert.equal(asked.length, 1);
  await assert.rejects(send(to(`http://127.0.0.1:${port}/`)), notSent(/loopback/));
});

test('only http and https, and no names and passwords', async (t) => {
  const { send } = client(t);
  const urls: [string, RegExp][] = [
    ['ftp://127.0.0.1/', /neither/],
    ['file:///etc/passwd', /neither/],
    ['data:,x', /neither/],
    ['//127.0.0.1/', /not valid/],
    ['http://', /not valid/],
    ['http://127.0.0.1:99999/', /not valid/],
    ['http://user:secret@127.0.0.1/', /name or a password/],
    ['http://user@127.0.0.1/', /name or a password/],
  ];
  for (const [url, about] of urls) await assert.rejects(send(to(url)), notSent(about), url);
});

test('a name that cannot be looked up, or not in time, is no request', async (t) => {
  const failing = client(t, { resolve: () => Promise.reject(new Error('SERVFAIL')) });
  await assert.rejects(failing.send(to('http://a.example/')), notSent(/SERVFAIL/));
  const empty = client(t, { resolve: async () => [] });
  await assert.rejects(empty.send(to('http://a.example/')), notSent(/no address/));
  const slow = client(t, { timeout: 50, resolve: () => new Promise(() => {}) });
  await assert.rejects(slow.send(to('http://a.example/')), notSent(/in time/));
  const odd = client(t, { resolve: async () => ['nonsense'] });
  await assert.rejects(odd.send(to('http://a.example/')), notSent(/nonsense/));
});

test('a redirect is an answer, and is not followed', async (t) => {
  const inside = await server(t, (_request, response) => response.end('secret'));
  const { port } = await server(t, (_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${inside.port}/` });
    response.end();
  });
  const { status, body } = await client(t).send(to(`http://127.0.0.1:${port}/`));
  assert.deepEqual([status, body, inside.connections()], [307, '', 0]);
});

test('an answer that drips is cut when the time is over; with its head it is still known', async (t) => {
  const silent = await server(t, () => {});
  await assert.rejects(client(t, { timeout: 100 }).send(to(`http://127.0.0.1:${silent.port}/`)), maybeSent);
  const timers: NodeJS.Timeout[] = [];
  t.after(() => timers.forEach(clearInterval));
  const dripping = await server(t, (_request, response) => {
    response.writeHead(200);
    timers.push(setInterval(() => response.write('x'), 10));
  });
  const { status, cut } = await client(t, { timeout: 200 }).send(to(`http://127.0.0.1:${dripping.port}/`));
  assert.equal(status, 200);
  assert.match(cut ?? '', /time/);
  const headers = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n');
    timers.push(setInterval(() => socket.write('x: y\r\n'), 10));
  });
  headers.listen(0, '127.0.0.1');
  await once(headers, 'listening');
  t.after(() => headers.close());
  const { port } = headers.address() as AddressInfo;
  await assert.rejects(client(t, { timeout: 200 }).send(to(`http://127.0.0.1:${port}/`)), maybeSent);
});

test('a body is read up to its limit, and a compressed one stays as it is', async (t) => {
  const endless = await server(t, (_request, response) => {
    response.writeHead(200);
    const pour = () => {
      while (response.write('x'.repeat(65_536)));
      response.once('drain', pour);
    };
    pour();
  });
  const answer = await client(t, { longestBody: 100_000 }).send(to(`http://127.0.0.1:${endless.port}/`));
  assert.ok(answer.status === 200 && answer.body.length <= 100_000);
  assert.match(answer.cut ?? '', /longer/);
  const bomb = gzipSync(Buffer.alloc(10 << 20));
  const packed = await server(t, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(bomb);
  });
  const kept = await client(t).send(to(`http://127.0.0.1:${packed.port}/`));
  assert.ok(kept.body.length <= bomb.length);
  assert.equal(packed.asked[0]?.headers['accept-encoding'], 'identity');
});

test('a head that is too long may have been an answer', async (t) => {
  const { port } = await server(t, (_request, response) => {
    response.writeHead(200, { 'x-long': 'x'.repeat(20_000) });
    response.end();
  });
  await assert.rejects(client(t).send(to(`http://127.0.0.1:${port}/`)), maybeSent);
});

test('where nobody listens nothing was sent; a connection cut after the request may have sent it', async (t) => {
  const gone = createTcpServer();
  gone.listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  await assert.rejects(client(t).send(to(`http://127.0.0.1:${port}/`)), (error) => error instanceof NotSent);
  const cutting = await server(t, (request) => request.socket.destroy());
  await assert.rejects(client(t).send(to(`http://127.0.0.1:${cutting.port}/`)), maybeSent);
});

test('a reason to stop keeps the request back, and so does a header that is none', async (t) => {
  const { port, asked } = await server(t, (_request, response) => response.end());
  const { send } = client(t);
  await assert.rejects(send(to(`http://127.0.0.1:${port}/`, () => 'the lease is over')), notSent(/the lease is over/));
  const forged = { ...to(`http://127.0.0.1:${port}/`), headers: { 'x-key': 'a\r\nx-other: b' } };
  await assert.rejects(send(forged), (error) => error instanceof NotSent);
  assert.equal(asked.length, 0);
});

test('connections are kept for the same name at the same address, and for no other', async (t) => {
  const { port, connections } = await server(t, (_request, response) => response.end());
  const { send } = client(t, { connections: 1, resolve: async () => ['127.0.0.1'] });
  for (let i = 0; i < 3; i++) await send(to(`http://a.example:${port}/`));
  assert.equal(connections(), 1);
  await send(to(`http://b.example:${port}/`));
  assert.equal(connections(), 2);
});

test('more names than connections are kept for are all served', async (t) => {
  const { port, asked } = await server(t, (_request, response) => response.end());
  const { send } = client(t, { resolve: async () => ['127.0.0.1'] });
  for (let i = 0; i < 300; i++) await send(to(`http://n${i}.example:${port}/`));
  assert.equal(asked.length, 300);
});

test('over TLS the name stays the one of the URL', async (t) => {
  const names: string[] = [];
  const secure = createTlsServer({
    SNICallback: (name, done) => {
      names.push(name);
      done(new Error('no certificate'));
    },
  });
  secure.on('tlsClientError', () => {});
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  t.after(() => secure.close());
  const { port } = secure.address() as AddressInfo;
  const { send } = client(t, { resolve: async () => ['127.0.0.1'] });
  await assert.rejects(send(to(`https://hooks.example:${port}/`)), (error) => error instanceof NotSent);
  assert.deepEqual(names, ['hooks.example']);
});
