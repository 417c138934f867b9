import assert from 'node:assert/strict';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { newId, type RawWebhookId } from '../../src/domain/ids.ts';
import type { Inbound, InboundOptions } from '../../src/inbound/inbound-loop.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { insertRawWebhooks } from '../../src/store/inbound.write.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { applied as appliedIn, createReceiver, logger, marker, pending, poison, troubles } from './receiver.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(async () => {
  armFailpoints([]);
  await assertSound(world.db);
});
after(() => world.close());

const receiver = (t: TestContext, options?: Partial<InboundOptions>) => createReceiver(world, t, options);

interface Item {
  status?: string;
  text?: string;
  marked?: boolean;
  wamid?: string;
}

/** A webhook about an attempt, or with a customer's text. */
function webhook(own: TenantWorld, send: BegunSend | null, ...items: Item[]): string {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const changes = items.map(({ status, text, marked = true, wamid }) => ({
    field: 'messages',
    value: {
      metadata: { phone_number_id: own.phoneNumberId },
      ...(status && send
        ? {
            statuses: [
              {
                id: wamid ?? `wamid.${send.message_id}`,
                status,
                timestamp,
                ...(marked && {
                  biz_opaque_callback_data: marker.write({
                    message: send.message_id,
                    attempt: send.attempt,
                    startedAt: send.started_at,
                  }),
                }),
                ...(status === 'failed' && { errors: [{ code: 131026, title: 'Undeliverable' }] }),
              },
            ],
          }
        : {
            messages: [
              { id: wamid ?? `wamid.${newId()}`, from: '16505551234', timestamp, type: 'text', text: { body: text } },
            ],
          }),
    },
  }));
  return JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '1', changes }] });
}

const applied = (inbound: Inbound) => appliedIn(world.db, inbound);

test('what is stored is applied: receipts by our mark or by the wamid, and a customer’s answer [status sent] [status delivered] [status read] [status failed]', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  const [marked, unmarked, early] = [await own.sending(), await own.sending(), await own.sending()];
  await own.settle(unmarked, { kind: 'sent', wamid: `wamid.${unmarked.message_id}` });
  await Promise.all([
    store(webhook(own, marked, { status: 'sent' }, { status: 'read' }, { text: 'Thanks' })),
    store(webhook(own, unmarked, { status: 'delivered', marked: false })),
    store(webhook(own, early, { status: 'failed' })),
  ]);
  await applied(inbound);
  const states = await Promise.all(
    [marked, unmarked, early].map(async (one) => (await own.read(one.message_id)).state),
  );
  assert.deepEqual(states, ['read', 'delivered', 'failed']);
  const { messages } = await listMessages(world.db, own.tenant, { direction: 'inbound' }, null, 10);
  assert.deepEqual(
    messages.map((message) => message.content),
    [{ text: 'Thanks' }],
  );
  const evidence = await world.db.query(
    { name: 'test_evidence', text: 'select 1 as one from sender_evidence where sender_id = $1' },
    [own.sender],
  );
  assert.equal(evidence.length, 1);
});

test('what an instance stored and did not apply before it died, another applies', async (t) => {
  const own = await world.tenant();
  const dead = await receiver(t);
  const send = await own.sending();
  await dead.store(webhook(own, send, { status: 'delivered' }));
  assert.equal(await pending(world.db), 1);
  const alive = await receiver(t);
  await alive.inbound.start();
  // It lives: its work is its own.
  await until('the other has looked', async () => (await own.read(send.message_id)).state === 'sending');
  assert.equal(await pending(world.db), 1);
  await world.db.query({ name: 'test_die', text: 'delete from instances where id = $1' }, [dead.instance]);
  await applied(alive.inbound);
  assert.equal((await own.read(send.message_id)).state, 'delivered');
});

test('work that was taken over and could not be read is taken again', async (t) => {
  const own = await world.tenant();
  const dead = await receiver(t);
  const send = await own.sending();
  await dead.store(webhook(own, send, { status: 'delivered' }));
  await world.db.query({ name: 'test_die', text: 'delete from instances where id = $1' }, [dead.instance]);
  await world.db.script('alter table raw_webhooks rename to raw_webhooks_away');
  const alive = await receiver(t);
  let looked = 0;
  const { warn } = logger;
  logger.warn = () => {
    looked++;
  };
  await alive.inbound.start();
  await until('a look has failed', () => looked > 0);
  logger.warn = warn;
  await world.db.script('alter table raw_webhooks_away rename to raw_webhooks');
  await applied(alive.inbound);
  assert.equal((await own.read(send.message_id)).state, 'delivered');
});

test('a webhook that cannot be applied is set aside with the reason, and the others are applied', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  const send = await own.sending();
  await poison(world.db, t);
  await Promise.all([
    store(webhook(own, null, { text: 'before' })),
    store(webhook(own, null, { text: 'poison' })),
    store(webhook(own, send, { status: 'read' })),
    store('\0 this is not JSON'),
    store(webhook({ ...own, phoneNumberId: '404' }, send, { status: 'read' })),
    store(webhook(own, null, { text: 'after' })),
  ]);
  await inbound.start();
  await applied(inbound);
  assert.equal((await own.read(send.message_id)).state, 'read');
  const { messages } = await listMessages(world.db, own.tenant, { direction: 'inbound' }, null, 10);
  assert.deepEqual(
    messages.map((message) => message.content),
    [{ text: 'after' }, { text: 'before' }],
  );
  const [check, json, number, ...others] = await troubles(world.db);
  assert.match(check ?? '', /^entry\[0\]\.changes\[0\]\.messages\[0\]: .*test_poison/);
  assert.match(json ?? '', /not JSON/);
  assert.match(number ?? '', /no sender has the number 404/);
  assert.deepEqual(others, []);
});

test('a webhook whose commit was not heard of is applied all the same', async (t) => {
  const own = await world.tenant();
  const { inbound, instance } = await receiver(t);
  const send = await own.sending();
  const raw = { app: 'default', id: newId<RawWebhookId>(), body: Buffer.from(webhook(own, send, { status: 'read' })) };
  await insertRawWebhooks(world.db, [raw], [newId()], instance);
  await world.db.script(`update inbound_work set created_at = clock_timestamp() - interval '11 seconds'`);
  await inbound.start();
  await applied(inbound);
  assert.equal((await own.read(send.message_id)).state, 'read');
});

test('a receipt whose message nobody knows is parked, and applied when the answer comes', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  const send = await own.sending();
  await store(webhook(own, send, { status: 'delivered', marked: false }));
  await applied(inbound);
  assert.equal((await own.read(send.message_id)).state, 'sending');
  await own.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` });
  await until('it is applied', async () => (await own.read(send.message_id)).state === 'delivered');
});

test('a crash between the effects and their record repeats them to no effect', async (t) => {
  const own = await world.tenant();
  const { inbound, store, stored } = await receiver(t);
  await inbound.start();
  const send = await own.sending();
  await store(webhook(own, send, { status: 'failed' }, { status: 'sent' }, { text: 'once' }));
  await applied(inbound);
  const before = await own.read(send.message_id);
  inbound.add(stored);
  await applied(inbound);
  await inbound.stop();
  assert.deepEqual(await own.read(send.message_id), before);
  const { messages } = await listMessages(world.db, own.tenant, { direction: 'inbound' }, null, 10);
  assert.equal(messages.length, 1);
});

test('webhooks are stored together, or refused so that they come again', async (t) => {
  const own = await world.tenant();
  const { store, stored, inbound } = await receiver(t);
  armFailpoints([parseFailpoint('webhook.before_commit=error')]);
  await assert.rejects(store(webhook(own, null, { text: 'lost' })));
  armFailpoints([]);
  assert.equal(await pending(world.db), 0);
  await Promise.all(Array.from({ length: 40 }, (_, i) => store(webhook(own, null, { text: `${i}` }))));
  assert.equal(
    stored.reduce((sum, work) => sum + work.webhooks.length, 0),
    40,
  );
  assert.ok(stored.length < 10, `${stored.length} commits`);
  await inbound.start();
  await applied(inbound);
  const { messages } = await listMessages(world.db, own.tenant, { direction: 'inbound' }, null, 100);
  assert.equal(messages.length, 40);
});
