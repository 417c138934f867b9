import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { type DeliveryId, newId } from '../../src/domain/ids.ts';
import { type DeliveryRecord, listAttempts } from '../../src/store/webhook-deliveries.read.ts';
import { until } from '../until.ts';
import { logOf, webhookWorld } from './webhook-world.ts';

test('every event from the making of an endpoint on is posted there once, signed, with what the log says', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  await tenant.accept();
  const before = await logOf(world, tenant.tenant);
  const { id, secret } = await world.endpoint(tenant, sink.url);
  await world.start();
  const begun = await tenant.sending({ content: { text: 'Hi, "you" \u{1F44B}' } });
  await tenant.settle(begun, { kind: 'sent', wamid: 'wamid.1' });
  const log = (await logOf(world, tenant.tenant)).slice(before.length);
  await until('all are posted', () => sink.taken.length === log.length);
  assert.deepEqual(sink.taken.toSorted(), log.map((event) => event.id).toSorted());

  const verifier = new Webhook(secret);
  for (const { headers, body } of sink.posted) verifier.verify(body, headers as Record<string, string>);
  const sent = sink.posted.find(({ type }) => type === 'message.sent');
  assert.equal(sent?.data['id'], begun.message_id);
  assert.equal(sent?.data['whatsapp_message_id'], 'wamid.1');
  assert.deepEqual(sent?.data['content'], { text: 'Hi, "you" \u{1F44B}' });
  assert.deepEqual(Object.keys(JSON.parse(sent?.body ?? '')), ['type', 'timestamp', 'data']);

  // They are stored with what came of them.
  await until('all are stored', async () => (await world.listed(tenant, id)).length === log.length);
  const listed = await world.listed(tenant, id);
  assert.deepEqual(
    listed.map(({ tries, status, detail }) => ({ tries, status, detail })),
    log.map(() => ({ tries: 1, status: 204, detail: null })),
  );
});

test('filters: types and their patterns, senders, conversations', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  const [one, two] = [await tenant.accept(), await tenant.accept()];
  const { conversation_id } = await tenant.read(two);
  const at = (path: string) => sink.url.replace('/hook', path);
  await world.endpoint(tenant, at('/sent'), { event_types: ['message.sent', 'chat.*'] });
  await world.endpoint(tenant, at('/messages'), { event_types: ['message.*'] });
  await world.endpoint(tenant, at('/chat'), { event_types: ['chat.*'] });
  await world.endpoint(tenant, at('/sender'), { sender_ids: [tenant.sender], event_types: ['*'] });
  await world.endpoint(tenant, at('/other-sender'), { sender_ids: [newId()] });
  await world.endpoint(tenant, at('/conversation'), { conversation_ids: [conversation_id] });
  await world.start();
  for (const begun of await tenant.begin())
    await tenant.settle(begun, { kind: 'sent', wamid: `wamid.${begun.message_id}` });
  await until('all are posted', () => sink.taken.length === 7);
  await world.allMade(tenant);
  const told = Object.groupBy(sink.posted, ({ path }) => path);
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(told).map(([path, posted]) => [path, posted?.map(({ data }) => data['id']).toSorted()]),
    ),
    {
      '/sent': [one, two],
      '/messages': [one, two],
      '/sender': [one, two],
      '/conversation': [two],
    },
  );
});

test('what fails is tried again later, shows its tries, and fails for good after the last', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, sink.url, { event_types: ['message.queued'] });
  sink.answer = () => 500;
  await world.start();
  const message = await tenant.accept();
  async function wait(tries: number): Promise<DeliveryRecord> {
    await until(`try ${tries} is settled`, async () => {
      const [row] = await world.listed(tenant, id);
      return row?.tries === tries && (await triesOf(row.id)) === tries;
    });
    return (await world.listed(tenant, id))[0] as DeliveryRecord;
  }
  const triesOf = async (delivery?: string) =>
    delivery === undefined ? 0 : (await listAttempts(world.db, tenant.tenant, id, delivery as DeliveryId)).length;
  for (const [i, pause] of [5, 30, 120].entries()) {
    const { due_at, tried_at } = await wait(i + 1);
    const waits = ((due_at?.getTime() ?? 0) - (tried_at?.getTime() ?? 0)) / 1000;
    assert.ok(waits >= pause * 0.8 && waits <= pause + 1, `${waits} s after try ${i + 1}`);
    await world.makeDue();
  }
  await wait(4);
  await world.db.script(`update webhook_deliveries set tries = 10, due_at = now()`);
  await until('it has failed', async () => (await world.listed(tenant, id))[0]?.state === 'failed');
  const [delivery] = await world.listed(tenant, id);
  assert.deepEqual([delivery?.tries, delivery?.detail, delivery?.due_at], [11, 'it answered 500', null]);
  const attempts = await listAttempts(world.db, tenant.tenant, id, delivery?.id as DeliveryId);
  assert.deepEqual(
    attempts.map(({ attempt, status, detail, answer }) => ({ attempt, status, detail, answer })),
    [1, 2, 3, 4, 11].map((attempt) => ({ attempt, status: 500, detail: 'it answered 500', answer: 'no, thank you' })),
  );
  assert.equal(new Set(sink.posted.map((posted) => posted.id)).size, 1);
  assert.ok(sink.posted.every(({ data }) => data['id'] === message));
});

test('a receiver may ask to be left alone, by 429 and 503, for an hour at most', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  sink.answer = ({ path }, response) => {
    const [, status = '', wish = ''] = path.split('/');
    response.writeHead(Number(status), { 'retry-after': wish }).end();
    return null;
  };
  await world.start();
  const waits: number[] = [];
  for (const path of ['/429/600', '/503/999999', '/500/600']) {
    const { id } = await world.endpoint(tenant, sink.url.replace('/hook', path));
    await tenant.accept();
    await until(`${path} is tried`, async () => (await world.listed(tenant, id))[0]?.tried_at != null);
    const [{ due_at, tried_at } = { due_at: null, tried_at: null }] = await world.listed(tenant, id);
    waits.push(Math.floor(((due_at?.getTime() ?? 0) - (tried_at?.getTime() ?? 0)) / 1000));
  }
  const [many = 0, unavailable = 0, broken = 0] = waits;
  assert.ok(many >= 600 && many < 620 && unavailable >= 3600 && unavailable < 3620 && broken <= 20, waits.join());
});

test('one that hangs stalls nobody', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, slow, quick] = [await world.tenant(), await world.sink(), await world.sink()];
  const hanging: (() => void)[] = [];
  slow.answer = (_, response) => {
    hanging.push(() => response.destroy());
    return null;
  };
  await world.endpoint(tenant, slow.url);
  await world.endpoint(tenant, quick.url);
  await world.start({ timeout: 30_000, hold: 60_000 });
  for (let i = 0; i < 60; i++) await tenant.accept();
  await until('the quick one has all', () => quick.taken.length === 60);
  assert.ok(slow.posted.length <= 20, `${slow.posted.length} at once`);
  for (const end of hanging) end();
});

test('what is no public address is not called; a redirect is not followed', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink, elsewhere] = [await world.tenant(), await world.sink(), await world.sink()];
  const { id } = await world.endpoint(tenant, sink.url);
  const stopped = await world.start({ allowed: [] });
  await tenant.accept();
  await until('it is refused', async () => (await world.listed(tenant, id))[0]?.detail != null);
  const [refused] = await world.listed(tenant, id);
  assert.match(refused?.detail ?? '', /127\.0\.0\.1 may not be called: loopback/);
  assert.equal(refused?.status, null);
  await stopped.stop();

  sink.answer = (_, response) => {
    response.writeHead(302, { location: elsewhere.url }).end();
    return null;
  };
  await world.start();
  await world.makeDue();
  await until('it leads elsewhere', async () => (await world.listed(tenant, id))[0]?.status === 302);
  assert.equal(elsewhere.posted.length, 0);
});

test('tenants have their own only', async (t) => {
  const world = await webhookWorld(t);
  const [one, two] = [await world.tenant(), await world.tenant()];
  const [ofOne, ofTwo] = [await world.sink(), await world.sink()];
  await world.endpoint(one, ofOne.url);
  await world.endpoint(two, ofTwo.url);
  const without = await world.tenant();
  await world.start();
  const messages = [await one.accept(), await two.accept(), await without.accept()];
  await until('both are told', () => ofOne.taken.length === 1 && ofTwo.taken.length === 1);
  assert.deepEqual(
    [ofOne, ofTwo].map(({ posted }) => posted[0]?.data['id']),
    messages.slice(0, 2),
  );
  // A tenant without endpoints is not even followed.
  const followed = await world.db.query<{ tenant_id: string }>({
    name: 'test_followed',
    text: `select tenant_id from event_consumers where consumer = 'webhooks'`,
  });
  assert.deepEqual(followed.map((row) => row.tenant_id).toSorted(), [one.tenant, two.tenant].toSorted());
});
