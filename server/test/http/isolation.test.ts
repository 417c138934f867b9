import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { TENANT_SCOPES } from '../../src/domain/api-key.ts';
import { isUuid, newId } from '../../src/domain/ids.ts';
import { insertTemplate } from '../../src/store/templates.write.ts';
import { newPhone } from '../engine-world.ts';
import { SAMPLES } from '../media-samples.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';
import { everyRoute, fieldsOf, type Route } from './every-route.ts';

/*
 * What is a tenant's own is nobody else's, on every route there is. Two tenants have records of every kind; one asks for the
 * other's with a key that may all a customer may, and names them wherever a request can name something.
 */

let world: DoorWorld;
let routes: Route[];
let owner: Customer;
let stranger: Customer;
/** A key of the stranger's that names users. */
let strangerKey: string;
let owned: Records;
let own: Records;
before(async () => {
  world = await doorWorld({}, {}, {}, { send_timeout: 200 });
  routes = await everyRoute();
  owner = await world.customer();
  stranger = await world.customer();
  strangerKey = await world.keyFor(stranger.tenant, [...TENANT_SCOPES, 'act_as']);
  owned = await records(owner, 'secret-of-owner', '555000111');
  own = await records(stranger, 'of-stranger', '555000222');
});
after(() => world.close());

/** What a tenant has, by kind. */
type Records = Readonly<Record<string, string>>;

/** A record of every kind, each with `mark` in what is told of it. */
async function records(customer: Customer, mark: string, account: string): Promise<Records> {
  const { db } = world;
  const { tenant, sender } = customer;
  const run = (name: string, text: string, values: unknown[]) => db.query({ name: `test_${name}`, text }, values);
  await run(
    'account',
    "insert into accounts (tenant_id, id, app_id, name, access_token_sealed) values ($1, $2, 'default', $3, 'x')",
    [tenant, account, mark],
  );
  await run('sender', 'update senders set account_id = $2, external_id = $3, name = $3 where tenant_id = $1', [
    tenant,
    account,
    `sender-${mark}`,
  ]);
  world.signals.notify('senders');
  const template = newId<Parameters<typeof insertTemplate>[3]>();
  await insertTemplate(
    db,
    tenant,
    account,
    template,
    {
      name: `template_${account}`,
      language: 'en',
      category: 'utility',
      parameter_format: 'POSITIONAL',
      components: [{ type: 'BODY', text: mark }],
    },
    {},
  );
  await run('told', "update templates set intent = null, provider_id = $2, status = 'PAUSED' where tenant_id = $1", [
    tenant,
    `7${account}`,
  ]);
  await run(
    'alert',
    "insert into account_alerts values ($1, $2, $3, 'security', jsonb_build_object('event', $4::text))",
    [tenant, account, newId(), mark],
  );
  const said = async (path: string, body: object, headers?: Record<string, string>) => {
    const answer = await customer.post(path, body, headers);
    assert.ok(answer.status < 300, `${path}: ${answer.body.message}`);
    return answer.body;
  };
  const phone = newPhone();
  const [received] = await receiveMessages(
    db,
    world.signals,
    [
      {
        tenant,
        sender,
        wamid: `wamid.${mark}`,
        type: 'text',
        at: Date.now(),
        phone,
        userId: null,
        name: mark,
        content: { text: mark },
        replyTo: null,
      },
    ],
    0,
  );
  assert.ok(received);
  const contact = (await said('/api/v1/contacts', { phone, external_id: `contact-${mark}`, name: mark })) as {
    id: string;
  };
  const sent = await said('/api/v1/messages', { to: phone, content: { text: mark }, metadata: { mark } });
  const failed = await said('/api/v1/messages', { to: phone, content: { text: mark } });
  await said(`/api/v1/messages/${failed.id}/cancel`, {});
  const batch = await said('/api/v1/messages/batch', { messages: [{ to: phone, content: { text: mark } }] });
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(SAMPLES.jpeg)]), `${mark}.jpg`);
  const media = await fetch(`${world.url}/api/v1/media`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key },
    body: form,
  });
  const file = (await media.json()) as { id: string; url: string };
  const exported = await said('/api/v1/exports', { kind: 'contacts', format: 'csv', filter: { name: mark } });
  const complete = await said('/api/v1/exports', { kind: 'contacts', format: 'csv', filter: { name: mark } });
  const redrive = await said('/api/v1/dead-letters/redrive', { filter: { error: 'send_failed' } });
  await run(
    'complete',
    "update exports set state = 'complete', ended_at = clock_timestamp() where tenant_id = $1 and id = $2",
    [tenant, complete.id],
  );
  await said(`/api/v1/contacts/${contact.id}/consent`, { scope: 'marketing', state: 'in', detail: mark });
  await said(`/api/v1/contacts/${contact.id}/block`, { sender_id: sender });
  const user = `user-${mark}`;
  const as = { 'x-api-key': await world.keyFor(tenant, [...TENANT_SCOPES, 'act_as']), 'x-user-id': user };
  const participants = [{ user_id: user, role: 'owner' }, { user_id: `other-${mark}` }];
  const group = { type: 'group', title: mark, external_id: `group-${mark}`, participants };
  const talk = await said('/api/v1/conversations', group, as);
  const word = await said('/api/v1/messages', { conversation_id: talk.id, content: mark, metadata: { mark } }, as);
  await said('/api/v1/conversations', { type: 'customer', to: phone, participants });
  const webhook = await said('/api/v1/webhooks', { url: `https://hooks.example/${mark}`, description: mark });
  const delivery = await said(`/api/v1/webhooks/${webhook.id}/test`, {});
  const pause = newId();
  await run(
    'pause',
    "insert into pauses (id, tenant_id, scope, key, cause, title) values ($1, $2, 'sender', $3, 'token_invalid', $4)",
    [pause, tenant, sender, mark],
  );
  const { conversations } = (await customer.get(`/api/v1/contacts/${contact.id}/conversations`)).body as unknown as {
    conversations: { id: string }[];
  };
  await run(
    'conversation',
    "update conversations set external_id = $2, title = $2 where tenant_id = $1 and type = 'customer'",
    [tenant, `conversation-${mark}`],
  );
  const keys = await db.query<{ id: string }>(
    { name: 'test_keys', text: 'select id from api_keys where tenant_id = $1' },
    [tenant],
  );
  return {
    tenant,
    sender,
    'sender by name': `sender-${mark}`,
    account,
    template,
    'template by name': `template_${account}`,
    'sent message': sent.id,
    'cancelled message': failed.id,
    'received message': received.message,
    contact: contact.id,
    'contact by name': `contact-${mark}`,
    phone,
    conversation: conversations[0]?.id ?? '',
    'conversation by name': `conversation-${mark}`,
    batch: batch.batch_id,
    media: file.id,
    export: String(exported.id),
    'complete export': String(complete.id),
    redrive: String(redrive.id),
    pause,
    user,
    'conversation of users': talk.id,
    'conversation of users by name': `group-${mark}`,
    'message between users': word.id,
    webhook: webhook.id,
    delivery: delivery.id,
    key: keys[0]?.id ?? '',
  };
}

/** Bodies that are right but for what they name. A route that takes one has to stand here. */
const COMPONENTS = [{ type: 'BODY', text: 'Hello' }];
const SAID = { scope: 'marketing', state: 'out' };
const BODIES: Readonly<Record<string, () => object>> = {
  'POST /api/v1/messages': () => ({ to: newPhone(), content: { text: 'Hi' } }),
  'POST /api/v1/messages/send': () => ({ to: newPhone(), content: { text: 'Hi' }, scheduled_at: soon() }),
  'POST /api/v1/messages/batch': () => ({ messages: [{ to: newPhone(), content: { text: 'Hi' } }] }),
  'POST /api/v1/tenants': () => ({ name: 'x' }),
  'PATCH /api/v1/messages/:id': () => ({ scheduled_at: new Date(Date.now() + 3_600_000).toISOString() }),
  'PATCH /api/v1/tenants/:id': () => ({ name: 'taken' }),
  'POST /api/v1/senders': () => ({ channel: 'webhook', webhook_url: 'https://hooks.example/x' }),
  'PATCH /api/v1/senders/:id': () => ({ name: 'taken' }),
  'POST /api/v1/templates': () => ({
    account_id: own['account'],
    name: 'mine',
    language: 'en',
    category: 'utility',
    components: COMPONENTS,
  }),
  'PATCH /api/v1/templates/:id': () => ({ components: COMPONENTS }),
  'POST /api/v1/templates/:id/unpause': () => ({}),
  'POST /api/v1/templates/sync': () => ({ account_id: own['account'] }),
  'POST /api/v1/templates/:id/preview': () => ({}),
  'POST /api/v1/templates/preview': () => ({ definition: { category: 'utility', components: COMPONENTS } }),
  'POST /api/v1/api-keys': () => ({ name: 'mine', scopes: ['messages:read'] }),
  'PATCH /api/v1/api-keys/:id': () => ({ name: 'taken' }),
  'POST /api/v1/accounts': () => ({ id: '555000333', access_token: 'x' }),
  'PATCH /api/v1/accounts/:id': () => ({ add_numbers: false }),
  'POST /api/v1/apps': () => ({ id: 'mine', app_secret: 'x', verify_token: 'x' }),
  'PATCH /api/v1/apps/:id': () => ({ verify_token: 'taken' }),
  'POST /api/v1/contacts': () => ({ phone: newPhone() }),
  'PATCH /api/v1/contacts/:id': () => ({ name: 'taken' }),
  'POST /api/v1/dead-letters/redrive': () => ({ filter: {} }),
  'POST /api/v1/exports': () => ({ kind: 'messages', format: 'csv' }),
  'POST /api/v1/contacts/:id/consent': () => SAID,
  'POST /api/v1/consents': () => ({ ...SAID, phone: newPhone() }),
  'POST /api/v1/consents/batch': () => ({ consents: [{ ...SAID, phone: newPhone() }] }),
  'POST /api/v1/contacts/:id/block': () => ({ sender_id: own['sender'] }),
  'POST /api/v1/contacts/:id/unblock': () => ({ sender_id: own['sender'] }),
  'PUT /api/v1/messages/:id': () => ({ content: 'taken' }),
  'POST /api/v1/messages/:id/reactions': () => ({ emoji: '👍' }),
  'POST /api/v1/conversations': () => ({ type: 'group' }),
  'PATCH /api/v1/conversations/:id': () => ({ title: 'taken' }),
  'POST /api/v1/conversations/:id/participants': () => ({ participants: [{ user_id: 'intruder' }] }),
  'PATCH /api/v1/conversations/:id/participants/:user_id': () => ({ role: 'owner' }),
  'POST /api/v1/conversations/:id/typing': () => ({ is_typing: true }),
  'POST /api/v1/webhooks': () => ({ url: 'https://hooks.example/x' }),
  'PATCH /api/v1/webhooks/:id': () => ({ description: 'taken' }),
  'POST /api/v1/webhooks/:id/replay': () => ({ since: '2026-01-01T00:00:00Z' }),
  'POST /api/v1/media': () => ({ url: 'http://127.0.0.1:1/x.jpg' }),
};
const soon = () => new Date(Date.now() + 3_600_000).toISOString();

interface Asked {
  status: number;
  text: string;
}

async function ask(route: Route, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Asked> {
  const response = await fetch(`${world.url}${url}`, {
    method: route.method,
    headers: {
      'x-api-key': strangerKey,
      'x-user-id': own['user'] ?? '',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** All that is the owner's, of every table there is. */
async function holdings(): Promise<Record<string, string>> {
  const tables = await world.db.query<{ name: string }>({
    name: 'test_tables',
    text: `select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'tenant_id' order by 1`,
  });
  assert.ok(tables.length > 25);
  const held: Record<string, string> = {};
  for (const { name } of [...tables, { name: 'tenants' }, { name: 'apps' }, { name: 'settings' }]) {
    const mine =
      name === 'tenants'
        ? 'id = $1'
        : tables.some((one) => one.name === name)
          ? 'tenant_id = $1'
          : '$1::uuid is not null';
    const [row] = await world.db.query<{ text: string | null }>(
      {
        name: `test_held_${name}`,
        text: `select string_agg(t::text, e'\n' order by t::text) as text from ${name} t where ${mine}`,
      },
      [owner.tenant],
    );
    held[name] = row?.text ?? '';
  }
  return held;
}

/** Nothing of the owner's is told, but for what the request itself said. */
function assertTellsNothing({ text }: Asked, said: string, name: string): void {
  for (const secret of [...Object.values(owned), 'secret-of-owner']) {
    if (said.includes(secret)) continue;
    assert.ok(!text.includes(secret), `${name} tells ${secret}: ${text}`);
  }
}

const bodyOf = ({ name, method, body }: Route) =>
  BODIES[name]?.() ?? (body === undefined || method === 'GET' ? undefined : {});

/** Tables of what a tenant can name. */
const NAMED =
  'account_alerts accounts api_keys batches blocked_users chat_messages consents contacts conversations due events exports media messages ' +
  'participants pauses senders templates tenants webhook_deliveries webhook_endpoints';

test('there is something of every kind', async () => {
  const held = await holdings();
  for (const name of NAMED.split(' ')) assert.notEqual(held[name], '', name);
  for (const [kind, id] of Object.entries({ ...owned, ...own })) assert.notEqual(id, '', kind);
});

test("another tenant's record is not found by any route, and nothing of it is told or changed", async () => {
  const before = await holdings();
  const controls: Promise<void>[] = [];
  for (const route of routes) {
    if (!/\/:(?!app\b|token\b)\w+/.test(route.url)) continue;
    // A user's id is the asker's own word, and names no record.
    if (route.url.startsWith('/api/v1/users/')) continue;
    const statuses = new Set<number>();
    for (const [kind, id] of Object.entries(owned)) {
      const name = `${route.name} with the owner's ${kind}`;
      const asked = await ask(route, pathOf(route, id, owned), bodyOf(route));
      assert.ok([403, 404].includes(asked.status), `${name}: ${asked.status} ${asked.text}`);
      assertTellsNothing(asked, id, name);
      statuses.add(asked.status);
    }
    assert.equal(statuses.size, 1, route.name);
    if (statuses.has(403)) continue;
    // It is by the tenant alone that it failed: for one's own the same request does something.
    if (route.method !== 'DELETE') controls.push(assertDoes(route));
  }
  await Promise.all(controls);
  assert.deepEqual(await holdings(), before);
});

/** A route's path with an id; what is named below it is a record of the same tenant. */
function pathOf(route: Route, id: string, of: Records): string {
  return route.url
    .replace(/:\w+/, encodeURIComponent(id))
    .replace(':delivery', of['delivery'] ?? '')
    .replace(':user_id', of['user'] ?? '');
}

async function assertDoes(route: Route): Promise<void> {
  const asked = await Promise.all(Object.values(own).map((id) => ask(route, pathOf(route, id, own), bodyOf(route))));
  assert.ok(
    asked.some(({ status }) => ![400, 403, 404].includes(status)),
    route.name,
  );
}

test('nobody acts for another tenant by naming it', async () => {
  const before = await holdings();
  for (const route of routes) {
    const fields = fieldsOf(route.body, route.find).concat(fieldsOf(route.querystring, route.find));
    if (!fields.some(([name]) => name === 'tenant_id')) continue;
    for (const id of [owner.tenant, newId()]) {
      const path = route.url.replace(/:\w+/, owned['account'] ?? '');
      const asked = fieldsOf(route.body, route.find).some(([name]) => name === 'tenant_id')
        ? await ask(route, path, { ...bodyOf(route), tenant_id: id })
        : await ask(route, `${path}?tenant_id=${id}`, bodyOf(route));
      assert.equal(asked.status, 403, `${route.name}: ${asked.text}`);
      const byHeader = await ask(route, path, bodyOf(route), { 'x-tenant-id': id });
      assert.equal(byHeader.status, 403, `${route.name}: ${byHeader.text}`);
    }
  }
  assert.deepEqual(await holdings(), before);
});

test("a filter that names another tenant's record finds nothing", async () => {
  for (const route of routes) {
    if (route.method !== 'GET' || !route.url.startsWith('/api/')) continue;
    for (const [field = ''] of fieldsOf(route.querystring, route.find)) {
      if (field === 'tenant_id' || field === 'limit' || field === 'wait') continue;
      for (const [kind, id] of Object.entries(owned)) {
        const name = `${route.name} with the owner's ${kind} as ${field}`;
        const path = route.url.replace(/:\w+/, own['contact'] ?? '');
        const asked = await ask(route, `${path}?${field}=${encodeURIComponent(id)}`);
        assert.ok(asked.status < 500, `${name}: ${asked.status} ${asked.text}`);
        assertTellsNothing(asked, id, name);
      }
    }
  }
});

test('lists, statistics and events tell of nobody else', async () => {
  for (const route of routes) {
    if (route.method !== 'GET' || route.url.includes(':') || !/^\/(api|processor)\//.test(route.url)) continue;
    const asked = await ask(route, route.url);
    assertTellsNothing(asked, '', route.name);
  }
});

/** Fields whose value is the asker's own word, whatever it is like: of no record, or of one that is made by it. */
const WORDS = new Set([
  'external_id',
  'user_id',
  'conversation_id',
  'whatsapp_message_id',
  'portfolio_id',
  'meta_app_id',
]);
const NAMES = /(^|_)(id|reply_to)$/;
/** Fields that may hold an id of the provider's, which is passed on: only one of ours names something here. */
const PASSED_ON = new Set(['reply_to', 'message_id']);

test("a request that names another tenant's record is refused as if there were none", async () => {
  const before = await holdings();
  const tried: string[] = [];
  for (const route of routes) {
    if (route.body === undefined || route.method === 'GET' || !route.url.startsWith('/api/')) continue;
    if ((await ask(route, route.url.replace(/:\w+/, newId()), {})).status === 403) continue;
    const base = bodyOf(route);
    assert.ok(BODIES[route.name] ?? Object.keys(base ?? {}).length === 0, `${route.name} needs a body here`);
    for (const path of fieldsOf(route.body, route.find)) {
      const field = path.at(-1) ?? '';
      if (!NAMES.test(field) || field === 'tenant_id') continue;
      for (const [kind, id] of Object.entries(owned)) {
        if (PASSED_ON.has(field) && !isUuid(id)) continue;
        const name = `${route.name} with the owner's ${kind} as ${path.join('.')}`;
        const body = put(base, path, id, route.name);
        const asked = await ask(route, route.url.replace(/:\w+/, own['contact'] ?? ''), body);
        assertTellsNothing(asked, JSON.stringify(body), name);
        assert.ok(asked.status < 500, `${name}: ${asked.status} ${asked.text}`);
        // A filter of nobody's record is one that nothing matches.
        if (!WORDS.has(field) && path[0] !== 'filter')
          assert.ok([400, 404, 409].includes(asked.status), `${name}: ${asked.status} ${asked.text}`);
      }
      tried.push(`${route.name} ${path.join('.')}`);
    }
  }
  assert.ok(tried.length >= 10, tried.join('\n'));
  assert.deepEqual(await holdings(), before);
});

/** A body with a value put into it. What cannot stand beside it is taken out. */
function put(base: unknown, path: readonly string[], value: string, route: string): unknown {
  const body = structuredClone(base ?? {}) as Record<string, unknown>;
  let at: Record<string, unknown> = body;
  for (const name of path.slice(0, -1)) {
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
  }
  at[path.at(-1) ?? ''] = value;
  if (path.at(-1) === 'sender_id' && route.includes('/templates')) delete body['account_id'];
  if (path.includes('media_id')) delete at['text'];
  if (path.includes('reaction')) body['content'] = { reaction: { message_id: value, emoji: '👍' } };
  return body;
}
