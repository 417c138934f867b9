import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type GuardedFetch, guardedFetch } from '../../src/net/guarded-fetch.ts';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';
import { NotSent } from '../../src/net/provider-client.ts';

let server: Server;
let port = 0;
let answer: RequestListener;
let client: GuardedFetch;
let names: Record<string, string[]> = {};
const asked: string[] = [];

before(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.headers.host?.split(':')[0]} ${request.url} ${request.headers['accept-encoding']}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  client = guardedFetch({
    guard: addressGuard(['127.0.0.1']),
    connections: 4,
    timeout: 1000,
    resolve: async (host) => names[host] ?? [],
  });
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await client.close();
});

const read = (url: string, most = 1000) => client.read({ url, headers: {}, timeout: 2000, most });

test('what a URL gives is read as it comes, by the address that was checked', async () => {
  names = { 'files.example': ['127.0.0.1'] };
  answer = (_request, response) => response.setHeader('x-say', 'yes').end('content');
  const found = await read(`http://files.example:${port}/a?b=c`);
  assert.deepEqual([found.status, found.headers['x-say']], [200, 'yes']);
  assert.equal((await buffer(found.bytes)).toString(), 'content');
  assert.deepEqual(asked.splice(0), ['files.example /a?b=c identity']);
});

test('a name that leads inwards as well is refused, also behind a redirect', async () => {
  names = { 'mixed.example': ['127.0.0.1', '10.0.0.1'], 'good.example': ['127.0.0.1'] };
  await assert.rejects(read(`http://mixed.example:${port}/`), (error) => {
    assert(error instanceof NotSent);
    return /10\.0\.0\.1 may not be called: private/.test(error.message);
  });
  answer = (_request, response) => response.writeHead(301, { location: `http://mixed.example:${port}/` }).end();
  await assert.rejects(read(`http://good.example:${port}/`), /10\.0\.0\.1 may not be called/);
  assert.deepEqual(asked.splice(0), ['good.example / identity'], 'the second was never asked');
});

test('reading ends at the most bytes, and a reader may leave', async () => {
  names = { 'files.example': ['127.0.0.1'] };
  answer = (_request, response) => response.end(Buffer.alloc(1001));
  await assert.rejects(async () => buffer((await read(`http://files.example:${port}/`)).bytes), /longer than is read/);
  const found = await read(`http://files.example:${port}/`, 5000);
  let chunks = 0;
  for await (const chunk of found.bytes) {
    chunks += chunk.length > 0 ? 1 : 0;
    break;
  }
  assert.equal(chunks, 1);
});
