import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { startFaultProxy } from '../../bench/src/fault-proxy.ts';
import { type DoorWorld, doorWorld } from '../../server/test/http/door-world.ts';
import { AldisError } from '../src/api-error.ts';
import { createClient } from '../src/client.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

async function customer() {
  const made = await world.customer();
  return { ...made, client: createClient({ url: world.url, apiKey: made.key }) };
}

/** A server that answers as it is told, one answer after the other, and remembers what it was asked. */
async function scripted(answers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      (answers.shift() ?? ((_, late) => late.writeHead(500).end()))(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const refusal = { error: 'rate_limited', code: 'RATE_LIMITED', message: 'Slowly.', details: null, request_id: 'r1' };
const accepted = { id: 'm1', status: 'queued' };

test('a message is accepted and read again by typed requests', async () => {
  const { client } = await customer();
  const answer = await client.request('POST', '/api/v1/messages', {
    body: { to: '+6281234567890', content: { text: 'hello' } },
  });
  assert.equal(answer.status, 202);
  const { id } = answer.body as { id: string };
  const { body } = await client.request('GET', '/api/v1/messages/{id}', { params: { id } });
  assert.equal(body.id, id);
  assert.equal(body.state, 'queued');
  const listed = await client.request('GET', '/api/v1/messages', { query: { limit: 10, state: 'queued' } });
  assert.deepEqual(
    listed.body.messages.map((message) => message.id),
    [id],
  );
});

test('what the server refuses is thrown with its code, details and request', async () => {
  const { client } = await customer();
  const sent = client.request('POST', '/api/v1/messages', { body: { to: '12345', content: { text: 'hello' } } });
  await assert.rejects(sent, (error) => {
    assert.ok(error instanceof AldisError);
    assert.equal(error.status, 400);
    assert.equal(error.code, 'invalid_phone');
    assert.equal(error.details?.['field'], 'to');
    assert.match(error.requestId ?? '', /^.{10,}$/);
    return true;
  });
  await assert.rejects(client.request('GET', '/api/v1/messages/{id}', { params: { id: 'no/such' } }), {
    code: 'not_found',
    status: 404,
  });
  await assert.rejects(createClient({ url: world.url, apiKey: 'wrong' }).request('GET', '/api/v1/messages'), {
    code: 'unauthorized',
    status: 401,
  });
});

test('an empty parameter is no other path', async () => {
  const { client } = await customer();
  await assert.rejects(client.request('GET', '/api/v1/messages/{id}', { params: { id: '' } }), TypeError);
});

test('pages are read to their end', async () => {
  const { client } = await customer();
  const made: string[] = [];
  for (let n = 0; n < 7; n++) {
    const { body } = await client.request('POST', '/api/v1/contacts', { body: { phone: `+62812345678${10 + n}` } });
    made.push(body.id);
  }
  const found: string[] = [];
  for await (const contact of client.pages('/api/v1/contacts', { query: { limit: 3 } })) found.push(contact.id);
  assert.deepEqual(found.sort(), made.sort());
});

test('a key of the other dialect is answered in this one', async () => {
  const { tenant } = await customer();
  const admin = createClient({ url: world.url, apiKey: await world.keyFor(tenant, ['admin']) });
  const made = await admin.request('POST', '/api/v1/api-keys', {
    body: { tenant_id: tenant, name: 'queue', scopes: ['messages:read'], dialect: 'queue' },
  });
  const { key } = made.body as { key: string };
  const plain = await fetch(`${world.url}/api/v1/messages`, { headers: { 'x-api-key': key } });
  assert.equal(((await plain.json()) as { success: boolean }).success, true);
  const { body } = await createClient({ url: world.url, apiKey: key }).request('GET', '/api/v1/messages');
  assert.deepEqual(body.messages, []);
});

test('a file is stored by a form', async () => {
  const { client } = await customer();
  const form = new FormData();
  form.set('file', new Blob(['some words\n'], { type: 'text/plain' }), 'words.txt');
  const { status, body } = await client.request('POST', '/api/v1/media', { body: form });
  assert.equal(status, 201);
  assert.equal(body.size, 11);
});

test('429 and 503 are waited out where that does no harm, by the same Idempotency-Key', async () => {
  await using server = await scripted([
    json(429, refusal, { 'retry-after': '0' }),
    json(503, refusal, { 'retry-after': '0' }),
    json(202, accepted),
  ]);
  const client = createClient({ url: server.url, apiKey: 'k', userId: 'ann' });
  const answer = await client.request('POST', '/api/v1/messages', {
    body: { to: '+6281234567890', content: { text: 'x' } },
  });
  assert.deepEqual(answer.body, accepted);
  const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
  assert.equal(server.asked[0]?.headers.authorization, 'Bearer k');
  assert.equal(server.asked[0]?.headers['x-user-id'], 'ann');
});

test('what might be done twice is not repeated; nor is what was refused for other reasons, or for long', async () => {
  await using server = await scripted([
    json(503, refusal, { 'retry-after': '0' }),
    json(503, refusal),
    json(500, refusal, { 'retry-after': '0' }),
    json(429, refusal, { 'retry-after': '3600' }),
  ]);
  const client = createClient({ url: server.url, apiKey: 'k' });
  await assert.rejects(client.request('POST', '/api/v1/contacts', { body: { phone: '+6281234567890' } }), {
    status: 503,
  });
  for (const status of [503, 500, 429]) {
    await assert.rejects(client.request('GET', '/api/v1/messages'), {
      status,
      code: 'rate_limited',
      message: 'Slowly.',
    });
  }
  assert.equal(server.asked.length, 4);
});

test('a request is repeated so often as told, and no more', async () => {
  const busy = json(429, refusal, { 'retry-after': '0' });
  await using server = await scripted([busy, busy, busy]);
  const client = createClient({ url: server.url, apiKey: 'k', retries: 1 });
  await assert.rejects(client.request('GET', '/api/v1/messages'), { status: 429, retryAfter: 0 });
  assert.equal(server.asked.length, 2);
});

test('a token that has expired is made anew, once', async () => {
  await using server = await scripted([
    json(401, { ...refusal, code: 'UNAUTHORIZED' }),
    json(200, { messages: [], next_cursor: null }),
    json(401, { ...refusal, code: 'UNAUTHORIZED' }),
    json(401, { ...refusal, code: 'UNAUTHORIZED' }),
  ]);
  const renewals: boolean[] = [];
  const client = createClient({
    url: server.url,
    getToken(renew) {
      renewals.push(renew);
      return `token-${renewals.length}`;
    },
  });
  await client.request('GET', '/api/v1/messages');
  await assert.rejects(client.request('GET', '/api/v1/messages'), { code: 'unauthorized' });
  assert.deepEqual(renewals, [false, true, false, true]);
  assert.deepEqual(
    server.asked.map(({ headers }) => headers.authorization),
    [1, 2, 3, 4].map((n) => `Bearer token-${n}`),
  );
});

test("a proxy's page, an answer that breaks off, a late one and none at all are errors of their own", async () => {
  await using server = await scripted([
    (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"messages": ['),
    () => {},
  ]);
  const client = createClient({ url: `${server.url}/`, apiKey: 'k' });
  await assert.rejects(client.request('GET', '/api/v1/messages'), { code: 'http_502', status: 502 });
  await assert.rejects(client.request('GET', '/api/v1/messages'), { code: 'invalid_answer' });
  await assert.rejects(client.request('GET', '/api/v1/messages', { timeout: 50 }), { code: 'unreachable' });
  const away = createClient({ url: 'http://127.0.0.1:9', apiKey: 'k' });
  await assert.rejects(away.request('GET', '/api/v1/messages'), { code: 'unreachable', status: 0 });
  const aborted = AbortSignal.abort(new Error('enough'));
  await assert.rejects(client.request('GET', '/api/v1/messages', { signal: aborted }), /enough/);
});

test('events come in order over cuts of the connection, without a gap or a double', async () => {
  await using proxy = await startFaultProxy(Number(new URL(world.url).port));
  const { key, client } = await customer();
  const reader = createClient({ url: proxy.through(world.url).replace(/\/$/, ''), apiKey: key });
  const stop = new AbortController();
  const seen: string[] = [];
  const all = 12;
  const reading = (async () => {
    for await (const event of reader.events({ types: ['message.*'], signal: stop.signal })) {
      if (event.type === 'message.queued') seen.push(event.data.id);
      if (seen.length === all) stop.abort();
    }
  })();
  const made: string[] = [];
  for (let n = 0; n < all; n++) {
    if (n % 3 === 2) proxy.cut();
    const { body } = await client.request('POST', '/api/v1/messages', {
      body: { to: `+62812345678${10 + n}`, content: { text: 'hello' } },
    });
    made.push((body as { id: string }).id);
  }
  await reading;
  assert.deepEqual(seen, made);
});

test('a stream of events that skips one is an error; so is a cursor of nobody', async () => {
  const event = (n: number, prev: number) => ({
    ...{ id: `e${n}`, type: 'message.sent', time: '2026-01-01T00:00:00.000Z' },
    ...{ cursor: `c${n}`, prev: `c${prev}`, data: {} },
  });
  await using server = await scripted([
    json(200, { events: [event(1, 0), event(2, 1)], next_cursor: 'c2' }),
    json(200, { events: [event(4, 3)], next_cursor: 'c4' }),
  ]);
  const client = createClient({ url: server.url, apiKey: 'k' });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { id } of client.events({ after: 'c0' })) seen.push(id);
  })();
  await assert.rejects(reading, { code: 'broken_chain' });
  assert.deepEqual(seen, ['e1', 'e2']);
  assert.match(server.asked[1]?.url ?? '', /after=c2/);
  const { client: real } = await customer();
  await assert.rejects(real.events({ after: 'nobodys' }).next(), { code: 'invalid_cursor' });
});
