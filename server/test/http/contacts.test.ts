import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';
import { type Asker, asker } from './operator.ts';

let world: DoorWorld;
let own: Customer;
let me: Asker;
before(async () => {
  world = await doorWorld();
  own = await world.customer();
  me = asker(world, own.key);
});
after(() => world.close());

interface Contact {
  id: string;
  external_id: string | null;
  name: string | null;
  phone: string | null;
  user_id: string | null;
  identities: { kind: string; value: string }[];
  attributes: Record<string, unknown>;
  unread_count: number;
  marketing_consent: string | null;
  contact_consent: string | null;
}

async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: Contact }> {
  const { status, body: answer } = await me.ask(method, path, body);
  return { status, body: answer as unknown as Contact };
}

async function list(query: string): Promise<{ contacts: Contact[]; next_cursor: string | null }> {
  const { status, body } = await me.ask('GET', `/contacts?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as { contacts: Contact[]; next_cursor: string | null };
}

let names = 0;
const newUserId = () => `ID.Contact${++names}`;

test('a contact is made once; who asks again finds it, and what was not there is added', async () => {
  const phone = newPhone();
  const made = await ask('POST', '/contacts', { phone, name: 'Ana', attributes: { city: 'Lima', gone: null } });
  assert.equal(made.status, 201);
  assert.deepEqual(made.body.attributes, { city: 'Lima' });
  const user_id = newUserId();
  const again = await ask('POST', '/contacts', {
    ...{ phone, user_id, external_id: `crm-${phone}`, name: 'Anna' },
    attributes: { city: 'Quito', age: 7 },
  });
  assert.equal(again.status, 200);
  const { id, name, attributes, external_id, identities } = again.body;
  assert.equal(id, made.body.id);
  assert.deepEqual([name, attributes, external_id], ['Ana', { city: 'Lima', age: 7 }, `crm-${phone}`]);
  assert.deepEqual(identities, [
    { kind: 'phone', value: phone, left_at: null },
    { kind: 'user_id', value: user_id, left_at: null },
  ]);
  for (const path of [id, `crm-${phone}`, `find?phone=${encodeURIComponent(phone)}`, `find?user_id=${user_id}`]) {
    const found = await ask('GET', `/contacts/${path}`);
    assert.deepEqual([found.status, found.body.id, found.body.phone, found.body.user_id], [200, id, phone, user_id]);
  }
});

test('names of different people make no contact', async () => {
  const phone = newPhone();
  const user_id = newUserId();
  await ask('POST', '/contacts', { phone, external_id: `a-${phone}` });
  await ask('POST', '/contacts', { user_id });
  for (const body of [
    { phone, user_id },
    { user_id, external_id: `a-${phone}` },
    { phone, external_id: 'another' },
  ]) {
    const { status, body: answer } = await me.ask('POST', '/contacts', body);
    assert.deepEqual([status, answer.error], [409, 'two_contacts']);
  }
});

test('an external id may look like an own one, of another contact even', async () => {
  const first = await ask('POST', '/contacts', { phone: newPhone() });
  const second = await ask('POST', '/contacts', { phone: newPhone(), external_id: first.body.id });
  assert.equal(second.status, 201);
  const again = await ask('POST', '/contacts', { external_id: first.body.id });
  assert.deepEqual([again.status, again.body.id], [200, second.body.id]);
  assert.equal((await ask('GET', `/contacts/${first.body.id}`)).body.id, first.body.id);
});

test('many make the same contact at once: it is one', async () => {
  const phone = newPhone();
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('POST', '/contacts', { phone })));
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
});

test('a change leaves what it does not name; attributes are merged, and null takes one away', async () => {
  const { body } = await ask('POST', '/contacts', { phone: newPhone(), name: 'Bo', attributes: { a: 1, b: 'x' } });
  const change = { language: 'pt-BR', external_id: `bo-${body.id}`, attributes: { b: null, c: ['y'], __proto__: 1 } };
  const changed = await ask('PATCH', `/contacts/${body.id}`, change);
  assert.equal(changed.status, 200);
  assert.deepEqual([changed.body.name, changed.body.attributes], ['Bo', { a: 1, c: ['y'] }]);
  const cleared = await ask('PATCH', `/contacts/bo-${body.id}`, { name: null, external_id: null });
  assert.deepEqual([cleared.body.name, cleared.body.external_id], [null, null]);
});

test('what is not right is refused, with the field that is wrong', async () => {
  const { body } = await ask('POST', '/contacts', { phone: newPhone(), external_id: 'taken' });
  const other = await ask('POST', '/contacts', { phone: newPhone() });
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`n${i}`, i]));
  const cases: [string, string, object | undefined, number, string, string?][] = [
    ['POST', '/contacts', {}, 400, 'missing_field', 'phone'],
    ['POST', '/contacts', { phone: '0812' }, 400, 'invalid_field', 'phone'],
    ['POST', '/contacts', { user_id: 'x' }, 400, 'invalid_field', 'user_id'],
    ['POST', '/contacts', { phone: '+6281234567890', foo: 1 }, 400, 'unknown_field', 'foo'],
    ['POST', '/contacts', { phone: newPhone(), attributes: many }, 400, 'invalid_field', 'attributes'],
    [
      'POST',
      '/contacts',
      { phone: newPhone(), attributes: { a: 'x'.repeat(4100) } },
      400,
      'invalid_field',
      'attributes',
    ],
    ['POST', '/contacts', { phone: newPhone(), attributes: { a: '\0' } }, 400, 'invalid_field', 'attributes.a'],
    ['POST', '/contacts', { phone: newPhone(), attributes: [] }, 400, 'invalid_field', 'attributes'],
    ['PATCH', `/contacts/${body.id}`, {}, 400, 'invalid_field'],
    ['PATCH', `/contacts/${body.id}`, { language: 'not a language' }, 400, 'invalid_field', 'language'],
    ['PATCH', `/contacts/${body.id}`, { name: 'a\nb' }, 400, 'invalid_field', 'name'],
    ['PATCH', `/contacts/${other.body.id}`, { external_id: 'taken' }, 409, 'already_exists', 'external_id'],
    ['PATCH', '/contacts/nobody', { name: 'x' }, 404, 'not_found', 'id'],
    ['GET', '/contacts/%00', undefined, 404, 'not_found', 'id'],
    ['GET', '/contacts/find', undefined, 400, 'missing_field', 'phone'],
    ['GET', '/contacts/find?phone=%2B6289999999999', undefined, 404, 'not_found'],
    ['GET', '/contacts?limit=101', undefined, 400, 'limit_too_large', 'limit'],
    ['GET', '/contacts?attribute=city', undefined, 400, 'invalid_field', 'attribute'],
    ['GET', '/contacts?cursor=x', undefined, 400, 'invalid_cursor', 'cursor'],
    ['GET', '/contacts/nobody/conversations', undefined, 404, 'not_found', 'id'],
    ['GET', '/contacts/nobody/consents', undefined, 404, 'not_found', 'id'],
  ];
  for (const [method, path, asked, status, error, field] of cases) {
    const answer = await me.ask(method, path, asked);
    const told = [answer.status, answer.body.error, ...(field === undefined ? [] : [answer.body.details?.field])];
    assert.deepEqual(told, [status, error, ...(field === undefined ? [] : [field])], `${method} ${path}`);
  }
});

test('lists walk from the newest on, and filters hold together', async () => {
  const customer = await world.customer();
  const asks = asker(world, customer.key);
  const make = (body: object) => asks.ask('POST', '/contacts', { phone: newPhone(), ...body });
  await make({ name: 'Citra', attributes: { city: 'Bandung', n: 7 } });
  await make({ name: 'citra dewi', attributes: { city: 'Jakarta' } });
  const third = await make({ name: '50% Citra' });
  await asks.ask('POST', `/contacts/${third.body.id}/consent`, { scope: 'marketing', state: 'out' });
  async function found(query: string): Promise<unknown[]> {
    const { body } = await asks.ask('GET', `/contacts?${query}`);
    return (body as unknown as { contacts: Contact[] }).contacts.map(({ name }) => name);
  }
  assert.deepEqual(await found(''), ['50% Citra', 'citra dewi', 'Citra']);
  assert.deepEqual(await found('name=CITRA'), ['citra dewi', 'Citra']);
  assert.deepEqual(await found('name=%25'), []);
  assert.deepEqual(await found('name=citra&attribute=city:Jakarta'), ['citra dewi']);
  assert.deepEqual(await found('attribute=n:7'), ['Citra']);
  assert.deepEqual(await found('marketing_consent=out'), ['50% Citra']);
  assert.deepEqual(await found('contact_consent=out'), []);
  const phone = encodeURIComponent(String(third.body['phone']));
  assert.deepEqual(await found(`phone=${phone}`), ['50% Citra']);
  assert.deepEqual(await found(`phone=${phone}&user_id=ID.nobody`), []);
  const page = await asks.ask('GET', '/contacts?limit=2');
  assert.ok(page.body.next_cursor);
  assert.deepEqual(await found(`limit=2&cursor=${page.body.next_cursor}`), ['Citra']);
  assert.equal((await list(`phone=${phone}`)).contacts.length, 0, 'of another tenant');
});

test('what a contact says of being written to stops what waits, and is kept with its source and time', async () => {
  const address = newPhone();
  const id = await own.accept({ address, category: 'marketing' });
  const { contact_id } = await own.read(id);
  const given = await me.ask('POST', `/contacts/${contact_id}/consent`, {
    ...{ scope: 'marketing', state: 'out', detail: 'by phone', at: '2026-01-02T03:04:05Z' },
  });
  assert.equal(given.status, 201);
  assert.deepEqual(given.body, { contact_id, marketing_consent: 'out', contact_consent: null, messages_stopped: 1 });
  assert.equal((await own.read(id)).state, 'failed');
  const refused = await own.post('/api/v1/messages', { to: address, content: { text: 'Sale' }, category: 'marketing' });
  assert.deepEqual([refused.status, refused.body.error], [409, 'recipient_suppressed']);
  const other = await own.post('/api/v1/messages', { to: address, content: { text: 'Your order' } });
  assert.equal(other.status, 202);
  await me.ask('POST', `/contacts/${contact_id}/consent`, { scope: 'marketing', state: 'in', source: 'import' });
  const { body } = await me.ask('GET', `/contacts/${contact_id}/consents?limit=1`);
  const [last] = body['consents'] as { state: string; source: string }[];
  assert.deepEqual([last?.state, last?.source], ['in', 'import']);
  const older = await me.ask('GET', `/contacts/${contact_id}/consents?limit=1&cursor=${body.next_cursor}`);
  const [first] = older.body['consents'] as Record<string, unknown>[];
  assert.deepEqual(
    [first?.['at'], first?.['detail'], first?.['source']],
    ['2026-01-02T03:04:05.000Z', 'by phone', 'api'],
  );
  const again = await own.post('/api/v1/messages', { to: address, content: { text: 'Sale' }, category: 'marketing' });
  assert.equal(again.status, 202);
});

test('a word of the API holds from now on at most: what the customer says a moment later goes before it', async () => {
  const phone = newPhone();
  const word = { phone, scope: 'all' };
  const ahead = new Date(Date.now() + 50_000).toISOString();
  const given = await me.ask('POST', '/consents', { ...word, state: 'in', at: ahead });
  assert.deepEqual([given.status, given.body['contact_consent']], [201, 'in']);
  const later = await me.ask('POST', '/consents', { ...word, state: 'out' });
  assert.deepEqual([later.status, later.body['contact_consent']], [201, 'out']);
});

test('consent by address, one or a list; refusals of a list name their place', async () => {
  const phone = newPhone();
  const one = await me.ask('POST', '/consents', { phone, scope: 'all', state: 'out' });
  assert.deepEqual([one.status, one.body['contact_consent']], [201, 'out']);
  const word = { scope: 'all', state: 'out', source: 'import' };
  const list = [
    { phone: newPhone(), ...word },
    { phone: 'x', ...word },
    { user_id: newUserId(), ...word },
    { ...word },
    { phone, user_id: 'ID.1', ...word },
    { phone, scope: 'all' },
    { phone, ...word, at: '2999-01-01T00:00:00Z' },
    { phone, ...word, source: 'keyword' },
    7,
  ];
  const many = await me.ask('POST', '/consents/batch', { consents: list });
  assert.deepEqual([many.status, many.body.accepted, many.body.refused], [200, 2, 7]);
  assert.deepEqual(
    many.body.errors.map(({ index, error, field }) => [index, error, field]),
    [
      [1, 'invalid_field', 'phone'],
      [3, 'missing_field', 'phone'],
      [4, 'two_addressees', 'user_id'],
      [5, 'missing_field', 'state'],
      [6, 'invalid_field', 'at'],
      [7, 'invalid_field', 'source'],
      [8, 'invalid_field', 'consent'],
    ],
  );
  const refused = await own.post('/api/v1/messages', { to: list[0]?.['phone' as never], content: { text: 'hi' } });
  assert.deepEqual([refused.status, refused.body.error], [409, 'recipient_suppressed']);
  const long = await me.ask('POST', '/consents/batch', { consents: Array.from({ length: 10_001 }, () => word) });
  assert.equal(long.status, 400);
});

test('a failed message is not tried again once its recipient has opted out', async () => {
  const address = newPhone();
  const send = await own.sending({ address, category: 'marketing' });
  await own.settle(send, { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null });
  const word = { phone: address, scope: 'marketing' };
  await me.ask('POST', '/consents', { ...word, state: 'out' });
  const refused = await own.post(`/api/v1/messages/${send.message_id}/retry`);
  assert.deepEqual([refused.status, refused.body.error], [409, 'recipient_suppressed']);
  await me.ask('POST', '/consents', { ...word, state: 'in' });
  assert.equal((await own.post(`/api/v1/messages/${send.message_id}/retry`)).status, 202);
});

test("a contact's conversations tell what is unread and whether the window is open", async () => {
  const send = await own.sending();
  const { contact_id, conversation_id } = await own.read(send.message_id);
  const path = `/contacts/${contact_id}/conversations`;
  async function window(): Promise<unknown> {
    const { body } = await me.ask('GET', path);
    const [one] = body['conversations'] as { id: string; unread_count: number; window: { state: string } }[];
    assert.equal(one?.id, conversation_id);
    return [one?.unread_count, one?.window.state];
  }
  assert.deepEqual(await window(), [0, 'unknown']);
  const change = (at: string) =>
    world.db.script(
      `update conversations set unread_count = 2, window_expires_at = ${at} where id = '${conversation_id}'`,
    );
  await change(`now() + interval '1 minute'`);
  assert.deepEqual(await window(), [2, 'open']);
  await change(`now() - interval '1 minute'`);
  assert.deepEqual(await window(), [2, 'closed']);
  assert.equal((await ask('GET', `/contacts/${contact_id}`)).body.unread_count, 2);
});

test('a contact is blocked at a number; the list has what is wanted and what WhatsApp said', async () => {
  const send = await own.sending();
  const { contact_id } = await own.read(send.message_id);
  const asked = await me.ask('POST', `/contacts/${contact_id}/block`);
  assert.equal(asked.status, 202);
  const { sender_id, blocked, confirmed } = asked.body;
  assert.deepEqual([sender_id, blocked, confirmed], [own.sender, true, null]);
  const found = await me.ask('GET', `/blocked-users?sender_id=${own.sender}&limit=1`);
  assert.deepEqual(
    (found.body['blocked_users'] as { contact_id: string }[]).map((one) => one.contact_id),
    [contact_id],
  );
  const back = await me.ask('POST', `/contacts/${contact_id}/unblock`, { sender_id: own.sender });
  assert.deepEqual([back.status, back.body['blocked']], [202, false]);
  const cases: [string, string, object | undefined, number, string][] = [
    ['POST', '/contacts/nobody/block', undefined, 404, 'not_found'],
    ['POST', `/contacts/${contact_id}/block`, { sender_id: 'none' }, 404, 'unknown_sender'],
    ['POST', `/contacts/${contact_id}/block`, { sender: 'none' }, 400, 'unknown_field'],
    ['GET', '/blocked-users', undefined, 400, 'missing_field'],
  ];
  for (const [method, path, body, status, error] of cases) {
    const answer = await me.ask(method, path, body);
    assert.deepEqual([answer.status, answer.body.error], [status, error], `${method} ${path}`);
  }
});

test('each scope opens its routes only, and a tenant sees its own contacts only', async () => {
  const { body } = await ask('POST', '/contacts', { phone: newPhone() });
  const reader = asker(world, await world.keyFor(own.tenant, ['contacts:read']));
  const sender = asker(world, await world.keyFor(own.tenant, ['messages:write', 'messages:read']));
  assert.equal((await reader.ask('GET', `/contacts/${body.id}`)).status, 200);
  assert.equal((await reader.ask('PATCH', `/contacts/${body.id}`, { name: 'x' })).status, 403);
  assert.equal((await sender.ask('GET', `/contacts/${body.id}`)).status, 403);
  const stranger = asker(world, (await world.customer()).key);
  for (const [method, path, change] of [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'x' }],
    ['GET', '/consents', undefined],
    ['POST', '/consent', { scope: 'all', state: 'out' }],
    ['POST', '/block', undefined],
  ] as const) {
    assert.equal((await stranger.ask(method, `/contacts/${body.id}${path}`, change)).status, 404, `${method} ${path}`);
  }
});
