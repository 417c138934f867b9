import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { applyParkedActs, isParkedAct } from '../../src/actions/act-messages.ts';
import { findParked } from '../../src/actions/apply-receipts.ts';
import { type CustomerReads, createCustomerReads } from '../../src/actions/mark-read.ts';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import type { MessageId } from '../../src/domain/ids.ts';
import type { MessageAct, ReceivedMessage } from '../../src/domain/inbound-message.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, newPhone, readLog, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;
let reads: CustomerReads;

before(async () => {
  world = await engineWorld();
  reads = createCustomerReads(world);
});
afterEach(() => assertSound(world.db));
after(() => world.close());

let count = 0;
const AT = Date.parse('2026-11-01T12:00:00Z');

function message({ tenant, sender }: TenantWorld, change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const text = { type: 'text', content: { text: 'Hi' }, name: null, replyTo: null };
  return { tenant, sender, wamid: `wamid.act.${++count}`, at: AT, phone: null, userId: null, ...text, ...change };
}

function act(
  own: TenantWorld,
  phone: string,
  what: MessageAct,
  change: Partial<ReceivedMessage> = {},
): ReceivedMessage {
  const content = { [what.kind]: { message_id: null, whatsapp_message_id: what.target } };
  return message(own, { phone, type: what.kind, content, act: what, at: AT + 1000, ...change });
}

const receive = (...messages: ReceivedMessage[]) => receiveMessages(world.db, world.signals, messages, 0);

async function events({ tenant }: TenantWorld, id: MessageId, total: number): Promise<string[]> {
  return (await readLog(world.db, tenant, total)).filter((event) => event.id === id).map((event) => event.event_type);
}

test('a reaction is a row of its own, stands at the message it is for, and is told as an event of that', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const send = await own.sending({ address: phone });
  await own.settle(send, { kind: 'sent', wamid: 'wamid.mine' });
  const [row] = await receive(act(own, phone, { kind: 'reaction', target: 'wamid.mine', emoji: '👍' }));
  assert.ok(row);
  const target = await own.read(send.message_id);
  assert.deepEqual(target.reactions, [{ by: row.contact, from: phone, emoji: '👍', at: '2026-11-01T12:00:01.000Z' }]);
  assert.equal(target.state, 'sent');
  const reaction = await own.read(row.message);
  assert.deepEqual(
    [reaction.type, reaction.direction, reaction.conversation_id, reaction.content],
    [
      'reaction',
      'inbound',
      target.conversation_id,
      { reaction: { message_id: send.message_id, whatsapp_message_id: 'wamid.mine' } },
    ],
  );
  assert.deepEqual(await events(own, send.message_id, 4), ['message.queued', 'message.sent', 'message.reaction']);
});

test('a customer edits and deletes what he wrote, in the same webhook as well; then it is read', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const first = message(own, { phone, wamid: 'wamid.first' });
  const edit = act(own, phone, { kind: 'edit', target: 'wamid.first', text: 'Hello' });
  const [said, edited] = await receive(first, edit);
  assert.ok(said && edited);
  assert.deepEqual((await own.read(edited.message)).content, {
    edit: { message_id: said.message, whatsapp_message_id: 'wamid.first' },
  });
  await reads.markRead(own.tenant, said.message);
  await receive(act(own, phone, { kind: 'revoke', target: 'wamid.first' }, { at: AT + 2000 }));
  const target = await own.read(said.message);
  assert.deepEqual(
    [target.content, target.edited_at, target.deleted_at, target.state],
    [{ text: 'Hello', original_text: 'Hi' }, new Date(AT + 1000), new Date(AT + 2000), 'read'],
  );
  assert.deepEqual(await events(own, said.message, 6), [
    'message.received',
    'message.edited',
    'message.read',
    'message.deleted',
  ]);
});

test('nobody changes what somebody else wrote, but the business in its app what is its own', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const echo = message(own, { phone, wamid: 'wamid.echo', outbound: true, windowHours: 0 });
  const [sent, said] = await receive(echo, message(own, { phone, wamid: 'wamid.said' }));
  assert.ok(sent && said);
  await receive(
    act(own, phone, { kind: 'edit', target: 'wamid.echo', text: 'Forged' }),
    act(own, phone, { kind: 'revoke', target: 'wamid.said' }, { outbound: true }),
    act(own, newPhone(), { kind: 'edit', target: 'wamid.said', text: 'Another customer' }),
    act(own, newPhone(), { kind: 'revoke', target: 'wamid.said' }),
  );
  assert.deepEqual((await own.read(sent.message)).content, { text: 'Hi' });
  const { content, edited_at, deleted_at } = await own.read(said.message);
  assert.deepEqual([content, edited_at, deleted_at], [{ text: 'Hi' }, null, null]);
  await receive(act(own, phone, { kind: 'edit', target: 'wamid.echo', text: 'Mine' }, { outbound: true }));
  assert.deepEqual((await own.read(sent.message)).content, { text: 'Mine', original_text: 'Hi' });
});

test('what comes before the message it is for waits for it', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const target = 'wamid.late';
  await receive(
    act(own, phone, { kind: 'reaction', target, emoji: '🎉' }),
    act(own, phone, { kind: 'edit', target, text: 'Edited' }),
  );
  assert.deepEqual(await findParked(world.db), []);
  const [said] = await receive(message(own, { phone, wamid: target }));
  assert.ok(said);
  const parked = await findParked(world.db);
  assert.deepEqual(parked.map(isParkedAct), [true, true]);
  await applyParkedActs(world.db, world.signals, parked);
  await applyParkedActs(world.db, world.signals, parked);
  const found = await own.read(said.message);
  assert.deepEqual(
    [found.content, found.reactions?.length, await findParked(world.db)],
    [{ text: 'Edited', original_text: 'Hi' }, 1, []],
  );
});

test('the same acts again, and many at once, change nothing more', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [said] = await receive(message(own, { phone, wamid: 'wamid.often' }));
  assert.ok(said);
  const acts = ['👍', '❤️', null, '😮'].map((emoji, i) =>
    act(own, phone, { kind: 'reaction', target: 'wamid.often', emoji }, { at: AT + i * 1000 }),
  );
  await Promise.all(acts.flatMap((one) => [receive(one), receive(one), receive(...acts)]));
  assert.deepEqual((await own.read(said.message)).reactions, [
    { by: said.contact, from: phone, emoji: '😮', at: '2026-11-01T12:00:03.000Z' },
  ]);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  assert.equal(messages.length, 5);
});

test('tenants act on their own messages only', async () => {
  const [one, two] = [await world.tenant(), await world.tenant()];
  const phone = newPhone();
  const [said] = await receive(message(one, { phone, wamid: 'wamid.shared' }));
  assert.ok(said);
  await receive(act(two, phone, { kind: 'revoke', target: 'wamid.shared' }));
  assert.equal((await one.read(said.message)).deleted_at, null);
});
