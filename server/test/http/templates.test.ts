import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { templateApi } from '../../src/channels/whatsapp/template-api.ts';
import { type MediaId, newId } from '../../src/domain/ids.ts';
import { createTemplatesJob } from '../../src/jobs/templates.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type GraphServer, type GraphTemplate, graphError, graphServer, noSamples } from '../jobs/graph-templates.ts';
import { until } from '../until.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
let graph: GraphServer;
let job: Part;
let account = '';
let accounts = 50_000;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());
beforeEach(async () => {
  customer = await world.customer();
  account = String(++accounts);
  graph = await graphServer();
  await world.db.query({ name: 'test_own_account', text: 'update senders set account_id = $2 where tenant_id = $1' }, [
    customer.tenant,
    account,
  ]);
  await world.db.query(
    {
      name: 'test_account',
      text: `insert into accounts (tenant_id, id, app_id, access_token_sealed, synced_at) values ($1, $2, 'default', 'sealed', now())`,
    },
    [customer.tenant, account],
  );
  job = createTemplatesJob({
    db: world.db,
    signals: world.signals,
    logger: { info() {}, warn() {} },
    samples: noSamples,
    provider: templateApi({ origin: graph.url, version: 'v26.0', timeout: 2000 }),
    openToken: () => 'token',
    retry: { base: 20, cap: 50 },
    longestRest: 1000,
    every: 3_600_000,
    look: 50,
  });
  await job.start();
});
afterEach(async () => {
  await job.stop();
  await graph.close();
  await world.db.script('delete from templates; delete from accounts');
});

const PATH = '/api/v1/templates';
const BODY = { type: 'BODY', text: 'Hi {{1}}, your order is on its way.', example: { body_text: [['Ana']] } };
const NEW = { name: 'order_sent', language: 'en', category: 'utility', components: [BODY] };

function ask(method: string, path: string, body?: unknown, key = customer.key): Promise<Answer> {
  return fetch(`${world.url}${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }));
}

const status = async (id: string) => (await customer.get(`${PATH}/${id}`)).body.status;

/** A template that the provider knows, read from it. */
async function known(change: Partial<GraphTemplate> = {}): Promise<string> {
  const name = change.name ?? 'order_sent';
  graph.templates.push({
    id: String(70_000 + graph.templates.length),
    name,
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    components: [BODY],
    ...change,
  });
  assert.equal((await customer.post(`${PATH}/sync`, { account_id: account })).status, 202);
  let id = '';
  await until('the template is read', async () => {
    const { body } = await customer.get(`${PATH}?name=${name}`);
    id = (body['templates'] as { id: string }[])[0]?.id ?? '';
    return id !== '';
  });
  return id;
}

test('a template is made, submitted, shown, listed, edited and deleted', async () => {
  const made = await customer.post(PATH, { ...NEW, sender_id: customer.sender });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { id, account_id, whatsapp_template_id, pending } = made.body as unknown as Record<string, string>;
  assert.deepEqual([account_id, made.body.status, whatsapp_template_id, pending], [account, 'PENDING', '1001', null]);
  assert.deepEqual((await customer.get(`${PATH}/${id}`)).body['components'], [BODY]);
  for (const query of [
    '',
    '?status=pending',
    `?account_id=${account}`,
    '?category=utility&language=en&name=order_sent',
  ]) {
    assert.equal(((await customer.get(`${PATH}${query}`)).body['templates'] as unknown[]).length, 1, query);
  }
  assert.deepEqual((await customer.get(`${PATH}?status=REJECTED`)).body['templates'], []);
  assert.equal((await customer.post(PATH, NEW)).body.error, 'already_exists');

  Object.assign(graph.templates[0] as GraphTemplate, { status: 'REJECTED' });
  await customer.post(`${PATH}/sync`, {});
  await until('it is rejected', async () => (await status(String(id))) === 'REJECTED');
  const components = [{ ...BODY, text: 'Hello {{1}}, your order is on its way.' }];
  const edited = await ask('PATCH', `${PATH}/${id}`, { category: 'marketing', components });
  assert.equal(edited.status, 200, JSON.stringify(edited.body));
  assert.deepEqual([edited.body['category'], edited.body['components']], ['marketing', components]);

  const deleted = await ask('DELETE', `${PATH}/${id}`);
  assert.deepEqual([deleted.status, deleted.body['deleted']], [200, true]);
  assert.equal((await customer.get(`${PATH}/${id}`)).status, 404);
  assert.deepEqual(graph.templates, []);
});

test('a category may be written in capitals, as WhatsApp writes it', async () => {
  const made = await customer.post(PATH, { ...NEW, category: 'UTILITY' });
  assert.deepEqual([made.status, made.body.category], [201, 'utility']);
  const listed = await customer.get(`${PATH}?category=UTILITY`);
  assert.equal((listed.body.templates as unknown[]).length, 1);
  const definition = { category: 'Utility', components: [BODY] };
  assert.equal((await customer.post(`${PATH}/preview`, { definition })).status, 200);
  graph.templates[0] = { ...graph.templates[0], status: 'REJECTED' } as GraphTemplate;
  await customer.post(`${PATH}/sync`, {});
  await until('it is rejected', async () => (await status(made.body.id)) === 'REJECTED');
  const edited = await ask('PATCH', `${PATH}/${made.body.id}`, { category: 'MARKETING' });
  assert.deepEqual([edited.status, edited.body.category], [200, 'marketing']);
});

test('lists go by pages', async () => {
  for (const name of ['one', 'two', 'three']) assert.equal((await customer.post(PATH, { ...NEW, name })).status, 201);
  const first = await customer.get(`${PATH}?limit=2`);
  const names = (answer: Answer) => (answer.body['templates'] as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names(first), ['three', 'two']);
  const second = await customer.get(`${PATH}?limit=2&cursor=${first.body.next_cursor}`);
  assert.deepEqual([names(second), second.body.next_cursor], [['one'], null]);
  assert.equal((await customer.get(`${PATH}?limit=101`)).body.error, 'limit_too_large');
});

test('what WhatsApp does not take is told with its words, and stays as refused', async () => {
  graph.bend = ({ method }) =>
    method === 'POST'
      ? graphError(100, 'Invalid parameter', {
          error_subcode: 2388299,
          error_user_title: 'Variables',
          error_user_msg: 'They stand at the end.',
        })
      : undefined;
  const refused = await customer.post(PATH, NEW);
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error, 'template_refused');
  assert.match(refused.body.message, /Variables: They stand at the end\./);
  const { id, refusal } = refused.body.details as unknown as { id: string; refusal: unknown };
  assert.deepEqual(refusal, { code: 100, subcode: 2388299, title: 'Variables', detail: 'They stand at the end.' });
  assert.equal(await status(id), 'REFUSED');
  // The name is free for another try, by an edit or anew.
  graph.bend = () => undefined;
  const again = await customer.post(PATH, NEW);
  assert.deepEqual([again.status, again.body.id], [201, id]);
});

test('a provider that does not answer in time is waited for by the job', { timeout: 20_000 }, async () => {
  let silent = true;
  graph.bend = ({ method }) => (method === 'POST' && silent ? { status: 503, body: 'later' } : undefined);
  const made = await customer.post(PATH, NEW);
  assert.deepEqual([made.status, made.body.status, made.body['pending']], [202, 'SUBMITTING', 'create']);
  assert.equal(
    (await ask('PATCH', `${PATH}/${made.body.id}`, { components: [BODY] })).body.error,
    'template_not_editable',
  );
  const waiting = await customer.get(`${PATH}/${made.body.id}`);
  assert.match(String(waiting.body['reason']), /HTTP 503/);
  silent = false;
  await until('it is told', async () => (await status(made.body.id)) === 'PENDING');
});

test('the pause of a template is ended when WhatsApp ends it', async () => {
  const id = await known({ status: 'PAUSED' });
  let reason: string | undefined = 'Its quality is low still.';
  graph.bend = ({ path }) => {
    if (!path.endsWith('/unpause')) return undefined;
    if (reason !== undefined) return { status: 200, body: { success: false, reason } };
    Object.assign(graph.templates[0] as GraphTemplate, { status: 'APPROVED' });
    return { status: 200, body: { success: true } };
  };
  const refused = await customer.post(`${PATH}/${id}/unpause`);
  assert.deepEqual([refused.status, refused.body.error], [400, 'template_refused']);
  assert.match(refused.body.message, /quality is low still/);
  assert.equal(await status(id), 'PAUSED');
  reason = undefined;
  const ended = await customer.post(`${PATH}/${id}/unpause`);
  assert.equal(ended.status, 200, JSON.stringify(ended.body));
  await until('it is approved', async () => (await status(id)) === 'APPROVED');
  assert.equal((await customer.post(`${PATH}/${id}/unpause`)).body.error, 'template_not_editable');
});

test('bad input is refused before anything is written', async () => {
  const header = (media_id: string) => ({ type: 'HEADER', format: 'IMAGE', example: { media_id } });
  const document = newId<MediaId>();
  await world.db.query(
    {
      name: 'test_media',
      text: `insert into media (tenant_id, id, sha256, size, mime_type, kind, source) values ($1, $2, sha256('x'), 1, 'application/pdf', 'document', 'upload')`,
    },
    [customer.tenant, document],
  );
  const cases: [object, string, string | undefined][] = [
    [{ ...NEW, name: 'Order-Sent' }, 'invalid_field', 'name'],
    [{ ...NEW, category: 5 }, 'invalid_field', 'category'],
    [{ ...NEW, language: 'english please' }, 'invalid_field', 'language'],
    [{ ...NEW, category: 'spam' }, 'invalid_field', 'category'],
    [{ ...NEW, parameter_format: 'BOTH' }, 'invalid_field', 'parameter_format'],
    [{ ...NEW, components: [] }, 'invalid_field', 'components'],
    [
      { ...NEW, components: [{ type: 'BODY', text: 'Hi {{1}} there' }] },
      'missing_field',
      'components[0].example.body_text[0]',
    ],
    [{ ...NEW, components: [header('x'), BODY] }, 'invalid_field', 'components[0].example.media_id'],
    [{ ...NEW, components: [header(crypto.randomUUID()), BODY] }, 'invalid_field', 'components[0].example.media_id'],
    [{ ...NEW, components: [header(document), BODY] }, 'invalid_field', 'components[0].example.media_id'],
    [{ ...NEW, message_send_ttl_seconds: 5 }, 'invalid_field', 'message_send_ttl_seconds'],
    [{ ...NEW, account_id: '99999' }, 'invalid_field', 'account_id'],
    [{ ...NEW, account_id: account, sender_id: customer.sender }, 'invalid_field', 'account_id'],
    [{ ...NEW, sender_id: 'nobody' }, 'unknown_sender', 'sender_id'],
    [{ ...NEW, extra: 1 }, 'unknown_field', 'extra'],
    [{ ...NEW, name: undefined }, 'missing_field', 'name'],
  ];
  for (const [body, code, field] of cases) {
    const answer = await customer.post(PATH, body);
    assert.deepEqual([answer.body.error, answer.body.details?.field], [code, field], JSON.stringify(answer.body));
  }
  assert.deepEqual((await customer.get(PATH)).body['templates'], []);
  assert.equal((await ask('PATCH', `${PATH}/${crypto.randomUUID()}`, { components: [BODY] })).status, 404);
  assert.equal((await ask('PATCH', `${PATH}/nothing`, {})).body.error, 'invalid_field');
  assert.equal((await ask('DELETE', `${PATH}/nothing`)).status, 404);
  assert.equal((await customer.post(`${PATH}/sync`, { account_id: '99999' })).status, 404);
});

test('templates are their tenant’s alone, and need their scopes', async () => {
  const id = await known();
  const other = await world.customer();
  assert.equal((await other.get(`${PATH}/${id}`)).status, 404);
  assert.deepEqual((await other.get(PATH)).body['templates'], []);
  assert.equal((await ask('DELETE', `${PATH}/${id}`, undefined, other.key)).status, 404);
  assert.equal((await other.post(`${PATH}/sync`, { account_id: account })).status, 404);
  const reader = await world.keyFor(customer.tenant, ['templates:read']);
  assert.equal((await ask('GET', `${PATH}/${id}`, undefined, reader)).status, 200);
  assert.equal((await ask('POST', PATH, NEW, reader)).status, 403);
  const writer = await world.keyFor(customer.tenant, ['messages:write']);
  assert.equal((await ask('GET', PATH, undefined, writer)).status, 403);
});

test('a preview shows what the customer will see, of a template that is there or is still to be made', async () => {
  const id = await known();
  const shown = await customer.post(`${PATH}/${id}/preview`, { variables: { 1: 'Bob' } });
  assert.deepEqual(
    [shown.status, shown.body['body'], shown.body['text']],
    [200, 'Hi Bob, your order is on its way.', 'Hi Bob, your order is on its way.'],
  );
  const sent = { components: [{ type: 'body', parameters: [{ type: 'text', text: 'Cid' }] }] };
  assert.equal((await customer.post(`${PATH}/${id}/preview`, sent)).body['body'], 'Hi Cid, your order is on its way.');
  assert.equal((await customer.post(`${PATH}/${id}/preview`, {})).body['body'], 'Hi Ana, your order is on its way.');
  const wrong = await customer.post(`${PATH}/${id}/preview`, { components: [] });
  assert.deepEqual([wrong.body.error, wrong.body.details?.field], ['missing_field', 'components']);
  assert.equal(
    (await customer.post(`${PATH}/${id}/preview`, { components: [], variables: {} })).body.details?.field,
    'variables',
  );
  const definition = {
    category: 'marketing',
    parameter_format: 'NAMED',
    components: [
      {
        type: 'body',
        text: 'Dear {{name}}, hi.',
        example: { body_text_named_params: [{ param_name: 'name', example: 'Ana' }] },
      },
    ],
  };
  assert.equal(
    (await customer.post(`${PATH}/preview`, { definition, variables: { name: 'Dee' } })).body['body'],
    'Dear Dee, hi.',
  );
  const flawed = { ...definition, components: [{ type: 'body', text: '{{name}}' }] };
  assert.equal(
    (await customer.post(`${PATH}/preview`, { definition: flawed })).body.details?.field,
    'definition.components[0].text',
  );
});

test('a message is held against its template before it is accepted', async () => {
  const to = '+6281234567890';
  const template = {
    name: 'order_sent',
    language: 'en',
    components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
  };
  await known();
  const accepted = await customer.post('/api/v1/messages', { to, template });
  assert.equal(accepted.status, 202, JSON.stringify(accepted.body));
  const bare = await customer.post('/api/v1/messages', { to, template: { ...template, components: [] } });
  assert.deepEqual(
    [bare.status, bare.body.error, bare.body.details?.field],
    [400, 'missing_field', 'template.components'],
  );
  const absent = await customer.post('/api/v1/messages', { to, template: { ...template, name: 'no_such' } });
  assert.equal(absent.body.error, 'unknown_template');
  const elsewhere = await customer.post('/api/v1/messages', { to, template: { ...template, language: 'en_US' } });
  assert.match(elsewhere.body.message ?? '', /no template order_sent \(en_US\); it has it in en\.$/);
  await known({ name: 'rejected_one', status: 'REJECTED' });
  const rejected = await customer.post('/api/v1/messages', { to, template: { ...template, name: 'rejected_one' } });
  assert.deepEqual([rejected.status, rejected.body.error], [409, 'template_unavailable']);
  await known({ name: 'paused_one', status: 'PAUSED' });
  const paused = await customer.post('/api/v1/messages', { to, template: { ...template, name: 'paused_one' } });
  assert.equal(paused.status, 202);
  const [row] = await world.db.query<{ held: string }>(
    { name: 'test_held', text: 'select held from due where message_id = $1' },
    [paused.body.id],
  );
  assert.equal(row?.held, 'template');
});
