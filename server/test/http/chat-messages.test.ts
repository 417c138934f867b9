import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import type { Word } from '../../src/signals/signals.ts';
import { until } from '../until.ts';
import { between, type ChatTenant, chatTenant, say } from './chat-users.ts';
import { type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let tenant: ChatTenant;
before(async () => {
  world = await doorWorld();
});
beforeEach(async () => {
  tenant = await chatTenant(world);
});
after(() => world.close());

test('the documented message is said, answered with its fields and shown to the others', async () => {
  const [ana, ben] = [tenant.user('ana'), tenant.user('ben')];
  const id = await between(tenant, 'group', 'ana', 'ben');
  const parent = await say(ben, id, 'Who is there?');
  const asked = {
    conversation_id: id,
    content: 'Hello, World!',
    message_type: 'text',
    mentions: [{ user_id: 'ben', offset: 7, length: 5 }],
    parent_message_id: parent.id,
    metadata: { media_url: 'https://files.example/a.ogg', duration: 120 },
  };
  const { status, body } = await ana.ask('POST', '/messages', asked);
  assert.equal(status, 202, body.message);
  const { id: message, created_at, seq, ...rest } = body;
  assert.deepEqual(rest, {
    ...asked,
    user_id: 'ana',
    sender_type: 'user',
    note: false,
    reactions: [],
    edited_at: null,
    deleted_at: null,
  });
  assert.equal(seq, 2);
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  for (const speaker of [ana, ben, tenant.software]) {
    assert.deepEqual((await speaker.ask('GET', `/messages/${message}`)).body, body);
  }
  const { messages, next_cursor } = (await ben.ask('GET', `/conversations/${id}/messages`)).body;
  assert.deepEqual([messages.map((one) => one.id), next_cursor], [[message, parent.id], null]);
  assert.deepEqual(messages[0], body);
  const replies = (await ana.ask('GET', `/messages/${parent.id}/replies`)).body;
  assert.deepEqual(replies.messages, [body]);
  // It is no message of WhatsApp, which alone this list is of.
  assert.deepEqual((await tenant.software.ask('GET', '/messages')).body.messages, []);
});

test('what an answer shows as null may be sent back as it is', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'group', 'ana', 'ben');
  const nothing = { parent_message_id: null, metadata: null };
  const { status, body } = await ana.ask('POST', '/messages', { conversation_id: id, content: 'Hello', ...nothing });
  assert.equal(status, 202, body.message);
  assert.deepEqual([body.content, body.parent_message_id, body.metadata], ['Hello', null, null]);
  const { content, message_type, mentions, parent_message_id, metadata, note, sender_type } = body;
  const again = { content, message_type, mentions, parent_message_id, metadata, note, sender_type };
  const repeated = await ana.ask('POST', '/messages', { conversation_id: id, ...again });
  assert.equal(repeated.status, 202, repeated.body.message);
  const file = { message_type: 'image', content: null, metadata: { media_url: 'https://files.example/a.png' } };
  const shown = await ana.ask('POST', '/messages', { conversation_id: id, ...file, parent_message_id: null });
  assert.deepEqual([shown.status, shown.body.content], [202, null], shown.body.message);

  const conversation = (await tenant.software.ask('GET', `/conversations/${id}`)).body;
  const { type, title, external_id, retention_days, sender_id, contact_id } = conversation;
  assert.deepEqual([title, external_id, retention_days, sender_id, contact_id], [null, null, null, null, null]);
  const wanted = { type, title, metadata, external_id, retention_days, sender_id, contact_id };
  const made = await ana.ask('POST', '/conversations', { ...wanted, participants: [{ user_id: 'ben' }] });
  assert.equal(made.status, 201, made.body.message);
  assert.equal(made.body.external_id, null);

  // With a customer too, and in words of the message API.
  const sides = { to: '+6281299990001', contact_id: null, sender_id: null, external_id: null };
  const customer = await tenant.software.ask('POST', '/conversations', {
    ...{ type: 'customer', ...sides, participants: [{ user_id: 'ana' }] },
  });
  assert.equal(customer.status, 201, customer.body.message);
  const times = { scheduled_at: null, expires_at: null, reply_to: null, template: null };
  const sent = await ana.ask('POST', '/messages', {
    ...{ conversation_id: customer.body.id, content: 'Hi', ...nothing, ...times },
  });
  assert.equal(sent.status, 202, sent.body.message);
  const direct = await tenant.software.ask('POST', '/messages', {
    ...{ to: '+6281299990001', content: { text: 'Hi' }, ...nothing, ...times },
  });
  assert.equal(direct.status, 202, direct.body.message);
  // What is missing is missing, and what no answer shows as null is no null.
  for (const [field, error] of [
    ['content', 'missing_field'],
    ['note', 'invalid_field'],
    ['mentions', 'invalid_field'],
    ['conversation_id', 'invalid_field'],
  ] as const) {
    const asked = { conversation_id: id, content: 'Hello', [field]: null };
    const refused = await ana.ask('POST', '/messages', asked);
    assert.deepEqual([refused.status, refused.body.error, refused.body.details?.field], [400, error, field]);
  }
});

test('history goes by cursor in both ways', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const said: string[] = [];
  for (const word of ['a', 'b', 'c', 'd', 'e']) said.push((await say(ana, id, word)).id);
  const page = async (query: string) => {
    const { messages, next_cursor } = (await ana.ask('GET', `/conversations/${id}/messages?${query}`)).body;
    return [messages.map((one) => one.content).join(''), next_cursor];
  };
  assert.deepEqual(await page('limit=2'), ['ed', said[3]]);
  assert.deepEqual(await page(`limit=2&before_id=${said[3]}`), ['cb', said[1]]);
  assert.deepEqual(await page(`limit=2&before_id=${said[1]}`), ['a', null]);
  assert.deepEqual(await page(`limit=2&after_id=${said[0]}`), ['bc', said[2]]);
  assert.deepEqual(await page(`limit=2&after_id=${said[2]}`), ['de', null]);
  const other = await between(tenant, 'direct', 'ana', 'cy');
  const elsewhere = await say(ana, other, 'x');
  for (const query of [`before_id=${elsewhere.id}`, `after_id=${newId()}`, 'before_id=nonsense']) {
    const told = await ana.ask('GET', `/conversations/${id}/messages?${query}`);
    assert.deepEqual([told.status, told.body.error], [400, 'invalid_cursor'], query);
  }
  const both = await ana.ask('GET', `/conversations/${id}/messages?before_id=${said[0]}&after_id=${said[0]}`);
  assert.deepEqual([both.status, both.body.error], [400, 'invalid_field']);
});

test('a page has 50 messages unless more or fewer are asked for', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  await Promise.all(Array.from({ length: 101 }, (_, i) => say(ana, id, `message ${i}`)));
  for (const [query, length] of [
    ['', 50],
    ['?limit=1', 1],
    ['?limit=100', 100],
  ] as const) {
    const { body } = await ana.ask('GET', `/conversations/${id}/messages${query}`);
    const numbers = body.messages.map((one) => one.seq);
    assert.deepEqual(
      numbers,
      Array.from({ length }, (_, i) => 101 - i),
    );
    assert.equal(body.next_cursor, body.messages.at(-1)?.id);
  }
  for (const limit of ['101', '0', '-1', 'x', '1.5']) {
    const told = await ana.ask('GET', `/conversations/${id}/messages?limit=${limit}`);
    assert.equal(told.status, 400, limit);
  }
});

test('a message is edited and deleted by who wrote it, and by nobody else', async () => {
  const [ana, ben] = [tenant.user('ana'), tenant.user('ben')];
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const { id: message } = await say(ana, id, 'frist');
  const path = `/messages/${message}`;
  for (const [method, body] of [['PUT', { content: 'mine' }], ['DELETE']] as const) {
    const told = await ben.ask(method, path, body);
    assert.deepEqual([told.status, told.body.error], [403, 'not_yours'], method);
    const nobody = await tenant.software.ask(method, path, body);
    assert.deepEqual([nobody.status, nobody.body.details?.field], [400, 'X-User-ID'], method);
    const stranger = await tenant.user('zed').ask(method, path, body);
    assert.deepEqual([stranger.status, stranger.body.error], [403, 'not_participant'], method);
  }
  const edited = await ana.ask('PUT', path, { content: 'first' });
  assert.deepEqual([edited.status, edited.body.content], [200, 'first'], edited.body.message);
  assert.notEqual(edited.body.edited_at, null);
  const { edits } = (await ben.ask('GET', `${path}/edits`)).body;
  assert.deepEqual(
    edits.map((one) => [one.edit, one.content]),
    [[1, 'frist']],
  );
  const removed = await ana.ask('DELETE', path);
  assert.deepEqual([removed.status, removed.body.content, removed.body.id], [200, null, message]);
  assert.notEqual(removed.body.deleted_at, null);
  assert.deepEqual((await ana.ask('DELETE', path)).body, removed.body);
  const late = await ana.ask('PUT', path, { content: 'again' });
  assert.deepEqual([late.status, late.body.error], [409, 'message_deleted']);
  const reaction = await ben.ask('POST', `${path}/reactions`, { emoji: '👍' });
  assert.deepEqual([reaction.status, reaction.body.error], [409, 'message_deleted']);
});

test('answers go on by after_id from the oldest, as their description says', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const parent = await say(ana, id, 'What is there?');
  const answers: string[] = [];
  for (const content of ['one', 'two', 'three']) {
    answers.push((await say(ana, id, content, { parent_message_id: parent.id })).id);
  }
  const pages: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path: string = `/messages/${parent.id}/replies?limit=2${cursor && `&after_id=${cursor}`}`;
    const { body } = await ana.ask('GET', path);
    pages.push(body.messages.map((one) => one.id));
    cursor = body.next_cursor;
  }
  assert.deepEqual(pages, [answers.slice(0, 2), answers.slice(2)]);
  const before = (await ana.ask('GET', `/messages/${parent.id}/replies?before_id=${answers[2]}`)).body;
  assert.deepEqual(
    before.messages.map((one) => one.id),
    [answers[1], answers[0]],
  );
});

test('who reads is told to the author, and reactions are one a user', async () => {
  const [ana, ben] = [tenant.user('ana'), tenant.user('ben')];
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const { id: message } = await say(ana, id, 'hello');
  const unread = async () => (await ben.ask('GET', `/conversations/${id}`)).body.unread_count;
  assert.equal(await unread(), 1);
  for (const method of ['POST', 'PUT', 'POST']) {
    const told = await ben.ask(method, `/messages/${message}/read`);
    assert.deepEqual([told.status, told.body], [200, { id: message, status: 'read', state: 'read' }]);
  }
  assert.equal(await unread(), 0);
  const zed = await tenant.user('zed').ask('POST', `/messages/${message}/read`);
  assert.deepEqual([zed.status, zed.body.error], [403, 'not_participant']);
  const nobody = await tenant.software.ask('POST', `/messages/${message}/read`);
  assert.deepEqual([nobody.status, nobody.body.details?.field], [400, 'X-User-ID']);
  // What is read of the log lies below every transaction that is open anywhere.
  await until('the author is told', async () => {
    const { events } = (await tenant.get('/api/v1/events')).body;
    return events.some(({ type, data }) => type === 'chat.read' && data['user_id'] === 'ben');
  });
  await ben.ask('POST', `/messages/${message}/reactions`, { emoji: '👍' });
  const reacted = await ben.ask('POST', `/messages/${message}/reactions`, { emoji: '🎉' });
  assert.deepEqual(
    reacted.body.reactions.map(({ user_id, emoji }) => [user_id, emoji]),
    [['ben', '🎉']],
  );
  const back = await ben.ask('DELETE', `/messages/${message}/reactions`);
  assert.deepEqual([back.status, back.body.reactions], [200, []]);
});

test('a repeated Idempotency-Key says it once', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const key = { 'idempotency-key': 'once' };
  const body = { conversation_id: id, content: 'once' };
  const first = await ana.ask('POST', '/messages', body, key);
  const again = await ana.ask('POST', '/messages', body, key);
  assert.deepEqual([again.status, again.body, again.headers.get('idempotency-replayed')], [202, first.body, 'true']);
  const other = await ana.ask('POST', '/messages', { ...body, content: 'twice' }, key);
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency_mismatch']);
  assert.equal((await ana.ask('GET', `/conversations/${id}/messages`)).body.messages.length, 1);
});

test('typing is told to all instances, by those who may write', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const words: Word[] = [];
  const unhear = world.signals.hear((word) => void words.push(word));
  const path = `/conversations/${id}/typing`;
  const told = await ana.ask('POST', path, { is_typing: true });
  assert.deepEqual([told.status, told.body], [202, { conversation_id: id, is_typing: true }]);
  unhear();
  const typing = words.filter((word) => word.kind === 'typing');
  assert.deepEqual(
    typing.map(({ conversation, user, is_typing }) => [conversation, user, is_typing]),
    [[id, 'ana', true]],
  );
  const refused: [speaker: typeof ana, body: unknown, status: number, error: string][] = [
    [tenant.user('zed'), { is_typing: true }, 403, 'not_participant'],
    [tenant.software, { is_typing: true }, 400, 'missing_field'],
    [ana, {}, 400, 'missing_field'],
    [ana, { is_typing: 'yes' }, 400, 'invalid_field'],
    [ana, { is_typing: true, how: 'fast' }, 400, 'unknown_field'],
  ];
  for (const [speaker, body, status, error] of refused) {
    const { status: got, body: answer } = await speaker.ask('POST', path, body);
    assert.deepEqual([got, answer.error], [status, error], JSON.stringify(body));
  }
  await ana.ask('PATCH', `/conversations/${id}`, { closed: true });
  const closed = await ana.ask('POST', path, { is_typing: true });
  assert.deepEqual([closed.status, closed.body.error], [409, 'conversation_closed']);
});

test('what nobody can say is refused with its reason, and nothing of it is kept', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const other = await between(tenant, 'direct', 'ana', 'cy');
  const elsewhere = await say(ana, other, 'elsewhere');
  const mention = (change: object) => ({
    content: 'Hello, World!',
    mentions: [{ user_id: 'ben', offset: 7, length: 5, ...change }],
  });
  const refused: [body: object, status: number, error: string, field: string][] = [
    [{}, 400, 'missing_field', 'content'],
    [{ content: '' }, 400, 'missing_field', 'content'],
    [{ content: ' ' }, 400, 'invalid_field', 'content'],
    [{ content: 'x'.repeat(4097) }, 400, 'invalid_field', 'content'],
    [{ content: 'a\u0000b' }, 400, 'invalid_field', 'content'],
    [{ content: 5 }, 400, 'invalid_field', 'content'],
    [{ content: { media_url: 'https://files.example/a.jpg' } }, 400, 'invalid_field', 'content.media_url'],
    [{ content: 'x', message_type: 'shout' }, 400, 'unsupported_type', 'message_type'],
    [{ content: 'x', message_type: 'document' }, 400, 'unsupported_type', 'message_type'],
    [{ content: 'x', message_type: 'image' }, 400, 'missing_field', 'metadata.media_url'],
    [
      { message_type: 'image', metadata: { media_url: 'http://files.example/a' } },
      400,
      'invalid_media_url',
      'metadata.media_url',
    ],
    [{ message_type: 'location', metadata: { latitude: 91, longitude: 0 } }, 400, 'invalid_field', 'metadata.latitude'],
    [{ content: 'x', metadata: { a: 'b'.repeat(16_384) } }, 400, 'invalid_field', 'metadata'],
    [mention({ offset: 9 }), 400, 'invalid_field', 'mentions[0]'],
    [mention({ offset: -1 }), 400, 'invalid_field', 'mentions[0].offset'],
    [mention({ length: 0 }), 400, 'invalid_field', 'mentions[0].length'],
    [mention({ name: 'Ben' }), 400, 'unknown_field', 'mentions[0].name'],
    [{ content: 'x', parent_message_id: newId() }, 400, 'invalid_field', 'parent_message_id'],
    [{ content: 'x', parent_message_id: elsewhere.id }, 400, 'invalid_field', 'parent_message_id'],
    [{ content: 'x', note: true }, 400, 'invalid_field', 'note'],
    [{ content: 'x', scheduled_at: '2030-01-01T00:00:00Z' }, 400, 'invalid_field', 'scheduled_at'],
    [{ content: 'x', to: '+6281234567890' }, 400, 'invalid_field', 'to'],
    [{ content: 'x', template: { name: 'a', language: 'en' } }, 400, 'invalid_field', 'template'],
    [{ content: 'x', whatsapp_message_id: 'wamid.1' }, 400, 'invalid_field', 'conversation_id'],
    [{ content: 'x', volume: 11 }, 400, 'unknown_field', 'volume'],
  ];
  for (const [body, status, error, field] of refused) {
    const told = await ana.ask('POST', '/messages', { conversation_id: id, ...body });
    const what = JSON.stringify(body).slice(0, 100);
    assert.deepEqual([told.status, told.body.error, told.body.details?.field], [status, error, field], what);
  }
  const strangers: [speaker: typeof ana, status: number, error: string][] = [
    [tenant.user('zed'), 403, 'not_participant'],
    [tenant.software, 400, 'missing_field'],
  ];
  for (const [speaker, status, error] of strangers) {
    const told = await speaker.ask('POST', '/messages', { conversation_id: id, content: 'x' });
    assert.deepEqual([told.status, told.body.error], [status, error]);
  }
  const unaddressed = await ana.ask('POST', '/messages', { to: '+6281234567890', content: 'x', note: true });
  assert.deepEqual([unaddressed.status, unaddressed.body.details?.field], [400, 'note']);
  const missing: [method: string, path: string, body?: unknown][] = [
    ['GET', `/messages/${newId()}`],
    ['PUT', `/messages/${newId()}`, { content: 'x' }],
    ['DELETE', `/messages/${newId()}`],
    ['DELETE', '/messages/nonsense'],
    ['POST', `/messages/${newId()}/read`],
    ['POST', `/messages/${newId()}/reactions`, { emoji: '👍' }],
    ['DELETE', '/messages/nonsense/reactions'],
    ['GET', `/messages/${newId()}/edits`],
    ['GET', '/messages/nonsense/replies'],
  ];
  for (const [method, path, body] of missing) {
    const told = await ana.ask(method, path, body);
    assert.deepEqual([told.status, told.body.error], [404, 'not_found'], `${method} ${path}`);
  }
  const { id: message } = await say(ana, id, 'kept');
  const changes: [method: string, path: string, body: unknown, error: string, field: string][] = [
    ['PUT', '', {}, 'missing_field', 'content'],
    ['PUT', '', { content: '' }, 'invalid_field', 'content'],
    ['PUT', '', { content: 'x', mentions: [{ user_id: 'ben', offset: 0, length: 2 }] }, 'invalid_field', 'mentions[0]'],
    ['PUT', '', { content: 'x', user_id: 'ben' }, 'unknown_field', 'user_id'],
    ['POST', '/reactions', { emoji: 'yes' }, 'invalid_field', 'emoji'],
    ['POST', '/reactions', {}, 'missing_field', 'emoji'],
  ];
  for (const [method, path, body, error, field] of changes) {
    const told = await ana.ask(method, `/messages/${message}${path}`, body);
    const what = `${method} ${path} ${JSON.stringify(body)}`;
    assert.deepEqual([told.status, told.body.error, told.body.details?.field], [400, error, field], what);
  }
  const { messages } = (await ana.ask('GET', `/conversations/${id}/messages`)).body;
  assert.deepEqual(
    messages.map((one) => [one.content, one.reactions, one.edited_at]),
    [['kept', [], null]],
  );
});

test('a user without rights to messages says something in his conversations and sends to nobody', async () => {
  const ana = await tenant.with(['conversations:write', 'conversations:read', 'act_as'], 'ana');
  const id = await between(tenant, 'direct', 'ana', 'ben');
  const said = await say(ana, id, 'hello');
  assert.equal((await ana.ask('GET', `/messages/${said.id}`)).status, 200);
  const sent = await ana.ask('POST', '/messages', { to: '+6281234567890', content: { text: 'x' } });
  assert.deepEqual([sent.status, sent.body.details?.scope], [403, 'messages:write']);
  const reader = await tenant.with(['messages:read', 'messages:write', 'act_as'], 'ana');
  assert.equal((await reader.ask('GET', `/messages/${said.id}`)).status, 404);
  const written = await reader.ask('POST', '/messages', { conversation_id: id, content: 'x' });
  assert.deepEqual([written.status, written.body.details?.scope], [403, 'conversations:write']);
});
