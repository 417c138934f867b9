import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import type { ReceivedMessage } from '../../src/domain/inbound-message.ts';
import { newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});

const AT = Date.parse('2026-11-01T12:00:00Z');
const phone = newPhone();

async function receive({ tenant, sender }: Customer, ...messages: Partial<ReceivedMessage>[]): Promise<string[]> {
  const usual = { type: 'text', at: AT, phone, userId: null, name: null, content: { text: 'Hi' }, replyTo: null };
  const whole = messages.map((message, i) => ({ tenant, sender, wamid: `wamid.${i}`, ...usual, ...message }));
  return (await receiveMessages(world.db, world.signals, whole, 0)).map((one) => one.message);
}

test('what customers do to messages later is shown in lists, by id, in the history and in events', async () => {
  const customer = await world.customer();
  const [id] = await receive(
    customer,
    {},
    { type: 'reaction', content: {}, act: { kind: 'reaction', target: 'wamid.0', emoji: '👍' }, at: AT + 1000 },
    { type: 'edit', content: {}, act: { kind: 'edit', target: 'wamid.0', text: 'Hello' }, at: AT + 2000 },
    { type: 'revoke', content: {}, act: { kind: 'revoke', target: 'wamid.0' }, at: AT + 3000 },
  );
  const { body } = await customer.get(`/api/v1/messages/${id}`);
  const { history, ...message } = body;
  const { held: _held, ...told } = message;
  assert.deepEqual(
    [message['content'], message['reactions'], message['edited_at'], message['deleted_at']],
    [
      { text: 'Hello', original_text: 'Hi' },
      [{ from: phone, emoji: '👍', at: '2026-11-01T12:00:01.000Z' }],
      '2026-11-01T12:00:02.000Z',
      '2026-11-01T12:00:03.000Z',
    ],
  );
  const steps = (history as { step: string }[]).map(({ step }) => step);
  assert.deepEqual(steps.sort(), ['deleted', 'edited', 'received']);
  const list = await customer.get('/api/v1/messages?type=text');
  assert.deepEqual(list.body.messages, [message]);
  await until('all events are shown', async () => {
    const events = (await customer.get('/api/v1/events')).body.events.filter(({ data }) => data['id'] === id);
    if (events.length < 4) return false;
    assert.deepEqual(
      events.map(({ type }) => type),
      ['message.received', 'message.reaction', 'message.edited', 'message.deleted'],
    );
    assert.deepEqual(events.at(-1)?.data, told);
    return true;
  });
});

test('a reaction that was taken back is shown no more', async () => {
  const customer = await world.customer();
  const act = (emoji: string | null) => ({ kind: 'reaction' as const, target: 'wamid.0', emoji });
  const [id] = await receive(
    customer,
    {},
    { type: 'reaction', act: act('👍') },
    { type: 'reaction', act: act(null), at: AT + 1000 },
  );
  const { body } = await customer.get(`/api/v1/messages/${id}`);
  assert.deepEqual(body['reactions'], []);
});
