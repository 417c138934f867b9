import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import { createWebhookStore } from '../../src/actions/store-webhook.ts';
import { openPool } from '../../src/db/pool.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { newPhone } from '../engine-world.ts';
import { until } from '../until.ts';
import { doorWorld } from './door-world.ts';

/* When the door closes, and when what is behind it has gone. */

test('closing lets long polls go, and waits for no connection that a client keeps open', async (t) => {
  const world = await doorWorld();
  const { key } = await world.customer();
  // A client that would keep its connection for ever.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const answer = new Promise<{ connection: string | undefined; body: unknown }>((resolve, reject) => {
    const request = get(`${world.url}/api/v1/events?wait=30`, { agent, headers: { 'x-api-key': key } }, (response) => {
      json(response).then((body) => resolve({ connection: response.headers.connection, body }), reject);
    });
    request.on('error', reject);
  });
  await until('it waits', () => world.listeners() === 1);
  const begun = performance.now();
  const closing = world.close();
  const { connection, body } = await answer;
  assert.deepEqual([connection, (body as { events: unknown[] }).events], ['close', []]);
  await closing;
  assert.ok(performance.now() - begun < 20_000, 'before the poll would have ended by itself');
});

test('without a database nothing is taken: 503, come again', async (t) => {
  const away = awayPool(t);
  const acceptor = createAcceptor({ db: away, signals: memorySignals(), slot: 0 });
  const webhooks = createWebhookStore(away, newId<InstanceId>(), () => {});
  const world = await doorWorld({
    acceptMessage: (tenant, message, idempotency) => acceptor.accept(tenant, message, idempotency),
    storeWebhook: (app, body) => webhooks.store(app, body),
  });
  t.after(() => world.close());
  const customer = await world.customer();
  const message = await customer.post('/api/v1/messages', { to: newPhone(), content: { text: 'x' } });
  assert.deepEqual([message.status, message.body.error], [503, 'unavailable']);
  assert.equal(message.headers.get('retry-after'), '1');
  assert.equal((await world.webhook('{}')).status, 503);
});

/** A pool that leads to a port where nobody listens. */
function awayPool(t: TestContext) {
  const away = openPool({ connection: 'postgres://nobody@127.0.0.1:1/none', max: 1, onError: () => {} });
  t.after(() => away.close());
  return away;
}
