import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, test } from 'node:test';
import { createClient } from '../../src/cli/client.ts';
import { CliError, EXIT } from '../../src/cli/exit-codes.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const client = (url: string, later = 5_000) =>
  createClient({ url, apiKey: 'aldis_test', patience: { first: 300, later } });

async function failure(promise: Promise<unknown>): Promise<CliError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CliError, String(error));
  return error;
}

test('a POST with a key is repeated with the same key and body', async () => {
  const seen: string[] = [];
  const url = await listen((request, response) => {
    request.resume();
    seen.push(`${request.method} ${request.headers['idempotency-key']} ${request.headers.authorization}`);
    if (seen.length === 1) request.socket.destroy();
    else if (seen.length === 2) response.writeHead(503).end('{}');
    else if (seen.length === 3) response.writeHead(409).end('{"error":"idempotency_in_progress"}');
    else response.writeHead(202).end('{"id":"m"}');
  });
  const answer = await client(url).request({ method: 'POST', path: '/x', body: '{}', idempotencyKey: 'k' });
  assert.deepEqual(answer, { id: 'm' });
  assert.deepEqual(seen, Array(4).fill('POST k Bearer aldis_test'));
});

test('a POST without a key is tried once', async () => {
  let seen = 0;
  const url = await listen((request) => {
    seen++;
    request.socket.destroy();
  });
  const error = await failure(client(url).request({ method: 'POST', path: '/x', body: '{}' }));
  assert.equal(error.exitCode, EXIT.unreachable);
  assert.equal(seen, 1);
});

test('Retry-After is honoured', async () => {
  const times: number[] = [];
  const url = await listen((_request, response) => {
    times.push(performance.now());
    if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end('{}');
    else response.end('{}');
  });
  await client(url).request({ method: 'GET', path: '/x' });
  const [first = 0, second = 0] = times;
  assert.ok(second - first >= 990, `${second - first} ms`);
});

test('a refusal is not repeated, and names the field', async () => {
  let seen = 0;
  const url = await listen((_request, response) => {
    seen++;
    const body = { error: 'invalid_phone', code: 'INVALID_PHONE', message: 'No.', details: { field: 'to' } };
    response.writeHead(400).end(JSON.stringify(body));
  });
  const error = await failure(client(url).request({ method: 'GET', path: '/x' }));
  assert.deepEqual([error.exitCode, error.code, error.field], [EXIT.refused, 'invalid_phone', 'to']);
  assert.equal(error.message, 'No. (400 invalid_phone, field to)');
  assert.equal(seen, 1);
});

test('a server that is not there is soon said to be missing; one that was there is waited for', async () => {
  const url = await listen((_request, response) => response.end('{}'));
  const patient = client(url, 700);
  await patient.request({ method: 'GET', path: '/x' });
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  const began = performance.now();
  const gone = await failure(patient.request({ method: 'GET', path: '/x' }));
  assert.match(gone.message, /connection refused; is Aldis running/);
  assert.equal(gone.exitCode, EXIT.unreachable);
  const missing = await failure(client(url).request({ method: 'GET', path: '/x' }));
  assert.match(missing.message, /connection refused/);
  // `later` of the others is for a server that was there once.
  assert.ok(performance.now() - began < 5_000);
});

test('an answer that is no JSON is no Aldis', async () => {
  const url = await listen((_request, response) => response.end('<html>'));
  const error = await failure(client(url).request({ method: 'GET', path: '/x' }));
  assert.match(error.message, /does not answer in JSON/);
});

test('it can be stopped while it waits', async () => {
  const stop = new AbortController();
  const url = await listen(() => stop.abort());
  const stoppable = createClient({ url, apiKey: 'k', patience: { first: 5_000, later: 5_000 }, signal: stop.signal });
  await assert.rejects(stoppable.request({ method: 'GET', path: '/x' }), { name: 'AbortError' });
});
