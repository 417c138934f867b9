import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
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

const names = (participants: readonly { user_id: string; role: string }[]) =>
  participants.map(({ user_id, role }) => `${user_id} ${role}`);

test('a group is made, found by either id, changed, closed and opened', async () => {
  const ana = tenant.user('ana');
  const asked = {
    type: 'group',
    title: 'Plans',
    external_id: 'plans 1',
    metadata: { team: 'a' },
    retention_days: 30,
    participants: [
      { user_id: 'ben', role: 'admin' },
      { user_id: 'cy', can_send_messages: false },
    ],
  };
  const made = await ana.ask('POST', '/conversations', asked);
  assert.equal(made.status, 201, made.body.message);
  const { id } = made.body;
  assert.deepEqual(names(made.body.participants).sort(), ['ana owner', 'ben admin', 'cy member']);
  assert.deepEqual(
    [made.body.title, made.body.metadata, made.body.external_id, made.body.retention_days],
    ['Plans', { team: 'a' }, 'plans 1', 30],
  );
  for (const reference of [id, 'plans%201']) {
    const read = await ana.ask('GET', `/conversations/${reference}`);
    assert.equal(read.status, 200);
    assert.deepEqual(
      [read.body.id, read.body.role, read.body.participant_count, read.body.unread_count, read.body.last_message],
      [id, 'owner', 3, 0, null],
    );
    assert.equal(read.body.participants.length, 3);
  }
  const renamed = await ana.ask('PATCH', '/conversations/plans%201', { title: null, retention_days: null });
  assert.deepEqual([renamed.status, renamed.body.title, renamed.body.retention_days], [200, null, null]);
  const closed = await ana.ask('PATCH', `/conversations/${id}`, { closed: true });
  assert.notEqual(closed.body.closed_at, null);
  const late = await ana.ask('POST', '/messages', { conversation_id: id, content: 'too late' });
  assert.deepEqual([late.status, late.body.error], [409, 'conversation_closed']);
  const list = async (open: boolean) =>
    (await ana.ask('GET', `/conversations?open=${open}`)).body.conversations.map((one) => one.id);
  assert.deepEqual([await list(true), await list(false)], [[], [id]]);
  const opened = await ana.ask('PATCH', `/conversations/${id}`, { closed: false });
  assert.equal(opened.body.closed_at, null);
  await say(ana, id, 'again');
});

test('of two users there is one conversation, whoever makes it first', async () => {
  const made = await Promise.all([
    tenant.user('ana').ask('POST', '/conversations', { type: 'direct', participants: [{ user_id: 'ben' }] }),
    tenant.user('ben').ask('POST', '/conversations', { type: 'direct', participants: [{ user_id: 'ana' }] }),
    tenant.software.ask('POST', '/conversations', {
      type: 'direct',
      participants: [{ user_id: 'ben' }, { user_id: 'ana' }],
    }),
  ]);
  assert.deepEqual(made.map(({ status }) => status).sort(), [200, 200, 201]);
  assert.equal(new Set(made.map(({ body }) => body.id)).size, 1);
});

test('made again by another external id it is refused, and the refusal names the one that is there', async () => {
  const ana = tenant.user('ana');
  const asked = { type: 'direct', participants: [{ user_id: 'ben' }] };
  const made = await ana.ask('POST', '/conversations', { ...asked, metadata: { media_url: 'ours' } });
  assert.deepEqual(
    [made.status, made.body.metadata],
    [201, { media_url: 'ours' }],
    'metadata of a conversation are yours',
  );
  const named = await tenant.user('ben').ask('POST', '/conversations', {
    type: 'direct',
    participants: [{ user_id: 'ana' }],
    external_id: 'both',
    title: 'Us',
  });
  assert.deepEqual(
    [named.status, named.body.id, named.body.external_id, named.body.title],
    [200, made.body.id, 'both', 'Us'],
  );
  assert.equal((await ana.ask('POST', '/conversations', { ...asked, external_id: 'both' })).status, 200);
  const other = await ana.ask('POST', '/conversations', { ...asked, external_id: 'other' });
  assert.deepEqual(
    [other.status, other.body.error, other.body.details],
    [409, 'already_exists', { field: 'external_id', conversation_id: made.body.id, external_id: 'both' }],
  );
  assert.equal((await ana.ask('GET', '/conversations/other')).status, 404);
});

test('a conversation with a customer that is refused leaves no contact', async () => {
  await tenant.software.ask('POST', '/conversations', {
    type: 'group',
    participants: [{ user_id: 'a' }],
    external_id: 'x',
  });
  const many = Array.from({ length: 1024 }, (_, i) => ({ user_id: `u${i}` }));
  const refused: [speaker: typeof tenant.software, body: object, status: number, error: string][] = [
    [tenant.software, { external_id: 'x' }, 409, 'already_exists'],
    [tenant.user('ana'), { participants: many }, 400, 'invalid_field'],
    [tenant.software, { sender_id: 'none' }, 404, 'unknown_sender'],
  ];
  for (const [speaker, body, status, error] of refused) {
    const to = newPhone();
    const told = await speaker.ask('POST', '/conversations', { type: 'customer', to, ...body });
    assert.deepEqual([told.status, told.body.error], [status, error]);
    const { body: found } = await tenant.get(`/api/v1/contacts?phone=${encodeURIComponent(to)}`);
    assert.deepEqual(found['contacts'], [], error);
  }
});

test('participants come, change and go', async () => {
  const ana = tenant.user('ana');
  const id = await between(tenant, 'group', 'ana', 'ben');
  const path = `/conversations/${id}/participants`;
  const added = await ana.ask('POST', path, { participants: [{ user_id: 'cy/ü 1' }] });
  assert.deepEqual([added.status, added.body.participants.map((one) => one.user_id).includes('cy/ü 1')], [200, true]);
  const one = `${path}/${encodeURIComponent('cy/ü 1')}`;
  const changed = await ana.ask('PATCH', one, { can_send_messages: false, role: 'admin' });
  assert.deepEqual([changed.status, changed.body.role], [200, 'admin']);
  const mute = await tenant.user('cy/ü 1').ask('POST', '/messages', { conversation_id: id, content: 'x' });
  assert.deepEqual([mute.status, mute.body.error], [403, 'cannot_send_messages']);
  const refused = await tenant.user('ben').ask('DELETE', one);
  assert.deepEqual([refused.status, refused.body.error], [403, 'not_conversation_admin']);
  const left = await tenant.user('cy/ü 1').ask('DELETE', one);
  assert.deepEqual([left.status, left.body], [200, { conversation_id: id, user_id: 'cy/ü 1', left: true }]);
  const gone = await tenant.user('cy/ü 1').ask('GET', `/conversations/${id}/messages`);
  assert.deepEqual([gone.status, gone.body.error], [403, 'not_participant']);
  const inIt = await tenant.software.ask('GET', path);
  assert.deepEqual(names(inIt.body.participants), ['ana owner', 'ben member']);
});

test('a user lists his conversations with the last message and what he has not read; software lists all', async () => {
  const [ana, ben] = [tenant.user('ana'), tenant.user('ben')];
  const first = await between(tenant, 'direct', 'ana', 'ben');
  const second = await between(tenant, 'group', 'ana', 'ben', 'cy');
  await between(tenant, 'direct', 'cy', 'dee');
  await say(ana, first, 'one');
  await say(ana, second, 'two');
  await say(ana, first, 'three');
  const { conversations } = (await ben.ask('GET', '/conversations')).body;
  assert.deepEqual(
    conversations.map((one) => [one.id, one.last_message?.content, one.unread_count, one.role]),
    [
      [first, 'three', 2, conversations[0]?.role],
      [second, 'two', 1, 'member'],
    ],
  );
  const page = (await ben.ask('GET', '/conversations?limit=1')).body;
  assert.deepEqual(
    page.conversations.map((one) => one.id),
    [first],
  );
  const next = (await ben.ask('GET', `/conversations?limit=1&cursor=${page.next_cursor}`)).body;
  assert.deepEqual([next.conversations.map((one) => one.id), next.next_cursor], [[second], null]);
  const groups = (await ben.ask('GET', '/conversations?type=group')).body.conversations;
  assert.deepEqual(
    groups.map((one) => one.id),
    [second],
  );
  assert.equal((await tenant.software.ask('GET', '/conversations')).body.conversations.length, 3);
});

test('what cannot be made, changed or found is refused with its reason', async () => {
  const ana = tenant.user('ana');
  const group = await between(tenant, 'group', 'ana', 'ben');
  await ana.ask('PATCH', `/conversations/${group}`, { title: 'kept' });
  const long = 'x'.repeat(129);
  const refused: [method: string, path: string, body: unknown, status: number, error: string, field?: string][] = [
    ['POST', '/conversations', {}, 400, 'missing_field', 'type'],
    ['POST', '/conversations', { type: 'party' }, 400, 'unsupported_type', 'type'],
    ['POST', '/conversations', { type: 'group', colour: 'red' }, 400, 'unknown_field', 'colour'],
    ['POST', '/conversations', { type: 'group', to: newPhone() }, 400, 'invalid_field', 'to'],
    ['POST', '/conversations', { type: 'direct' }, 400, 'invalid_field', 'participants'],
    [
      'POST',
      '/conversations',
      { type: 'group', participants: [{ user_id: long }] },
      400,
      'invalid_field',
      'participants[0].user_id',
    ],
    [
      'POST',
      '/conversations',
      { type: 'group', participants: [{ user_id: 'a\u0000b' }] },
      400,
      'invalid_field',
      'participants[0].user_id',
    ],
    [
      'POST',
      '/conversations',
      { type: 'group', participants: [{ user_id: 'ben' }, { user_id: 'ben' }] },
      400,
      'invalid_field',
      'participants[1].user_id',
    ],
    [
      'POST',
      '/conversations',
      { type: 'group', participants: Array.from({ length: 1025 }, (_, i) => ({ user_id: `u${i}` })) },
      400,
      'invalid_field',
      'participants',
    ],
    ['POST', '/conversations', { type: 'group', title: '' }, 400, 'invalid_field', 'title'],
    ['POST', '/conversations', { type: 'group', retention_days: 0 }, 400, 'invalid_field', 'retention_days'],
    [
      'POST',
      '/conversations',
      { type: 'group', metadata: { x: 'y'.repeat(17_000) } },
      400,
      'invalid_field',
      'metadata',
    ],
    ['POST', '/conversations', { type: 'customer' }, 400, 'missing_field', 'to'],
    ['POST', '/conversations', { type: 'customer', to: '0812' }, 400, 'invalid_phone', 'to'],
    [
      'POST',
      '/conversations',
      { type: 'customer', to: newPhone(), contact_id: 'x' },
      400,
      'two_addressees',
      'contact_id',
    ],
    ['POST', '/conversations', { type: 'customer', contact_id: 'nobody' }, 404, 'not_found', 'contact_id'],
    [
      'POST',
      '/conversations',
      { type: 'customer', to: newPhone(), sender_id: 'none' },
      404,
      'unknown_sender',
      'sender_id',
    ],
    ['PATCH', `/conversations/${group}`, {}, 400, 'invalid_field', 'body'],
    ['PATCH', `/conversations/${group}`, { title: 5 }, 400, 'invalid_field', 'title'],
    ['PATCH', '/conversations/nobody', { title: 'x' }, 404, 'not_found', 'id'],
    ['GET', '/conversations/nobody', undefined, 404, 'not_found', 'id'],
    ['GET', '/conversations?limit=101', undefined, 400, 'limit_too_large', 'limit'],
    ['GET', '/conversations?cursor=nonsense', undefined, 400, 'invalid_cursor', 'cursor'],
    ['GET', '/conversations?open=maybe', undefined, 400, 'invalid_field', 'open'],
    ['POST', `/conversations/${group}/participants`, { participants: [] }, 400, 'invalid_field', 'participants'],
    ['PATCH', `/conversations/${group}/participants/ben`, { role: 'king' }, 400, 'invalid_field', 'role'],
    ['PATCH', `/conversations/${group}/participants/zed`, { role: 'admin' }, 404, 'not_found'],
    ['DELETE', `/conversations/${group}/participants/zed`, undefined, 404, 'not_found'],
  ];
  for (const [method, path, body, status, error, field] of refused) {
    const told = await ana.ask(method, path, body);
    assert.deepEqual([told.status, told.body.error], [status, error], `${method} ${path} ${JSON.stringify(body)}`);
    if (field !== undefined) assert.equal(told.body.details?.field, field, `${path} ${JSON.stringify(body)}`);
  }
  for (const [method, path] of [
    ['GET', `/conversations/${group}`],
    ['PATCH', `/conversations/${group}`],
    ['GET', `/conversations/${group}/participants`],
  ] as const) {
    const told = await tenant.user('zed').ask(method, path, method === 'PATCH' ? { title: 'mine' } : undefined);
    assert.deepEqual([told.status, told.body.error], [403, 'not_participant'], path);
  }
  const { body } = await ana.ask('GET', '/conversations');
  assert.deepEqual(
    body.conversations.map((one) => [one.id, one.title]),
    [[group, 'kept']],
  );
});

test('scopes hold, and a key that may not name users names none', async () => {
  const reader = await tenant.with(['conversations:read', 'act_as'], 'ana');
  const told = await reader.ask('POST', '/conversations', { type: 'group' });
  assert.deepEqual([told.status, told.body.details?.scope], [403, 'conversations:write']);
  const mute = await tenant.with(['conversations:write'], 'ana');
  const named = await mute.ask('POST', '/conversations', { type: 'group' });
  assert.deepEqual([named.status, named.body.details?.scope], [403, 'act_as']);
  // Whoever is in a conversation with a customer may write to him.
  const writer = await tenant.with(['conversations:write', 'act_as'], 'ana');
  const reached = await writer.ask('POST', '/conversations', { type: 'customer', to: newPhone() });
  assert.deepEqual([reached.status, reached.body.details?.scope], [403, 'messages:write']);
  // And software that may not send to anybody lets nobody in there, nor write.
  const to = newPhone();
  const customer = await tenant.software.ask('POST', '/conversations', {
    type: 'customer',
    to,
    participants: [{ user_id: 'mute', can_send_messages: false }],
  });
  const backend = await tenant.with(['conversations:read', 'conversations:write', 'act_as'], null);
  const path = `/conversations/${customer.body.id}/participants`;
  for (const [method, at, body] of [
    ['POST', path, { participants: [{ user_id: 'ana' }] }],
    ['PATCH', `${path}/mute`, { can_send_messages: true }],
  ] as const) {
    const told = await backend.ask(method, at, body);
    assert.deepEqual([told.status, told.body.details?.scope], [403, 'messages:write'], method);
    assert.equal((await tenant.software.ask(method, at, body)).status, 200);
  }
  assert.equal((await backend.ask('DELETE', `${path}/mute`)).status, 200);
  const plans = await backend.ask('POST', '/conversations', { type: 'group', participants: [{ user_id: 'ana' }] });
  const joined = await backend.ask('POST', `/conversations/${plans.body.id}/participants`, {
    participants: [{ user_id: 'ben' }],
  });
  assert.equal(joined.status, 200);
  // Another tenant finds nothing of it.
  const group = await between(tenant, 'group', 'ana', 'ben');
  const other = await chatTenant(world);
  for (const speaker of [other.user('ana'), other.software]) {
    assert.equal((await speaker.ask('GET', `/conversations/${group}`)).status, 404);
    assert.equal((await speaker.ask('POST', '/messages', { conversation_id: group, content: 'x' })).status, 404);
  }
});
