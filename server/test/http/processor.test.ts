import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { newId, type SenderId } from '../../src/domain/ids.ts';
import { insertDefaultWebhook } from '../../src/store/set-up.write.ts';
import { assertSound } from '../soundness.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;

before(async () => {
  world = await doorWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

async function processing({ tenant }: Customer): Promise<boolean | undefined> {
  const text = 'select processing from tenants where id = $1';
  return (await world.db.query<{ processing: boolean }>({ name: 'test_processing', text }, [tenant]))[0]?.processing;
}

test('stopping and starting answer as documented, however often, and are the tenant’s own', async () => {
  const customer = await world.customer();
  const neighbour = await world.customer();
  let told = 0;
  const unlisten = world.signals.listen('senders', () => told++);
  for (const _ of [1, 2]) {
    const { status, body } = await customer.post('/processor/stop');
    assert.deepEqual(
      [status, body, await processing(customer)],
      [200, { message: 'message processor stopped' }, false],
    );
  }
  assert.equal(await processing(neighbour), true);
  for (const _ of [1, 2]) {
    const { status, body } = await customer.post('/processor/start');
    assert.deepEqual([status, body, await processing(customer)], [200, { message: 'message processor started' }, true]);
  }
  unlisten();
  assert.equal(told, 4);
});

test('what was sent is listed newest first, by both channels, in the documented words', async () => {
  const customer = await world.customer();
  const webhook = newId<SenderId>();
  await insertDefaultWebhook(world.db, customer.tenant, {
    id: webhook,
    url: 'http://hooks.example',
    header: 'x-api-key',
    keySealed: null,
  });
  const ids: string[] = [];
  for (let i = 0; i < 12; i++) {
    const send = await customer.sending({ content: { text: `Text ${i}` } });
    await customer.settle(send, { kind: 'sent', wamid: `webhook-msg-${i}` });
    ids.unshift(send.message_id);
  }
  await customer.accept({ sender_id: webhook });
  const failing = await customer.sending();
  await customer.settle(failing, { kind: 'refused', code: 404, title: 'no', detail: null });

  const list = async (query = '') => {
    const { status, body } = await customer.get(`/processor/sent-messages${query}`);
    assert.equal(status, 200);
    return body as unknown as Record<string, string>[];
  };
  const ten = await list();
  assert.deepEqual(
    ten.map(({ id }) => id),
    ids.slice(0, 10),
  );
  const [newest] = ten;
  assert.deepEqual(Object.keys(newest ?? {}), ['id', 'webhookMessageId', 'phoneNumber', 'content', 'status', 'sentAt']);
  assert.deepEqual(
    [newest?.['webhookMessageId'], newest?.['content'], newest?.['status']],
    ['webhook-msg-11', 'Text 11', 'sent'],
  );
  assert.match(newest?.['sentAt'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(newest?.['phoneNumber'] ?? '', /^\+62/);
  assert.equal((await list('?limit=20')).length, 12);
  assert.equal((await list('?limit=1')).length, 1);
  assert.equal((await list('?limit=1000')).length, 12);
});

test('errors have the documented sentence where others have a code', async () => {
  const customer = await world.customer();
  const none = await customer.get('/processor/sent-messages');
  assert.equal(none.status, 404);
  assert.deepEqual(
    [none.body.error, none.body.code, none.body.message, typeof none.body.request_id],
    ['no unsent messages found', 'NOT_FOUND', 'no unsent messages found', 'string'],
  );
  for (const limit of ['abc', '0', '-1', '1.5', '1001', '1e3', '', '99999999999', '10&limit=20', '%201']) {
    const { status, body } = await customer.get(`/processor/sent-messages?limit=${limit}`);
    assert.deepEqual(
      [status, body.error, body.code, body.message],
      [400, 'invalid limit parameter', 'INVALID_FIELD', 'invalid limit parameter'],
      limit,
    );
  }
  const unknown = await customer.get('/processor/sent-messages?page=1');
  assert.deepEqual([unknown.status, unknown.body.code], [400, 'UNKNOWN_FIELD']);
  const body = await customer.post('/processor/stop', { force: true });
  assert.deepEqual([body.status, body.body.code, await processing(customer)], [400, 'UNKNOWN_FIELD', true]);
  assert.equal(body.body.error, body.body.message);
});

test('a key is needed, and the right to do so', async () => {
  const customer = await world.customer();
  for (const [method, path] of [
    ['POST', '/processor/stop'],
    ['POST', '/processor/start'],
    ['GET', '/processor/sent-messages'],
  ] as const) {
    const nobody = await fetch(`${world.url}${path}`, { method });
    const said = (await nobody.json()) as { error: string; code: string; message: string };
    assert.deepEqual([nobody.status, said.code, said.error], [401, 'UNAUTHORIZED', said.message]);
    const key = await world.keyFor(customer.tenant, ['events:read']);
    const other = await fetch(`${world.url}${path}`, { method, headers: { 'x-api-key': key } });
    assert.equal(other.status, 403);
  }
  assert.equal(await processing(customer), true);
});

test('the answer is the same in every dialect', async () => {
  const customer = await world.customer();
  const { body } = await customer.get('/processor/sent-messages', { 'x-api-case': 'camel' });
  assert.deepEqual([body.error, 'success' in body], ['no unsent messages found', false]);
});

test('the list walks an index, and no further than it has to', async () => {
  const plan = await world.db.query<{ 'QUERY PLAN': string }>({
    name: 'test_plan',
    text: `explain (costs off) select m.id from (select * from messages where tenant_id = '${newId()}' order by id desc limit 10000) m
      where m.direction = 'outbound' and m.state between 'sent' and 'played' order by m.id desc limit 10`,
  });
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(text, /Index Scan Backward using messages_pkey/);
  assert.doesNotMatch(text, /Sort|Seq Scan/);
});
