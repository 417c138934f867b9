import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { type DoorWorld, doorWorld } from './door-world.ts';

/* Many at once: repeats that race, and readers that follow while others write. */

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});

const body = () => ({ to: newPhone(), content: { text: 'Hello' } });

test('of 40 requests with one key that come together one is done, and all have its answer', async () => {
  const customer = await world.customer();
  const asked = body();
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => customer.post('/api/v1/messages', asked, { 'idempotency-key': 'once' })),
  );
  assert.equal(new Set(answers.map(({ body: { id } }) => id)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length, 1);
  assert.equal((await customer.get('/api/v1/messages')).body.messages.length, 1);
});

test('a batch with a key is in progress until it is stored, then it is answered as the first time', async () => {
  const customer = await world.customer();
  const asked = { messages: Array.from({ length: 1200 }, body) };
  const send = () => customer.post('/api/v1/messages/batch', asked, { 'idempotency-key': 'batch' });
  const answers = await Promise.all([send(), send()]);
  const first = answers.find(({ status }) => status === 202);
  const second = answers.find(({ status }) => status === 409);
  assert.ok(first && second, answers.map(({ status }) => status).join());
  assert.deepEqual([second.body.error, second.headers.get('retry-after')], ['idempotency_in_progress', '1']);
  const again = await send();
  assert.deepEqual([again.status, again.headers.get('idempotency-replayed'), again.body], [202, 'true', first.body]);
  assert.equal(first.body.accepted, 1200);
});

test('pages walk over what was there, each once, while more is accepted', async () => {
  const customer = await world.customer();
  const messages = Array.from({ length: 95 }, body);
  const { body: batch } = await customer.post('/api/v1/messages/batch', { messages });
  const there = batch.messages.map(({ id }) => id).reverse();
  let walking = true;
  const writing = (async () => {
    while (walking) await Promise.all([1, 2, 3].map(() => customer.accept()));
  })();
  const found: string[] = [];
  let cursor = '';
  do {
    const page = await customer.get(`/api/v1/messages?limit=10${cursor && `&cursor=${cursor}`}`);
    found.push(...page.body.messages.map(({ id }) => id));
    cursor = page.body.next_cursor;
  } while (cursor !== null);
  walking = false;
  await writing;
  assert.deepEqual(found.slice(-there.length), there);
  assert.equal(new Set(found).size, found.length);
});

test('whoever follows the log knows every message as a fresh read does, and none of another tenant', async () => {
  const [one, other] = [await world.customer(), await world.customer()];
  const writers = [one, other].flatMap((customer, first) =>
    Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; i < 8; i++) {
        const { body: accepted } = await customer.post('/api/v1/messages', body());
        if ((i + writer + first) % 2 === 0) await customer.post(`/api/v1/messages/${accepted.id}/cancel`);
      }
    }),
  );
  const written = Promise.all(writers);
  const events = 8 * 4 + 16;
  const follow = async (customer: typeof one) => {
    const known = new Map<string, object>();
    let cursor = '';
    for (let seen = 0; seen < events; ) {
      const page = await customer.get(`/api/v1/events?limit=7&wait=10${cursor && `&after=${cursor}`}`);
      assert.ok(page.body.events.length > 0, `${seen} of ${events} events, and no more within 10 s`);
      for (const event of page.body.events) {
        if (cursor) assert.equal(event.prev, cursor);
        cursor = event.cursor;
        known.set(String(event.data['id']), event.data);
        seen++;
      }
      assert.equal(page.body.next_cursor, cursor);
    }
    return known;
  };
  const logs = await Promise.all([follow(one), follow(other)]);
  await written;
  for (const [i, customer] of [one, other].entries()) {
    const { messages } = (await customer.get('/api/v1/messages?limit=100')).body;
    assert.equal(messages.length, 32);
    assert.deepEqual(logs[i], new Map(messages.map(({ held: _held, ...message }) => [message.id, message])));
  }
  const mixed = await other.get(`/api/v1/events?after=${await endOf(one)}`);
  assert.deepEqual([mixed.status, (mixed.body as { error?: string }).error], [400, 'invalid_cursor']);
});

/** A cursor is of one tenant: that of another is refused. */
async function endOf(customer: Awaited<ReturnType<DoorWorld['customer']>>): Promise<string> {
  return (await customer.get('/api/v1/events?after=now')).body.next_cursor;
}
