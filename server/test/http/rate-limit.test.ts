import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

/** A customer that may make so many requests. */
async function limited(perSecond: number, burst: number | null): Promise<Customer> {
  const customer = await world.customer();
  const text = 'update tenants set requests_per_second = $2, request_burst = $3 where id = $1';
  await world.db.query({ name: 'test_rate', text }, [customer.tenant, perSecond, burst]);
  return customer;
}

/** Twenty requests at once: on a machine however slow they cannot all find room. */
function twenty(ask: (place: number) => Promise<{ status: number; headers: Headers }>) {
  return Promise.all(Array.from({ length: 20 }, (_, place) => ask(place)));
}

test('whoever asks too often is told when to come again, before its body is read, and nothing is done', async () => {
  const customer = await limited(1, 3);
  const body = { to: '+6281234567890', content: { text: 'Hi' } };
  const answers = await twenty(() => customer.post('/api/v1/messages', body));
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(accepted.length >= 3 && refused.length > 0, `${accepted.length} and ${refused.length}`);
  assert.equal(accepted.length + refused.length, 20);
  for (const { headers } of answers) {
    assert.equal(headers.get('ratelimit-policy'), '"default";q=3;w=3');
    assert.match(headers.get('ratelimit') ?? '', /^"default";r=[012];t=[123]$/);
  }
  for (const { headers } of refused) {
    assert.deepEqual([headers.get('retry-after'), headers.get('ratelimit')], ['1', '"default";r=0;t=1']);
  }
  const text = 'select count(*)::int as n from messages where tenant_id = $1';
  const [stored] = await world.db.query<{ n: number }>({ name: 'test_stored', text }, [customer.tenant]);
  assert.equal(stored?.n, accepted.length);
  const unread = await twenty(() => customer.post('/api/v1/messages', '{"to": "+628'));
  assert.ok(unread.some(({ status }) => status === 429));
});

test('all keys of a tenant share its rate, and no other tenant has part in it', async () => {
  const customer = await limited(1, 2);
  const second = await world.keyFor(customer.tenant, ['messages:read']);
  const other = await world.customer();
  const bearer = [customer.key, second];
  const answers = await twenty((i) => customer.get('/api/v1/messages', { authorization: `Bearer ${bearer[i % 2]}` }));
  for (const place of [0, 1]) {
    assert.ok(answers.some(({ status }, i) => i % 2 === place && status === 429));
  }
  const free = await twenty(() => other.get('/api/v1/messages'));
  for (const { status, headers } of free) {
    assert.deepEqual([status, headers.get('ratelimit')], [200, null], 'whoever has no rate is told of none');
  }
});

test('a request that is refused for another reason counts as well', async () => {
  const customer = await limited(1, 1);
  const answers = await twenty(() => customer.get('/metrics'));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [403, 429]);
});
