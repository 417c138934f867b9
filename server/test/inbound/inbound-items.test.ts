import assert from 'node:assert/strict';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import type { AccountChange } from '../../src/domain/account-change.ts';
import type { Inbound, InboundOptions } from '../../src/inbound/inbound-loop.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import {
  applied as appliedIn,
  createReceiver,
  logger,
  manyMessages,
  marker,
  pending,
  poison,
  text,
  troubles,
} from './receiver.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const receiver = (t: TestContext, options?: Partial<InboundOptions>) => createReceiver(world, t, options);
const applied = (inbound: Inbound) => appliedIn(world.db, inbound);

async function texts(own: TenantWorld): Promise<unknown[]> {
  const { messages } = await listMessages(world.db, own.tenant, { direction: 'inbound' }, null, 2000);
  return messages.map((message) => (message.content as { text?: string } | null)?.text).reverse();
}

/** A change of another kind than messages, of the tenant's number. */
function changeOf(own: TenantWorld, field: string, value: object): string {
  const metadata = { phone_number_id: own.phoneNumberId };
  return JSON.stringify({ entry: [{ id: '1', changes: [{ field, value: { metadata, ...value } }] }] });
}

test('of a webhook of 3 MB with a thousand items the broken ones are kept and counted, and the rest applies', async (t) => {
  const own = await world.tenant();
  const { inbound, store, metrics } = await receiver(t);
  await poison(world.db, t);
  await world.db.script('delete from raw_webhooks');
  const padding = 'x'.repeat(2900);
  const items = Array.from({ length: 1000 }, (_, i) => text(`${i} ${padding}`));
  items[17] = text('nobody', { from: undefined });
  items[500] = text('poison');
  const body = manyMessages(own, items);
  assert.ok(body.length > 3_000_000);
  await store(body);
  await inbound.start();
  await applied(inbound);
  const kept = (await texts(own)).map((one) => Number(String(one).split(' ')[0]));
  const whole = Array.from({ length: 1000 }, (_, i) => i).filter((i) => i !== 17 && i !== 500);
  assert.deepEqual(kept, whole);
  const [trouble, ...others] = await troubles(world.db);
  assert.match(trouble ?? '', /messages\[17\]: a message from nobody/);
  assert.match(trouble ?? '', /messages\[500\]: .*test_poison/);
  assert.deepEqual(others, []);
  const told = await metrics.render();
  assert.match(told, /aldis_webhook_items_kept_total\{reason="failed"\} 1/);
  assert.match(told, /aldis_messages_received_total\{type="text"\} 998/);
});

test('what is kept is told in the log, once a minute for each reason', async (t) => {
  const own = await world.tenant();
  const warned: object[] = [];
  const warn = (about: object) => void warned.push(about);
  const { inbound, store } = await receiver(t, { logger: { ...logger, warn } });
  await inbound.start();
  for (const _ of [1, 2]) {
    await store(manyMessages(own, [text('nobody', { from: undefined }), text('x')]));
    await applied(inbound);
  }
  await store(manyMessages({ ...own, phoneNumberId: '404' }, [text('x')]));
  await applied(inbound);
  assert.deepEqual(
    warned.map((about) => ('reason' in about ? about.reason : about)),
    ['unreadable', 'no_sender'],
  );
});

test('odd items do no harm: half characters, NUL, numbers as strings, deep and unknown fields, every type at once', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  let deep: unknown = 1;
  for (let i = 0; i < 3000; i++) deep = [deep];
  const image = { id: 12345, mime_type: 'image/\0', caption: '\udfff', sha256: 'x'.repeat(5000) };
  const odd = [
    text('a\0b\ud800'),
    text(7),
    text('context', { context: { id: 'wamid.\0', forwarded: 'yes' }, referral: deep, deep }),
    text('x', { type: 'image', image }),
    text('x', { type: 'reaction', reaction: { message_id: 'wamid.none', emoji: '\ud83d' } }),
    text('x', { type: 'system', system: { type: 'user_changed_number', wa_id: '+1', deep } }),
    ...['order', 'contacts', 'interactive', 'button', 'location', 'hologram'].map((type) => text('x', { type })),
  ];
  await store(manyMessages(own, odd));
  await applied(inbound);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 100);
  // A change of number without a number is of nobody.
  assert.equal(messages.length, odd.length - 1);
  const types = messages.map((one) => one.type).reverse();
  assert.deepEqual(types.slice(0, 5), ['text', 'unsupported', 'text', 'image', 'reaction']);
  assert.ok(types.slice(5).every((type) => type === 'unsupported'));
});

test('the same webhook four times at once, on two instances, is applied once', async (t) => {
  const own = await world.tenant();
  const [one, two] = [await receiver(t), await receiver(t)];
  await Promise.all([one.inbound.start(), two.inbound.start()]);
  const reaction = text('x', { type: 'reaction', reaction: { message_id: 'wamid.first', emoji: '👍' } });
  const same = manyMessages(own, [text('once', { id: 'wamid.first' }), reaction, text('twice')]);
  await Promise.all([one.store(same), two.store(same), one.store(same), two.store(same)]);
  await Promise.all([applied(one.inbound), applied(two.inbound)]);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 100);
  assert.deepEqual(messages.map((each) => [each.type, each.reactions?.length ?? 0]).reverse(), [
    ['text', 1],
    ['reaction', 0],
    ['text', 0],
  ]);
});

test('a reaction that comes before its message is applied when that is there', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  const reaction = { message_id: 'wamid.early', emoji: '🎉' };
  await store(manyMessages(own, [text('x', { type: 'reaction', reaction })]));
  await applied(inbound);
  await store(manyMessages(own, [text('late', { id: 'wamid.early' })]));
  await until('it stands at the message', async () => {
    const { messages } = await listMessages(world.db, own.tenant, { type: 'text' }, null, 1);
    return messages[0]?.reactions?.[0]?.emoji === '🎉';
  });
});

test('nothing was said later than it was heard', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  await store(manyMessages(own, [text('from the future', { timestamp: '99999999999' })]));
  await applied(inbound);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 1);
  assert.ok((messages[0]?.delivered_at?.getTime() ?? Number.POSITIVE_INFINITY) <= Date.now());
});

test('changes of an account go to who applies their field; what is left out is noted on the webhook', async (t) => {
  const seen: AccountChange[] = [];
  const { inbound, store, metrics } = await receiver(t, {
    applyChanges: {
      async account_alerts(changes) {
        seen.push(...changes);
        return changes.filter((change) => change.value['bad']).map(() => 'no alert');
      },
    },
  });
  await inbound.start();
  await world.db.script('delete from raw_webhooks');
  const changes = [
    { field: 'account_alerts', value: { n: 1 } },
    { field: 'toString', value: {} },
    { field: 'history', value: { n: 3 } },
    { field: 'account_alerts', value: { bad: true } },
  ];
  await store(JSON.stringify({ entry: [{ id: 102290129340398, changes }] }));
  await applied(inbound);
  assert.deepEqual(
    seen.map(({ app, account_id, field, value }) => [app, account_id, field, value]),
    [
      ['default', '102290129340398', 'account_alerts', { n: 1 }],
      ['default', '102290129340398', 'account_alerts', { bad: true }],
    ],
  );
  assert.deepEqual(await troubles(world.db), ['no alert']);
  const ofTheAccount = { field: 'messages', value: { errors: [{ code: 130429 }] } };
  await store(JSON.stringify({ entry: [{ id: '1', changes: [ofTheAccount] }] }));
  await applied(inbound);
  assert.match(await metrics.render(), /aldis_provider_errors_total\{code="130429"\} 1/);
});

test('a field that nothing is done about is kept raw [field history] [field smb_app_state_sync] [field automatic_events] [field partner_solutions] [field payment_configuration_update]', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  await world.db.script('delete from raw_webhooks');
  const fields = [
    'history',
    'smb_app_state_sync',
    'automatic_events',
    'partner_solutions',
    'payment_configuration_update',
  ];
  const bodies = fields.map((field) => changeOf(own, field, { history: [{ threads: [] }] }));
  for (const body of bodies) await store(body);
  await applied(inbound);
  const raw = { name: 'test_raw', text: 'select body, error from raw_webhooks order by id' };
  const kept = await world.db.query<{ body: Buffer; error: string | null }>(raw);
  assert.deepEqual(
    kept.map(({ body, error }) => [body.toString(), error]),
    bodies.map((body) => [body, null]),
  );
  assert.deepEqual(await texts(own), []);
});

test('beyond its room webhooks wait in the database, and are applied in their order', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t, { room: { webhooks: 5, bytes: 100_000 } });
  const all = Array.from({ length: 40 }, (_, i) => `number ${i}`);
  for (const body of all) await store(manyMessages(own, [text(body)]));
  assert.equal(inbound.backlog, 5);
  await inbound.start();
  await applied(inbound);
  assert.deepEqual(await texts(own), all);
  await store(manyMessages(own, [text('after')]));
  await until('what comes after is applied', async () => (await texts(own)).at(-1) === 'after');
});

test('what follows from messages is done before their work is finished', async (t) => {
  const own = await world.tenant();
  const followed: string[] = [];
  let fails = 1;
  const { inbound, store } = await receiver(t, {
    async afterReceive(stored) {
      assert.ok((await pending(world.db)) > 0);
      if (fails-- > 0) throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
      followed.push(...stored.map((one) => String(one.content?.['text'])));
    },
  });
  await inbound.start();
  await store(manyMessages(own, [text('STOP')]));
  await applied(inbound);
  assert.deepEqual([followed, await texts(own)], [['STOP'], ['STOP']]);
});

test('a call of a customer opens his window, a call to him does not', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  await store(manyMessages(own, [text('hi', { timestamp: '1749416383' })]));
  await applied(inbound);
  const call = { id: 'wacid.1', from: '16505551234', event: 'connect', direction: 'USER_INITIATED' };
  const calls = [
    { ...call, timestamp: '1749420000' },
    { ...call, timestamp: '1749410000' },
    { ...call, timestamp: '1749490000', direction: 'BUSINESS_INITIATED' },
    { ...call, timestamp: '1749490000', event: 'terminate' },
    { ...call, timestamp: '1749490000', from: '16505550000' },
  ];
  await store(changeOf(own, 'calls', { calls }));
  await applied(inbound);
  const windows = 'select window_expires_at as until from conversations where tenant_id = $1';
  const rows = await world.db.query<{ until: Date }>({ name: 'test_windows', text: windows }, [own.tenant]);
  assert.deepEqual(
    rows.map((row) => row.until.getTime()),
    [(1_749_420_000 + 86_400) * 1000],
  );
});

test('receipts tell the ids of customers who are known by number: later they are known without it', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  const send = await own.sending({ address: '+16505551234' });
  await own.settle(send, { kind: 'sent', wamid: 'wamid.to.ana' });
  const status = { id: 'wamid.to.ana', recipient_id: '16505551234', timestamp: '1749416383' };
  const contacts = [{ wa_id: '16505551234', user_id: 'US.77' }];
  await store(changeOf(own, 'messages', { contacts, statuses: [{ ...status, status: 'delivered' }] }));
  await applied(inbound);
  await store(changeOf(own, 'messages', { statuses: [{ ...status, status: 'read', recipient_user_id: 'US.77' }] }));
  await store(manyMessages(own, [text('no number', { from: undefined, from_user_id: 'US.77' })]));
  await applied(inbound);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  assert.deepEqual([messages.length, new Set(messages.map((one) => one.conversation_id)).size], [2, 1]);
});

/** The receipt of a message that is on its way. */
async function receiptOf(own: TenantWorld, address: string, recipient: string) {
  const send = await own.sending({ address });
  const wamid = `wamid.${send.message_id}`;
  await own.settle(send, { kind: 'sent', wamid });
  const opaque = marker.write({ message: send.message_id, attempt: send.attempt, startedAt: Date.now() });
  const about = { id: wamid, timestamp: '1749416383', biz_opaque_callback_data: opaque };
  return { ...about, status: 'sent', recipient_id: recipient.slice(1) };
}

test('where WhatsApp spells numbers otherwise, receipts tell its own: what comes from there is of whom was written to', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  // Of each pair the second is WhatsApp's. The last one is of no such country.
  const pairs = [
    ['+5511987654321', '+551187654321'],
    ['+525512345678', '+5215512345678'],
    ['+541158749895', '+5491158749895'],
    ['+16505550001', '+16505550002'],
  ] as const;
  for (const [dialled, told] of pairs) {
    const receipt = await receiptOf(own, dialled, told);
    // His answer may come together with the receipt.
    const messages = [text('STOP', { from: told.slice(1) })];
    await store(changeOf(own, 'messages', { statuses: [receipt, { ...receipt, status: 'read' }], messages }));
    await applied(inbound);
    await store(manyMessages(own, [text('I said so', { from: told.slice(1) })]));
    await applied(inbound);
  }
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 20);
  const contacts = pairs.map(([dialled, told]) => {
    const ofPair = messages.filter(({ address }) => address === dialled || address === told);
    return [ofPair.length, new Set(ofPair.map((one) => one.contact_id)).size];
  });
  assert.deepEqual(contacts, [
    [3, 1],
    [3, 1],
    [3, 1],
    [3, 2],
  ]);
});

test('a number that somebody has already is not learnt: who wrote from it stays who he is', async (t) => {
  const own = await world.tenant();
  const { inbound, store } = await receiver(t);
  await inbound.start();
  const words = (said: string) => store(manyMessages(own, [text(said, { from: '551188887777' })]));
  await words('I was here before');
  await applied(inbound);
  const receipt = await receiptOf(own, '+5511988887777', '+551188887777');
  await store(changeOf(own, 'messages', { statuses: [receipt] }));
  await applied(inbound);
  await words('and am still');
  await applied(inbound);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  const [inbounds, sent] = [true, false].map((isIn) =>
    messages.filter((one) => (one.direction === 'inbound') === isIn),
  );
  assert.equal(new Set(inbounds?.map((one) => one.contact_id)).size, 1);
  assert.notEqual(inbounds?.[0]?.contact_id, sent?.[0]?.contact_id);
});
