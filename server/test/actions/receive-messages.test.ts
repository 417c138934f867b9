import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type ReceivedMessage, receiveMessages } from '../../src/actions/receive-messages.ts';
import { openPool } from '../../src/db/pool.ts';
import type { ContactId, ConversationId } from '../../src/domain/ids.ts';
import { listMessages } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

let count = 0;
const AT = Date.parse('2026-11-01T12:00:00Z');

function inbound({ tenant, sender }: TenantWorld, change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const text = { type: 'text', content: { text: 'Hi' }, name: 'Ana', replyTo: null };
  return { tenant, sender, wamid: `wamid.in.${++count}`, at: AT, phone: null, userId: null, ...text, ...change };
}

const receive = (...messages: ReceivedMessage[]) => receiveMessages(world.db, world.signals, messages, 0);

interface Conversation {
  id: ConversationId;
  contact_id: ContactId;
  unread: number;
  last: Date;
  window: Date;
  name: string | null;
  total: number;
  names: string;
}

/** The conversations of a tenant with their contacts, in the order in which they were made. */
function conversations({ tenant }: TenantWorld): Promise<Conversation[]> {
  const text = `
    select v.id, v.contact_id, v.unread_count as unread, v.last_inbound_at as last, v.window_expires_at as window, c.name,
      c.total_messages as total, (select string_agg(kind || ' ' || value, ', ' order by kind) from contact_identities i
        where i.tenant_id = v.tenant_id and i.contact_id = v.contact_id) as names
    from conversations v join contacts c on c.tenant_id = v.tenant_id and c.id = v.contact_id
    where v.tenant_id = $1 order by v.id`;
  return world.db.query<Conversation>({ name: 'test_conversations', text }, [tenant]);
}

test('a new customer is a contact with a conversation, and the window opens for a day', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  assert.equal(await receive(inbound(own, { phone, replyTo: 'wamid.Q' }), inbound(own, { phone, at: AT + 5000 })), 2);
  const [found, ...others] = await conversations(own);
  assert.ok(found);
  assert.equal(others.length, 0);
  assert.deepEqual(
    { ...found, id: '', contact_id: '' },
    {
      id: '',
      contact_id: '',
      unread: 2,
      last: new Date(AT + 5000),
      window: new Date(AT + 5000 + 86_400_000),
      name: 'Ana',
      total: 2,
      names: `phone ${phone}`,
    },
  );
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  assert.deepEqual(
    messages.map(({ direction, state, address, reply_to, delivered_at }) => [
      direction,
      state,
      address,
      reply_to,
      delivered_at,
    ]),
    [
      ['inbound', 'delivered', phone, null, new Date(AT + 5000)],
      ['inbound', 'delivered', phone, 'wamid.Q', new Date(AT)],
    ],
  );
});

test('a message that came before changes nothing: in the same webhook, later, or on another instance at once', async () => {
  const own = await world.tenant();
  const message = inbound(own, { phone: newPhone() });
  const other = openPool({ connection: world.database.url, max: 2, onError: () => {} });
  const fresh = await Promise.all([
    receive(message, message),
    receiveMessages(other, world.signals, [message, inbound(own, { phone: message.phone })], 4),
  ]);
  await other.close();
  assert.equal(await receive(message), 0);
  assert.equal(fresh[0] + fresh[1], 2);
  const found = await conversations(own);
  assert.deepEqual(
    found.map(({ unread, total }) => [unread, total]),
    [[2, 2]],
  );
});

test('older messages that come late count as unread and do not shorten the window', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  await receive(inbound(own, { phone }));
  await receive(inbound(own, { phone, at: AT - 60_000 }));
  const [found] = await conversations(own);
  assert.deepEqual([found?.unread, found?.last, found?.total], [2, new Date(AT), 2]);
});

test('a person is one contact by number and by user id, in whichever order they become known', async () => {
  const own = await world.tenant();
  const [phone, userId] = [newPhone(), 'US.1'];
  await receive(inbound(own, { phone }));
  await receive(inbound(own, { phone, userId }));
  await receive(inbound(own, { userId }));
  const found = await conversations(own);
  assert.deepEqual(
    found.map(({ names, unread }) => [names, unread]),
    [[`bsuid ${userId}, phone ${phone}`, 3]],
  );

  const together = await world.tenant();
  await receive(inbound(together, { phone }), inbound(together, { phone, userId }), inbound(together, { userId }));
  assert.deepEqual(
    (await conversations(together)).map((one) => one.names),
    [`bsuid ${userId}, phone ${phone}`],
  );
});

test('a customer we wrote to before is found by the number, with the conversation', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const sent = await own.read(await own.accept({ address: phone }));
  await receive(inbound(own, { phone }));
  const [found, ...others] = await conversations(own);
  assert.deepEqual([found?.id, found?.contact_id, others.length], [sent.conversation_id, sent.contact_id, 0]);
});

test('accepting and receiving, when both meet a new customer at once, agree on who it is', async () => {
  const own = await world.tenant();
  for (let round = 0; round < 8; round++) {
    const phone = newPhone();
    const [id] = await Promise.all([
      own.accept({ address: phone }),
      receive(inbound(own, { phone })),
      receive(inbound(own, { phone })),
    ]);
    const { contact_id } = await own.read(id);
    const found = (await conversations(own)).filter((one) => one.names === `phone ${phone}`);
    assert.deepEqual(
      found.map((one) => [one.contact_id, one.unread]),
      [[contact_id, 2]],
    );
  }
});

test('what the database cannot hold is replaced, and the rest kept', async () => {
  const own = await world.tenant();
  const raw = { type: 'sticker', 'k\0ey': ['\ud800', { deep: '\0' }] };
  await receive(
    inbound(own, { phone: newPhone(), content: { text: 'a\0b' }, name: 'Ana' }),
    inbound(own, { phone: newPhone(), type: 'sticker', content: { unsupported: true, raw } }),
  );
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  assert.deepEqual(
    messages.map((message) => message.content),
    [
      { unsupported: true, raw: { type: 'sticker', 'k\ufffdey': ['\ufffd', { deep: '\ufffd' }] } },
      { text: 'a\ufffdb' },
    ],
  );
});

test('tenants know their customers apart', async () => {
  const [one, two] = [await world.tenant(), await world.tenant()];
  const phone = newPhone();
  const message = inbound(one, { phone });
  assert.equal(await receive(message, { ...message, tenant: two.tenant, sender: two.sender }), 2);
  const found = [...(await conversations(one)), ...(await conversations(two))];
  assert.equal(new Set(found.map((each) => each.contact_id)).size, 2);
});
