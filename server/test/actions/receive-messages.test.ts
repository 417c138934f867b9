import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type ReceivedMessage, receiveMessages } from '../../src/actions/receive-messages.ts';
import { openPool } from '../../src/db/pool.ts';
import type { ContactId, ConversationId } from '../../src/domain/ids.ts';
import type { StoredMessage } from '../../src/domain/inbound-message.ts';
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
const HOUR = 3_600_000;

function inbound({ tenant, sender }: TenantWorld, change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const text = { type: 'text', content: { text: 'Hi' }, name: 'Ana', replyTo: null };
  return { tenant, sender, wamid: `wamid.in.${++count}`, at: AT, phone: null, userId: null, ...text, ...change };
}

const receive = async (...messages: ReceivedMessage[]) =>
  (await receiveMessages(world.db, world.signals, messages, 0)).length;

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
  assert.equal(fresh[0] + fresh[1].length, 2);
  const found = await conversations(own);
  assert.deepEqual(
    found.map(({ unread, total }) => [unread, total]),
    [[2, 2]],
  );
});

test('what is nothing to read is counted, and not as unread', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const types = ['reaction', 'edit', 'revoke', 'system'];
  await receive(inbound(own, { phone }), ...types.map((type) => inbound(own, { phone, type })));
  await receive(inbound(own, { phone, type: 'reaction', at: AT + 1000 }));
  const [found] = await conversations(own);
  assert.deepEqual([found?.unread, found?.total, found?.last], [1, 6, new Date(AT + 1000)]);
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

test('the window is open for a day, for three after an ad, and is never shortened', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const window = async () => (await conversations(own))[0]?.window.getTime();
  await receive(inbound(own, { phone, windowHours: 72 }));
  assert.equal(await window(), AT + 72 * HOUR);
  await receive(inbound(own, { phone, at: AT + HOUR }));
  assert.equal(await window(), AT + 72 * HOUR);
  await receive(inbound(own, { phone, at: AT + 60 * HOUR }));
  assert.equal(await window(), AT + 84 * HOUR);
  await receive(inbound(own, { phone, type: 'system', at: AT + 80 * HOUR, windowHours: 0 }));
  assert.equal(await window(), AT + 84 * HOUR);
  const silent = await world.tenant();
  await receive(inbound(silent, { phone, type: 'system', windowHours: 0 }));
  assert.deepEqual(
    (await conversations(silent)).map((one) => one.window),
    [null],
  );
});

test('what a customer calls himself is kept beside the name that the tenant gave', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const profile = async () => {
    const text = 'select name, profile_name, username from contacts where tenant_id = $1';
    return (await world.db.query<object>({ name: 'test_profile', text }, [own.tenant]))[0];
  };
  await receive(inbound(own, { phone, username: '@ana' }));
  assert.deepEqual(await profile(), { name: 'Ana', profile_name: 'Ana', username: '@ana' });
  await receive(inbound(own, { phone, name: 'Ana B.' }), inbound(own, { phone, name: null }));
  assert.deepEqual(await profile(), { name: 'Ana', profile_name: 'Ana B.', username: '@ana' });
});

test('a file is work for who fetches it, once, and he is told', async (t) => {
  const own = await world.tenant();
  let told = 0;
  t.after(world.signals.listen('media', () => told++));
  const media = { mime_type: 'application/pdf', sha256: 'abc=', filename: 'a.pdf', state: 'pending' };
  const message = inbound(own, { phone: newPhone(), type: 'document', content: { media }, mediaId: '123' });
  await receive(message, inbound(own, { phone: newPhone() }));
  await receive(message);
  const text = `
    select provider_id, mime_type, sha256, filename, sender_id from media_fetches where tenant_id = $1`;
  assert.deepEqual(await world.db.query<object>({ name: 'test_fetches', text }, [own.tenant]), [
    { provider_id: '123', mime_type: 'application/pdf', sha256: 'abc=', filename: 'a.pdf', sender_id: own.sender },
  ]);
  assert.equal(told, 1);
});

test('what the business wrote in its app is recorded as sent, and says nothing of the customer', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const echo = inbound(own, { phone, name: null, outbound: true, windowHours: 0 });
  assert.equal(await receive(echo, echo), 1);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 10);
  assert.deepEqual(
    messages.map((one) => [one.direction, one.state, one.sender_type, one.sent_at, one.delivered_at, one.wamid]),
    [['outbound', 'sent', 'agent', new Date(AT), null, echo.wamid]],
  );
  const [talk] = await conversations(own);
  assert.deepEqual([talk?.unread, talk?.last, talk?.window, talk?.total], [0, null, null, 0]);
  await receive(inbound(own, { phone, at: AT + 1000 }));
  await receive(inbound(own, { phone, at: AT + 2000, outbound: true, windowHours: 0 }));
  const [later] = await conversations(own);
  assert.deepEqual([later?.unread, later?.last, later?.total], [1, new Date(AT + 1000), 1]);
});

test('first messages of one customer at the same instant on several instances: one contact, one conversation', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 4, onError: () => {} });
  for (let round = 0; round < 5; round++) {
    const phone = newPhone();
    const userId = `US.${newPhone().slice(1)}`;
    const names = [{ phone }, { phone, userId }, { phone, userId }, { phone, userId }];
    await Promise.all(
      names.map((name, i) => receiveMessages(i % 2 ? other : world.db, world.signals, [inbound(own, name)], i % 2)),
    );
    const all = await conversations(own);
    assert.equal(all.length, round + 1);
    assert.equal(all.at(-1)?.names, `bsuid ${userId}, phone ${phone}`);
  }
  const total = (await conversations(own)).reduce((sum, one) => sum + one.unread, 0);
  await other.close();
  assert.equal(total, 20);
});

test('in one webhook messages keep their order, and a conversation is written once', async () => {
  const own = await world.tenant();
  const phones = Array.from({ length: 7 }, newPhone);
  const all = Array.from({ length: 1000 }, (_, i) =>
    inbound(own, { phone: phones[i % 7] ?? null, at: AT + (i % 13) * 1000, content: { text: String(i) } }),
  );
  assert.equal(await receive(...all), 1000);
  const { messages } = await listMessages(world.db, own.tenant, {}, null, 1000);
  assert.deepEqual(
    messages.map((one) => one.content),
    all.map((one) => one.content).reverse(),
  );
  const found = await conversations(own);
  assert.deepEqual([found.length, found.reduce((sum, one) => sum + one.unread, 0)], [7, 1000]);
});

test('what follows from messages is told at least once, repeated ones and all but what the business wrote', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const said = inbound(own, { phone });
  const told: (readonly [string, boolean])[] = [];
  const follow = async (stored: readonly StoredMessage[]) => {
    told.push(...stored.map((one) => [one.type, one.repeated] as const));
  };
  const cut = receiveMessages(world.db, world.signals, [said], 0, () => Promise.reject(new Error('cut off')));
  await assert.rejects(cut, /cut off/);
  const echo = inbound(own, { phone, outbound: true });
  const all = [said, inbound(own, { phone, type: 'button' }), echo];
  await receiveMessages(world.db, world.signals, all, 0, follow);
  assert.deepEqual(told, [
    ['text', true],
    ['button', false],
  ]);
});
