import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatcherFull } from '../../src/db/batcher.ts';
import { newPhone } from '../engine-world.ts';
import { doorWorld } from './door-world.ts';

/** What the store throws, and what the client is told of it. */
const TROUBLES: [string, Error, number, string][] = [
  ['the database is away', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 503, 'unavailable'],
  ['too much waits', new BatcherFull('full'), 503, 'overloaded'],
  ['a mistake of ours', new TypeError('x is not a function: a secret'), 500, 'internal'],
];

for (const [what, error, status, code] of TROUBLES) {
  test(`${what}: ${status} ${code}, and nothing of it is shown`, async (t) => {
    const world = await doorWorld({
      acceptMessage: () => Promise.reject(error),
      storeWebhook: () => Promise.reject(error),
    });
    t.after(() => world.close());
    const customer = await world.customer();
    const answer = await customer.post('/api/v1/messages', { to: newPhone(), content: { text: 'x' } });
    assert.deepEqual([answer.status, answer.body.error], [status, code]);
    assert.equal(answer.headers.get('retry-after'), status === 503 ? '1' : null);
    assert.doesNotMatch(answer.body.message, /secret/);
    assert.equal(world.logged.length, 1);

    // Never 200, whatever it was: the provider then sends the webhook again.
    const webhook = await world.webhook('{}');
    assert.deepEqual([webhook.status, webhook.headers.get('retry-after')], [503, '1']);
  });
}

test('health while it lives; ready says no when it is not', async (t) => {
  const world = await doorWorld({
    ready: async () => ({ ready: false, checks: { database: 'gone', dispatch: 'ok' } }),
  });
  t.after(() => world.close());
  const health = await fetch(`${world.url}/health`);
  assert.equal(health.status, 200);
  assert.deepEqual(await health.json(), {
    status: 'healthy',
    service: 'test',
    version: '0',
    environment: 'test',
    metrics: { active_batches: 0, circuit_breaker_state: 'closed' },
    pauses: { country: 0, sender: 0, account: 0, app: 0, provider: 0 },
    redis: 'off',
    kafka: 'off',
  });
  const ready = await fetch(`${world.url}/ready`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), { status: 'not_ready', checks: { database: 'gone', dispatch: 'ok' } });
});

test('metrics need a key that may read them, and count requests by route', async (t) => {
  const world = await doorWorld();
  t.after(() => world.close());
  const customer = await world.customer();
  assert.equal((await fetch(`${world.url}/metrics`)).status, 401);
  assert.equal((await customer.get('/metrics')).status, 403);
  await customer.get('/api/v1/messages/x');
  const key = await world.keyFor(customer.tenant, ['metrics:read']);
  const response = await fetch(`${world.url}/metrics`, { headers: { 'x-api-key': key } });
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  const line = 'aldis_http_requests_total{method="GET",route="/api/v1/messages/:id",status="404"} 1';
  assert.ok((await response.text()).includes(line));
});
