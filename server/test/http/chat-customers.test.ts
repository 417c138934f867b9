import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { type ConversationId, type MessageId, newId } from '../../src/domain/ids.ts';
import type { Word } from '../../src/signals/signals.ts';
import { newPhone } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { type ChatTenant, chatTenant, type Speaker, say } from './chat-users.ts';
import { type DoorWorld, doorWorld } from './door-world.ts';

/*
 * Conversations with a customer: what agents say there leaves by WhatsApp, what he answers appears beside it, notes stay inside.
 */

let world: DoorWorld;
let tenant: ChatTenant;
let agent: Speaker;
before(async () => {
  world = await doorWorld();
});
beforeEach(async () => {
  tenant = await chatTenant(world);
  agent = tenant.user('agent 1');
});
after(async () => {
  try {
    await assertSound(world.db);
  } finally {
    await world.close();
  }
});

let wamids = 0;

/** The customer writes. Gives our id of his message. */
async function answers(phone: string, text: string, change: object = {}): Promise<MessageId> {
  const said = {
    tenant: tenant.tenant,
    sender: tenant.sender,
    wamid: `wamid.chat.${++wamids}`,
    type: 'text',
    at: Date.now(),
    phone,
    userId: null,
    name: 'Cora',
    content: { text },
    replyTo: null,
    ...change,
  };
  const [received] = await receiveMessages(world.db, world.signals, [said], 0);
  assert.ok(received);
  return received.message;
}

/** A conversation of an agent with a customer who has written. */
async function conversation(): Promise<{ id: ConversationId; phone: string; first: MessageId }> {
  const phone = newPhone();
  const first = await answers(phone, 'Hello?');
  const asked = { type: 'customer', to: phone, external_id: `case ${phone}`, participants: [{ user_id: 'agent 1' }] };
  const { status, body } = await tenant.software.ask('POST', '/conversations', asked);
  // It came to be with his first message.
  assert.equal(status, 200, body.message);
  return { id: body.id as ConversationId, phone, first };
}

test('one is made with whom nobody wrote to yet, and the first message opens it', async () => {
  const phone = newPhone();
  const asked = { type: 'customer', to: phone, title: 'New', participants: [{ user_id: 'agent 1' }] };
  const made = await tenant.software.ask('POST', '/conversations', asked);
  assert.deepEqual([made.status, made.body.type, made.body.sender_id], [201, 'customer', tenant.sender]);
  const again = await tenant.software.ask('POST', '/conversations', {
    type: 'customer',
    contact_id: made.body.contact_id,
  });
  assert.deepEqual([again.status, again.body.id, again.body.title], [200, made.body.id, 'New']);
  const told = await agent.ask('POST', '/messages', {
    conversation_id: made.body.id,
    template: { name: 'hello', language: 'en' },
  });
  assert.deepEqual([told.status, told.body.to], [202, phone], told.body.message);
  const list = (await agent.ask('GET', '/conversations')).body.conversations;
  assert.deepEqual(
    list.map((one) => [one.id, one.last_message?.id, one.last_message?.message_type]),
    [[made.body.id, told.body.id, 'template']],
  );
});

test('what an agent says leaves by WhatsApp with its author, and stands with the answers and notes in one history', async () => {
  const { id, phone, first } = await conversation();
  const said = await agent.ask('POST', '/messages', {
    conversation_id: id,
    content: 'How can I help?',
    parent_message_id: first,
  });
  assert.deepEqual([said.status, said.body.to, said.body.status], [202, phone, 'queued'], said.body.message);
  const message = (await tenant.get(`/api/v1/messages/${said.body.id}`)).body;
  assert.deepEqual(
    [message['author_id'], message['sender_type'], message['content'], message['reply_to']],
    ['agent 1', 'agent', { text: 'How can I help?' }, (await tenant.read(first)).wamid],
  );
  const note = await say(agent, id, 'Is a good customer', { note: true });
  assert.deepEqual([note.note, note.sender_type, note.user_id], [true, 'agent', 'agent 1']);
  const answer = await answers(phone, 'My order!', { replyTo: (await tenant.read(first)).wamid });
  const { messages } = (await agent.ask('GET', `/conversations/${id}/messages`)).body;
  assert.deepEqual(
    messages.map((one) => [
      one.id,
      one.user_id,
      one.sender_type,
      one.content,
      one.note,
      one.state,
      one.parent_message_id,
    ]),
    [
      [answer, null, 'customer', 'My order!', false, 'delivered', first],
      [note.id, 'agent 1', 'agent', 'Is a good customer', true, undefined, null],
      [said.body.id, 'agent 1', 'agent', 'How can I help?', false, 'queued', first],
      [first, null, 'customer', 'Hello?', false, 'delivered', null],
    ],
  );
  // What is shown of one is what the history shows of it.
  for (const one of messages) assert.deepEqual((await agent.ask('GET', `/messages/${one.id}`)).body, one);
  const pages: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const path: string = `/conversations/${encodeURIComponent(`case ${phone}`)}/messages?limit=1${cursor ? `&before_id=${cursor}` : ''}`;
    const { body } = await agent.ask('GET', path);
    pages.push(...body.messages.map((one) => one.id));
    cursor = body.next_cursor;
    if (cursor === null) break;
  }
  assert.deepEqual(
    pages,
    messages.map((one) => one.id),
  );
  const onwards = (await agent.ask('GET', `/conversations/${id}/messages?after_id=${first}&limit=2`)).body;
  assert.deepEqual([onwards.messages.map((one) => one.id), onwards.next_cursor], [[said.body.id, note.id], note.id]);
  // The customer is sent one message only.
  assert.deepEqual(
    (await tenant.begin()).map((one) => one.message_id),
    [said.body.id],
  );
  const [listed] = (await agent.ask('GET', '/conversations')).body.conversations;
  assert.deepEqual([listed?.last_message?.id, listed?.last_message_at !== null], [answer, true]);
});

test('what is answered or reacted to is of the same conversation', async () => {
  const { id, first } = await conversation();
  const other = await conversation();
  await tenant.software.ask('POST', `/conversations/${other.id}/participants`, {
    participants: [{ user_id: 'other' }],
  });
  const note = await say(agent, id, 'note', { note: true });
  const asked: [body: object, field: string | undefined][] = [
    [{ content: 'x', parent_message_id: other.first }, 'parent_message_id'],
    [{ content: 'x', reply_to: other.first }, 'reply_to'],
    [{ content: { reaction: { message_id: other.first, emoji: '👍' } } }, 'content.reaction.message_id'],
    [{ content: 'x', note: true, parent_message_id: other.first }, 'parent_message_id'],
    // A note has never reached the customer.
    [{ content: 'x', parent_message_id: note.id }, 'parent_message_id'],
  ];
  for (const speaker of [agent, tenant.software]) {
    for (const [body, field] of asked) {
      if (speaker === tenant.software && 'note' in body) continue;
      const told = await speaker.ask('POST', '/messages', { conversation_id: id, ...body });
      assert.deepEqual([told.status, told.body.error, told.body.details?.field], [400, 'invalid_field', field]);
    }
  }
  assert.deepEqual(await tenant.begin(), []);
  assert.equal(
    (await agent.ask('POST', '/messages', { conversation_id: id, content: 'x', reply_to: first })).status,
    202,
  );
  assert.equal((await agent.ask('POST', `/messages/${first}/reactions`, { emoji: '👍' })).status, 202);
});

test("files and places in chat-service's words leave as WhatsApp's", async () => {
  const { id } = await conversation();
  const asked: [said: object, type: string, content: object, shown: string][] = [
    [
      { content: 'Look', message_type: 'image', metadata: { media_url: 'https://files.example/a.jpg' } },
      'image',
      { text: 'Look', media_url: 'https://files.example/a.jpg' },
      'image',
    ],
    [
      { message_type: 'file', metadata: { media_url: 'https://files.example/a.pdf', filename: 'bill.pdf' } },
      'document',
      { media_url: 'https://files.example/a.pdf', filename: 'bill.pdf' },
      'file',
    ],
    [
      { message_type: 'location', metadata: { latitude: 1.5, longitude: 2, name: 'Here' } },
      'location',
      { location: { latitude: 1.5, longitude: 2, name: 'Here' } },
      'location',
    ],
    [{ content: { text: 'Plain' }, type: 'text' }, 'text', { text: 'Plain' }, 'text'],
  ];
  for (const [said, type, content, shown] of asked) {
    const { status, body } = await agent.ask('POST', '/messages', { conversation_id: id, ...said });
    assert.equal(status, 202, `${JSON.stringify(said)}: ${body.message}`);
    const message = await tenant.read(body.id as MessageId);
    assert.deepEqual([message.type, message.content], [type, content]);
    const seen = (await agent.ask('GET', `/messages/${body.id}`)).body;
    assert.deepEqual([seen.message_type, seen.content], [shown, (content as { text?: string }).text ?? null]);
  }
});

test('what has left stays, what has not is cancelled, and a reaction is sent', async () => {
  const { id, first } = await conversation();
  const { body: said } = await agent.ask('POST', '/messages', { conversation_id: id, content: 'Oops' });
  const refused: [method: string, path: string, body: unknown, speaker: Speaker, status: number, error: string][] = [
    ['PUT', said.id, { content: 'Better' }, agent, 409, 'not_supported_by_whatsapp'],
    ['DELETE', first, undefined, agent, 409, 'not_supported_by_whatsapp'],
    ['PUT', first, { content: 'Better' }, tenant.software, 409, 'not_supported_by_whatsapp'],
    ['DELETE', said.id, undefined, tenant.user('zed'), 403, 'not_participant'],
    ['POST', `${said.id}/read`, undefined, agent, 409, 'cannot_mark_read'],
    ['POST', `${first}/read`, undefined, tenant.user('zed'), 403, 'not_participant'],
    ['GET', first, undefined, tenant.user('zed'), 403, 'not_participant'],
    ['GET', `${first}/replies`, undefined, agent, 404, 'not_found'],
  ];
  for (const [method, path, body, speaker, status, error] of refused) {
    const told = await speaker.ask(method, `/messages/${path}`, body);
    assert.deepEqual([told.status, told.body.error], [status, error], `${method} ${path}`);
  }
  for (const _ of [1, 2]) {
    const taken = await agent.ask('DELETE', `/messages/${said.id}`);
    assert.deepEqual([taken.status, taken.body], [200, { id: said.id, status: 'failed', state: 'cancelled' }]);
  }
  const { body: gone } = await agent.ask('POST', '/messages', { conversation_id: id, content: 'Gone' });
  const [begun] = await tenant.begin();
  assert.ok(begun);
  await tenant.settle(begun, { kind: 'sent', wamid: `wamid.out.${++wamids}` });
  const late = await agent.ask('DELETE', `/messages/${gone.id}`);
  assert.deepEqual([late.status, late.body.error], [409, 'not_supported_by_whatsapp']);
  await tenant.software.ask('POST', `/conversations/${id}/participants`, { participants: [{ user_id: 'agent 2' }] });
  const { body: other } = await agent.ask('POST', '/messages', { conversation_id: id, content: 'Mine' });
  const theirs = await tenant.user('agent 2').ask('DELETE', `/messages/${other.id}`);
  assert.deepEqual([theirs.status, theirs.body.error], [403, 'not_yours']);
  const read = await agent.ask('POST', `/messages/${first}/read`);
  assert.deepEqual([read.status, read.body], [200, { id: first, status: 'read', state: 'read' }]);
  const reacted = await agent.ask('POST', `/messages/${first}/reactions`, { emoji: '👍' });
  assert.equal(reacted.status, 202, reacted.body.message);
  const reaction = await tenant.read(reacted.body.id as MessageId);
  assert.deepEqual(
    [reaction.type, (reaction.content as { reaction: { emoji: string } }).reaction.emoji, reaction.author_id],
    ['reaction', '👍', 'agent 1'],
  );
  assert.equal((await agent.ask('DELETE', `/messages/${first}/reactions`)).status, 202);
});

test('who may not write there sends nothing', async () => {
  const { id, phone, first } = await conversation();
  const elsewhere = await conversation();
  const mute = { participants: [{ user_id: 'mute', can_send_messages: false }] };
  await tenant.software.ask('POST', `/conversations/${id}/participants`, mute);
  const post = (speaker: Speaker, body: object) => speaker.ask('POST', '/messages', { conversation_id: id, ...body });
  const refused: [speaker: Speaker, body: object, status: number, error: string][] = [
    [tenant.user('zed'), { content: 'x' }, 403, 'not_participant'],
    [tenant.user('mute'), { content: 'x' }, 403, 'cannot_send_messages'],
    [tenant.user('mute'), { content: 'x', note: true }, 403, 'cannot_send_messages'],
    [tenant.software, { content: 'x', note: true }, 400, 'missing_field'],
    [agent, { content: 'x', mentions: [{ user_id: 'a', offset: 0, length: 1 }] }, 400, 'invalid_field'],
    [agent, { content: 'x', message_type: 'system' }, 400, 'unsupported_type'],
    [agent, { content: 'x', parent_message_id: first, reply_to: first }, 400, 'invalid_field'],
    [agent, { content: 'x', to: phone }, 400, 'two_addressees'],
  ];
  for (const [speaker, body, status, error] of refused) {
    const told = await post(speaker, body);
    assert.deepEqual([told.status, told.body.error], [status, error], JSON.stringify(body));
  }
  const cursor = await agent.ask('GET', `/conversations/${id}/messages?before_id=${elsewhere.first}`);
  assert.deepEqual([cursor.status, cursor.body.error], [400, 'invalid_cursor']);
  const outside = await tenant.user('zed').ask('GET', `/conversations/${id}/messages`);
  assert.deepEqual([outside.status, outside.body.error], [403, 'not_participant']);
  const key = { 'idempotency-key': `before ${id}` };
  const asked = { conversation_id: id, content: 'before' };
  const before = await agent.ask('POST', '/messages', asked, key);
  assert.equal(before.status, 202);
  await tenant.software.ask('PATCH', `/conversations/${id}`, { closed: true });
  for (const speaker of [agent, tenant.software]) {
    const told = await post(speaker, { content: 'x' });
    assert.deepEqual([told.status, told.body.error], [409, 'conversation_closed']);
  }
  const again = await agent.ask('POST', '/messages', asked, key);
  assert.deepEqual([again.status, again.body], [202, before.body]);
  // A campaign is none of the conversation's business.
  assert.equal((await tenant.software.ask('POST', '/messages', { to: phone, content: 'campaign' })).status, 202);
});

test("a customer's answer opens his conversation again, what is no answer does not", async () => {
  const { id, phone } = await conversation();
  const change = { closed: true, title: 'Case "1"', metadata: { a: [1] } };
  const closed = await tenant.software.ask('PATCH', `/conversations/${id}`, change);
  await answers(phone, 'Sent from the business app', { outbound: true });
  assert.deepEqual((await tenant.software.ask('GET', `/conversations/${id}`)).body.closed_at, closed.body.closed_at);

  await Promise.all([answers(phone, 'One more thing'), answers(phone, 'And another')]);
  const open = await tenant.software.ask('GET', `/conversations/${id}`);
  assert.deepEqual(
    [open.body.closed_at, (await agent.ask('POST', '/messages', { conversation_id: id, content: 'Yes?' })).status],
    [null, 202],
  );

  const told = await world.db.query<{ type: string; conversation: Record<string, unknown> }>({
    name: 'test_opened',
    text: `select type, data -> 'conversation' as conversation from events where conversation_id = '${id}' and type like 'conversation.%' order by xid, id`,
  });
  const [closing, opening] = told.slice(-2);
  assert.deepEqual([closing?.type, opening?.type], ['conversation.closed', 'conversation.opened']);
  assert.deepEqual(opening?.conversation, { ...closing?.conversation, closed_at: null });
});

test('typing is shown to the other agents and to the customer, and not to him at each stroke', async () => {
  const { id, first } = await conversation();
  const words: Word[] = [];
  const unhear = world.signals.hear((word) => void words.push(word));
  const marks = () =>
    world.db.query(
      { name: 'test_marks', text: 'select typing_at from read_marks where tenant_id = $1 and message_id = $2' },
      [tenant.tenant, first],
    );
  const path = `/conversations/${id}/typing`;
  assert.equal((await agent.ask('POST', path, { is_typing: true })).status, 202);
  const shown = await marks();
  assert.equal(shown.length, 1);
  assert.equal((await agent.ask('POST', path, { is_typing: true })).status, 202);
  assert.deepEqual(await marks(), shown);
  assert.equal((await agent.ask('POST', path, { is_typing: false })).status, 202);
  assert.equal((await tenant.software.ask('POST', path, { is_typing: true })).status, 202);
  unhear();
  assert.deepEqual(
    words.flatMap((word) => (word.kind === 'typing' && word.tenant === tenant.tenant ? [word.is_typing] : [])),
    [true, true, false],
  );
});

test('what is said keeps its author and livens its conversation beside limits and files, and a campaign does not', async () => {
  const components = [
    { type: 'header', parameters: [{ type: 'document', document: { id: newId(), filename: 'bill.pdf' } }] },
  ];
  const caps = { monthly: 100, daily: 100 };
  const template = { type: 'template', template: { name: 'bill', language: 'en', components } } as const;
  for (const change of [{}, { caps }, template, { ...template, caps }]) {
    const address = newPhone();
    const sent = await tenant.read(await tenant.accept({ ...change, address }));
    const path = `/conversations/${sent.conversation_id}`;
    assert.equal((await tenant.software.ask('GET', path)).body.last_message_at, null);
    const said = await tenant.read(await tenant.accept({ ...change, address, author_id: 'agent 1', said: true }));
    assert.deepEqual(
      [said.author_id, sent.author_id, said.conversation_id],
      ['agent 1', null, sent.conversation_id],
      JSON.stringify(change),
    );
    const { body } = await tenant.software.ask('GET', path);
    assert.deepEqual([body.last_message_at, body.last_message?.id], [said.created_at.toISOString(), said.id]);
  }
});
