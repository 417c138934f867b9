import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { until } from '../until.ts';
import { type DoorWorld, doorWorld } from './door-world.ts';

const SHOP = 'https://shop.example';

/** Speaks bytes, and gives all that comes until the connection ends. */
function speak(url: string, text: string): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

describe('browsers of other origins', () => {
  let off: DoorWorld;
  let some: DoorWorld;
  let all: DoorWorld;
  before(async () => {
    off = await doorWorld();
    some = await doorWorld({}, { cors_origins: [SHOP, 'http://localhost:3000'] });
    all = await doorWorld({}, { cors_origins: ['*'] });
  });
  after(async () => {
    for (const world of [off, some, all]) await world.close();
  });

  /** The headers that CORS is about. */
  async function ask(world: DoorWorld, method: string, path: string, headers: Record<string, string>) {
    const response = await fetch(`${world.url}${path}`, { method, headers });
    await response.text();
    const cors = [...response.headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary');
    return { status: response.status, headers: Object.fromEntries(cors) };
  }
  const question = (origin: string) => ({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  });

  test('off: no header, and OPTIONS is nothing', async () => {
    assert.deepEqual(await ask(off, 'GET', '/health', { origin: SHOP }), { status: 200, headers: {} });
    assert.deepEqual(await ask(off, 'OPTIONS', '/api/v1/messages', question(SHOP)), { status: 404, headers: {} });
  });

  test('a named origin may ask, with every header that the API knows, and without a key', async () => {
    const { status, headers } = await ask(some, 'OPTIONS', '/api/v1/messages', question(SHOP));
    assert.equal(status, 204);
    assert.equal(headers['access-control-allow-origin'], SHOP);
    assert.equal(headers['vary'], 'Origin');
    assert.match(headers['access-control-allow-methods'] ?? '', /\bPUT\b/);
    for (const name of ['Authorization', 'X-API-Key', 'Idempotency-Key', 'X-API-Case', 'Content-Type']) {
      assert.match(headers['access-control-allow-headers'] ?? '', new RegExp(`\\b${name}\\b`), name);
    }
    assert.equal(headers['access-control-allow-credentials'], undefined);
  });

  test('answers and refusals carry the headers, so that a page can read them', async () => {
    for (const [path, status] of [
      ['/health', 200],
      ['/api/v1/messages', 401],
      ['/nowhere', 404],
    ] as const) {
      const answer = await ask(some, 'GET', path, { origin: SHOP });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['access-control-allow-origin'], SHOP, path);
      assert.match(answer.headers['access-control-expose-headers'] ?? '', /Retry-After, RateLimit, RateLimit-Policy/);
    }
  });

  test('another origin, or one that only looks alike, gets none', async () => {
    for (const origin of ['https://evil.example', `${SHOP}.evil.example`, 'http://shop.example', 'null']) {
      const { status, headers } = await ask(some, 'OPTIONS', '/api/v1/messages', question(origin));
      assert.deepEqual([status, headers], [204, { vary: 'Origin' }], origin);
    }
    assert.deepEqual((await ask(some, 'GET', '/health', {})).headers, { vary: 'Origin' });
  });

  test('all origins: a star, never with credentials', async () => {
    const { status, headers } = await ask(all, 'OPTIONS', '/api/v1/messages', question('https://any.example'));
    assert.equal(status, 204);
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal((await ask(all, 'GET', '/health', { origin: 'null' })).headers['access-control-allow-origin'], '*');
  });
});

test('a head that is too large is 431, and says so in JSON', async () => {
  const world = await doorWorld({}, { header_limit: 4096 });
  try {
    const head = (size: number) =>
      `GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: ${'a'.repeat(size)}\r\n\r\n`;
    assert.match(await speak(world.url, head(3000)), /^HTTP\/1\.1 200 /);
    const answer = await speak(world.url, head(5000));
    assert.match(answer, /^HTTP\/1\.1 431 /);
    assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).error, 'headers_too_large');
  } finally {
    await world.close();
  }
});

test('a request that takes too long to arrive is 408', async () => {
  const settings = {
    body_limit: 65_536,
    batch_body_limit: 65_536,
    webhook_body_limit: 65_536,
    request_timeout: 1000,
    keep_alive_timeout: 5000,
    send_timeout: 1000,
    metrics_public: false,
    transport: { tls: null, header_limit: 16_384, write_timeout: 5000, cors_origins: [], trusted_proxies: [] },
  };
  const world = await doorWorld({ settings });
  try {
    const begun = 'POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nX-API-Key: ';
    assert.match(await speak(world.url, begun), /^HTTP\/1\.1 408 /);
  } finally {
    await world.close();
  }
});

test('the address of a client is the one that a trusted proxy tells, and nobody else', async () => {
  for (const [trusted_proxies, expected] of [
    [['127.0.0.0/8'], '192.0.2.7'],
    [['10.0.0.0/8'], '127.0.0.1'],
    [[], '127.0.0.1'],
  ] as const) {
    const seen: unknown[] = [];
    const log = (about: { client?: string }) => void seen.push(about.client);
    const health = () => {
      throw new Error('provoked');
    };
    const world = await doorWorld({ health, logger: { error: log, warn: log } }, { trusted_proxies });
    try {
      const { status } = await fetch(`${world.url}/health`, {
        headers: { 'x-forwarded-for': '203.0.113.9, 192.0.2.7' },
      });
      assert.equal(status, 500);
      assert.deepEqual(seen, [expected], JSON.stringify(trusted_proxies));
    } finally {
      await world.close();
    }
  }
});

test('an answer that nobody reads is given up after the write timeout', async (t) => {
  const metrics = { ...createMetrics({ version: 'test', node: false }), render: async () => 'x'.repeat(24 * 2 ** 20) };
  const world = await doorWorld({ metrics }, { write_timeout: 1000 });
  t.after(() => world.close());
  const { tenant } = await world.tenant();
  const key = await world.keyFor(tenant, ['metrics:read']);
  const connections = () =>
    new Promise<number>((resolve) => world.app.server.getConnections((_error, count) => resolve(count)));
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause().write(`GET /metrics HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`);
  await until('it is connected', async () => (await connections()) === 1);
  await until('it is cut off', async () => (await connections()) === 0, 5000);
  // Who reads gets all of it, and the connection lives on.
  const response = await fetch(`${world.url}/metrics`, { headers: { 'x-api-key': key } });
  assert.equal((await response.text()).length, 24 * 2 ** 20);
});
