import assert from 'node:assert/strict';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { buildChat } from '../../src/boot/chat.ts';
import type { Db } from '../../src/db/pool.ts';
import type { ConversationEvents } from '../../src/domain/event-catalogue.ts';
import { type ContactId, type ConversationId, type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { createOfflineNotifier } from '../../src/fanout/offline/offline-notifier.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { insertDevices } from '../../src/store/devices.write.ts';
import { beatInstance } from '../../src/store/lanes.write.ts';
import { groupOf, readLog, say } from '../chat/chat-world.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;
let chat: ReturnType<typeof buildChat>;
before(async () => {
  world = await engineWorld();
  chat = buildChat(world);
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const chatWorld = () => ({ ...world, chat, tenant: async () => (await world.tenant()).tenant });
type Notice = ConversationEvents['notification.offline'];

interface NotifyOptions {
  delay?: number;
  maxAge?: number;
  db?: Db;
}

/** A notifier that looks at messages as old as `delay` ms. @returns its metrics. */
async function notify(
  t: TestContext,
  { delay = 0, maxAge = 3_600_000, db = world.db }: NotifyOptions = {},
): Promise<ReturnType<typeof createMetrics>> {
  const metrics = createMetrics({ version: 'test', node: false });
  const notifier = createOfflineNotifier({
    ...world,
    db,
    clock: systemClock,
    logger: { warn() {} },
    instance: newId(),
    alone: true,
    metrics,
    delay,
    maxAge,
    pollInterval: 10,
    lease: 300,
  });
  t.after(() => notifier.stop());
  await notifier.start();
  return metrics;
}

async function noticesOf(tenant: TenantId): Promise<Notice[]> {
  const events = await readLog(world.db, tenant);
  return events.flatMap((event) => (event.event_type === 'notification.offline' ? [event.data as Notice] : []));
}

/** Waits until a tenant's log is looked at up to its end, of which nothing is told. */
function allLookedAt(tenant: TenantId): Promise<void> {
  const unread = {
    name: 'test_unread',
    text: `select from event_consumers c where c.tenant_id = $1 and c.consumer = 'offline' and c.held_by is null
      and not exists (select from events e where e.tenant_id = $1 and (e.xid, e.id) > (c.xid, c.event_id))`,
  };
  return until('all is looked at', async () => (await world.db.query(unread, [tenant])).length === 1);
}

async function open(tenant: TenantId, user_id: string, lease = 60_000): Promise<void> {
  const instance = newId<InstanceId>();
  await beatInstance(world.db, instance, lease, 'test');
  const device = { tenant_id: tenant, user_id, device_id: 'phone', platform: null, app_version: null };
  await insertDevices(world.db, instance, [device]);
}

const told = (notices: Notice[]) => notices.map(({ user_id, message }) => `${user_id} ${message.content}`).sort();

test('each participant without a live device is told of once: not the author, nor whom the message has reached', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'author', 'online', 'away', 'got it', 'dead instance', 'left');
  await open(tenant, 'online');
  await open(tenant, 'dead instance', -1000);
  const mentions = [{ user_id: 'away', offset: 0, length: 5 }];
  const message = await say(chatWorld(), tenant, group, 'author', { content: '@away here', mentions });
  await chat.markDelivered(tenant, [{ user: 'got it', message: message.id }]);
  await chat.removeParticipant(tenant, null, group, 'left');
  await notify(t);
  await allLookedAt(tenant);
  const notices = await noticesOf(tenant);
  assert.deepEqual(told(notices), ['away @away here', 'dead instance @away here']);
  const away = notices.find((notice) => notice.user_id === 'away');
  assert.deepEqual(away, { user_id: 'away', conversation_id: group, message, mentioned: true, unread: 1 });
  assert.equal(notices.find((notice) => notice.user_id === 'dead instance')?.mentioned, false);
  const events = await readLog(world.db, tenant);
  assert.deepEqual(
    events
      .filter((event) => event.event_type === 'notification.offline')
      .map((event) => event.user_id)
      .sort(),
    ['away', 'dead instance'],
    'the row names the user',
  );
});

test('who joined after a message is not told of it; of what comes later he is', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b');
  await say(chatWorld(), tenant, group, 'a', 'early');
  await chat.addParticipants(tenant, null, group, [{ user_id: 'c' }]);
  await say(chatWorld(), tenant, group, 'a', 'late');
  await notify(t);
  await allLookedAt(tenant);
  assert.deepEqual(told(await noticesOf(tenant)), ['b early', 'b late', 'c late']);
});

test('a customer who writes is told of to those in his conversation; the business is not told of what it sends', async (t) => {
  const own = await world.tenant();
  const { tenant, sender } = own;
  const phone = newPhone();
  const inbound = (text: string) => ({
    tenant,
    sender,
    wamid: `wamid.${text}`,
    at: Date.now() - 1000,
    phone,
    userId: null,
    type: 'text',
    content: { text },
    name: 'Ana',
    replyTo: null,
  });
  await receiveMessages(world.db, world.signals, [inbound('nobody is there yet')], 0);
  const [row] = await world.db.query<{ id: ConversationId; contact_id: ContactId }>(
    { name: 'test_conversation', text: 'select id, contact_id from conversations where tenant_id = $1' },
    [tenant],
  );
  assert.ok(row);
  const sides = { sender_id: sender, contact_id: row.contact_id };
  const { conversation } = await chat.create(tenant, null, {
    type: 'customer',
    participants: [{ user_id: 'agent' }, { user_id: 'second' }],
    sides,
  });
  assert.equal(conversation.id, row.id);
  await receiveMessages(world.db, world.signals, [inbound('hello')], 0);
  await say(chatWorld(), tenant, row.id, 'agent', { content: 'a note', note: true });
  await own.accept({ address: phone });
  await notify(t);
  await allLookedAt(tenant);
  const notices = await noticesOf(tenant);
  assert.deepEqual(told(notices), ['agent hello', 'second a note', 'second hello']);
  const hello = notices.find((notice) => notice.user_id === 'second' && notice.message.content === 'hello');
  assert.deepEqual([hello?.message.sender_type, hello?.message.seq], ['customer', null]);
});

test('it is looked some seconds after a message, and no sooner', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b', 'c');
  const began = Date.now();
  await say(chatWorld(), tenant, group, 'a', 'soon');
  await notify(t, { delay: 700 });
  // He comes in time.
  await open(tenant, 'c');
  await until('one is told of', async () => (await noticesOf(tenant)).length > 0);
  assert.ok(Date.now() - began >= 700, 'not before its time');
  await allLookedAt(tenant);
  assert.deepEqual(told(await noticesOf(tenant)), ['b soon']);
});

test('once each, although transactions fail at their end and several instances look', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b', 'c');
  let commits = 0;
  // Every second transaction is lost right before its commit, as in a crash.
  const failing: Db = {
    ...world.db,
    query: (statement, values) => world.db.query(statement, values),
    transaction: (work) =>
      world.db.transaction(async (tx) => {
        const done = await work(tx);
        if (++commits % 2 === 1) throw new Error('lost');
        return done;
      }),
  };
  for (let i = 0; i < 20; i++) await say(chatWorld(), tenant, group, 'a', `m${i}`);
  await notify(t, { db: failing });
  await until('a transaction was lost', () => commits > 0);
  await notify(t);
  await notify(t);
  await until('all are told of', async () => (await noticesOf(tenant)).length >= 40);
  await allLookedAt(tenant);
  const notices = told(await noticesOf(tenant));
  assert.equal(notices.length, 40);
  assert.equal(new Set(notices).size, 40);
});

test('a tenant whose users do not converse is not followed', async (t) => {
  const own = await world.tenant();
  await own.accept();
  const other = await world.tenant();
  await groupOf(chatWorld(), other.tenant, 'a', 'b');
  await notify(t);
  await allLookedAt(other.tenant);
  const text = `select tenant_id from event_consumers where consumer = 'offline' and tenant_id = $1`;
  assert.deepEqual(await world.db.query({ name: 'test_followed', text }, [own.tenant]), []);
});

test('after an outage nobody is told of what has become old; that is counted, and what is new is told', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b');
  for (let i = 0; i < 3; i++) await say(chatWorld(), tenant, group, 'a', `long ago ${i}`);
  // What was said stands in the log under ids that tell its time: long ago.
  const old = `
    update events set id = ('01980000' || substr(id::text, 9))::uuid
    where tenant_id = $1 and type = 'chat.created'`;
  await world.db.query({ name: 'test_old', text: old }, [tenant]);
  const onlyOld = await notify(t);
  await allLookedAt(tenant);
  assert.deepEqual(await noticesOf(tenant), []);
  assert.match(await onlyOld.render(), /^aldis_offline_messages_skipped_total 3$/m);

  await say(chatWorld(), tenant, group, 'a', 'just now');
  await until('one is told of', async () => (await noticesOf(tenant)).length > 0);
  assert.deepEqual(told(await noticesOf(tenant)), ['b just now']);
});

test('what is old among what is new is passed over', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b');
  const old = await say(chatWorld(), tenant, group, 'a', 'old');
  await say(chatWorld(), tenant, group, 'a', 'new');
  const age = `
    update events set id = ('01980000' || substr(id::text, 9))::uuid
    where tenant_id = $1 and type = 'chat.created' and data->'message'->>'id' = $2`;
  await world.db.query({ name: 'test_age', text: age }, [tenant, old.id]);
  const metrics = await notify(t);
  await allLookedAt(tenant);
  assert.deepEqual(told(await noticesOf(tenant)), ['b new']);
  assert.match(await metrics.render(), /^aldis_offline_messages_skipped_total 1$/m);
});

test('what its author deleted in time is told to nobody', async (t) => {
  const { tenant } = await world.tenant();
  const group = await groupOf(chatWorld(), tenant, 'a', 'b');
  const secret = await say(chatWorld(), tenant, group, 'a', 'not for you');
  await say(chatWorld(), tenant, group, 'a', 'for you');
  await chat.remove(tenant, 'a', secret.id);
  await notify(t);
  await allLookedAt(tenant);
  assert.deepEqual(told(await noticesOf(tenant)), ['b for you']);
});
