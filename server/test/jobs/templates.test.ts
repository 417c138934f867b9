import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createTemplateDirectory } from '../../src/access/template-directory.ts';
import { createTemplates } from '../../src/actions/templates.ts';
import { templateApi } from '../../src/channels/whatsapp/template-api.ts';
import { newId, type TemplateId, type TenantId } from '../../src/domain/ids.ts';
import { createTemplatesJob } from '../../src/jobs/templates.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { findTemplate, listTemplates, type TemplateRecord } from '../../src/store/templates.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { until } from '../until.ts';
import { type GraphServer, type GraphTemplate, graphError, graphServer, noSamples } from './graph-templates.ts';

let world: EngineWorld;
let graph: GraphServer;
let parts: Part[] = [];
let accounts = 20_000;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());
beforeEach(async () => {
  graph = await graphServer();
});
afterEach(async () => {
  for (const part of parts) await part.stop();
  parts = [];
  await graph.close();
  // Accounts of one test are none of the next one's job.
  await world.db.script('delete from templates; delete from accounts');
});

const BODY = { type: 'BODY', text: 'Hi {{1}}, thanks.', example: { body_text: [['Ana']] } };
const NEW = { name: 'thanks', language: 'en', category: 'utility' as const, components: [BODY] };

interface Owner extends TenantWorld {
  account: string;
}

async function owner(): Promise<Owner> {
  const tenant = await world.tenant();
  const account = String(++accounts);
  await world.db.query(
    {
      name: 'test_account',
      text: `insert into accounts (tenant_id, id, app_id, access_token_sealed, synced_at) values ($1, $2, 'default', 'sealed', now())`,
    },
    [tenant.tenant, account],
  );
  return { ...tenant, account };
}

async function start({ every = 3_600_000, look = 50 } = {}): Promise<void> {
  const job = createTemplatesJob({
    db: world.db,
    signals: world.signals,
    logger: { info() {}, warn() {} },
    samples: noSamples,
    provider: templateApi({ origin: graph.url, version: 'v26.0', timeout: 2000 }),
    openToken: ({ id }) => `token-of-${id}`,
    retry: { base: 20, cap: 50 },
    longestRest: 50,
    every,
    look,
  });
  parts.push(job);
  await job.start();
}

const all = (tenant: TenantId) => listTemplates(world.db, tenant, {}, null, 1000);
const actions = () => createTemplates({ db: world.db, signals: world.signals });
const synced = async ({ tenant, account }: Owner) => {
  const [row] = await world.db.query<{ at: Date | null }>(
    { name: 'test_synced', text: 'select templates_synced_at as at from accounts where tenant_id = $1 and id = $2' },
    [tenant, account],
  );
  return row?.at ?? null;
};
const untilSynced = (one: Owner) => until('templates were read', async () => (await synced(one)) !== null);

async function untilTold(tenant: TenantId, id: TemplateId): Promise<TemplateRecord> {
  let told: TemplateRecord | null = null;
  await until('the provider was told', async () => {
    told = await findTemplate(world.db, tenant, id);
    return told?.intent === null;
  });
  assert.ok(told);
  return told;
}

function graphTemplate(i: number, change: Partial<GraphTemplate> = {}): GraphTemplate {
  return {
    id: `9${i}`,
    name: `template_${i}`,
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [BODY],
    ...change,
  };
}

test('all pages of an account are read with its token, changed ones are written, and those that are gone are gone', async () => {
  const one = await owner();
  graph.pageSize = 3;
  graph.templates = Array.from({ length: 8 }, (_, i) => graphTemplate(i));
  graph.templates.push(
    graphTemplate(8, {
      status: 'REJECTED',
      rejected_reason: 'ABUSIVE_CONTENT',
      category: 'SOMETHING_NEW',
      quality_score: { score: 'GREEN' },
    }),
  );
  await start();
  await untilSynced(one);
  const rows = await all(one.tenant);
  assert.equal(rows.length, 9);
  assert.ok(
    graph.calls.every(
      ({ token, path }) =>
        token === `Bearer token-of-${one.account}` && path === `/v26.0/${one.account}/message_templates`,
    ),
  );
  const odd = rows.find(({ name }) => name === 'template_8');
  assert.deepEqual(
    [odd?.status, odd?.reason, odd?.category, odd?.quality],
    ['REJECTED', 'ABUSIVE_CONTENT', 'marketing', 'GREEN'],
  );
  const [kept] = rows.filter(({ name }) => name === 'template_0');
  graph.templates = [graphTemplate(0, { status: 'PAUSED' }), { ...graphTemplate(20), name: 5 as unknown as string }];
  await actions().sync(one.tenant, one.account);
  await until('they were read again', async () => (await all(one.tenant)).length === 1);
  const [now] = await all(one.tenant);
  assert.deepEqual([now?.id, now?.status], [kept?.id, 'PAUSED']);
});

test('a reading that breaks off changes nothing, and is tried again', async () => {
  const one = await owner();
  graph.pageSize = 2;
  graph.templates = Array.from({ length: 5 }, (_, i) => graphTemplate(i));
  await start();
  await untilSynced(one);
  let broken = 0;
  graph.bend = ({ query }) => {
    if (query['after'] !== '2' || broken === 3) return undefined;
    return [graphError(190, 'Session has expired'), { status: 502, body: 'a page of a gateway' }, 'cut' as const][
      broken++
    ];
  };
  graph.templates.pop();
  await actions().sync(one.tenant, one.account);
  await until('the reading went well', async () => broken === 3 && (await all(one.tenant)).length === 4);
});

test('templates are read again from time to time, and what a directory knew is forgotten', async () => {
  const one = await owner();
  const directory = createTemplateDirectory({ db: world.db, clock: systemClock });
  const unlisten = world.signals.listen('templates', directory.forget);
  const key = { account: one.account, name: 'template_1', language: 'en' };
  const ask = async () => (await directory.resolve(one.tenant, [key]))[0];
  assert.equal(await ask(), 'unsynced');
  await start({ every: 20, look: 20 });
  await until('the account is read', async () => (await ask()) === 'absent');
  graph.templates = [graphTemplate(1)];
  await until('the template is known', async () => typeof (await ask()) === 'object');
  assert.equal(typeof directory.known(one.tenant, one.account, 'template_1', 'en'), 'object');
  unlisten();
});

test('a creation is told to the provider, with what it said of it', async () => {
  const one = await owner();
  await start();
  const made = await actions().create(one.tenant, one.account, {
    ...NEW,
    allow_category_change: true,
    message_send_ttl_seconds: 60,
  });
  assert.equal(made.status, 'SUBMITTING');
  const told = await untilTold(one.tenant, made.id);
  assert.deepEqual([told.status, told.provider_id, told.refusal], ['PENDING', '1001', null]);
  const call = graph.calls.find(({ method }) => method === 'POST');
  assert.deepEqual(call?.body, {
    name: 'thanks',
    language: 'en',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [BODY],
    allow_category_change: true,
    message_send_ttl_seconds: 60,
  });
  await assert.rejects(actions().create(one.tenant, one.account, NEW), { code: 'already_exists' });
});

test('what the provider does not take is refused with its words, and can be mended', async () => {
  const one = await owner();
  await start();
  graph.bend = ({ method }) =>
    method === 'POST'
      ? graphError(100, 'Invalid parameter', {
          error_subcode: 2388293,
          error_user_title: 'Too many variables',
          error_user_msg: 'Add words.',
        })
      : undefined;
  const made = await actions().create(one.tenant, one.account, NEW);
  const told = await untilTold(one.tenant, made.id);
  assert.deepEqual(
    [told.status, told.reason, told.refusal],
    ['REFUSED', 'Add words.', { code: 100, subcode: 2388293, title: 'Too many variables', detail: 'Add words.' }],
  );
  graph.bend = () => undefined;
  const longer = { ...BODY, text: 'Hi {{1}}, many thanks.' };
  await actions().edit(one.tenant, made.id, { components: [longer] });
  assert.equal((await untilTold(one.tenant, made.id)).status, 'PENDING');
  assert.deepEqual(graph.templates[0]?.components, [longer]);
});

test('one template too many for the account is refused with its words [code 2388019]', async () => {
  const one = await owner();
  await start();
  const full = { error_subcode: 2388019, error_user_title: 'Limit exceeded', error_user_msg: 'There are 250.' };
  graph.bend = ({ method }) => (method === 'POST' ? graphError(100, 'Invalid parameter', full) : undefined);
  const made = await actions().create(one.tenant, one.account, NEW);
  const told = await untilTold(one.tenant, made.id);
  assert.deepEqual([told.status, told.refusal?.subcode, told.reason], ['REFUSED', 2388019, 'There are 250.']);
});

test('a creation whose answer was lost makes one template', async () => {
  const one = await owner();
  let lost = 0;
  graph.bend = ({ method, body }) => {
    if (method !== 'POST' || lost++ > 0) return undefined;
    graph.templates.push({ id: '5005', status: 'APPROVED', ...body } as unknown as GraphTemplate);
    return 'cut';
  };
  await start();
  const made = await actions().create(one.tenant, one.account, NEW);
  const told = await untilTold(one.tenant, made.id);
  assert.deepEqual([told.provider_id, told.status, told.category], ['5005', 'APPROVED', 'utility']);
  assert.equal(graph.templates.length, 1);
});

test('a template that the provider had already is no creation of ours [code 2388024]', async () => {
  const one = await owner();
  graph.templates = [graphTemplate(1, { name: 'thanks' })];
  await world.db.query(
    { name: 'test_later', text: `update accounts set templates_due_at = now() + interval '1 h' where id = $1` },
    [one.account],
  );
  await start();
  const made = await actions().create(one.tenant, one.account, NEW);
  assert.equal((await untilTold(one.tenant, made.id)).refusal?.subcode, 2388024);
});

test('trouble of the network, of the token or of the rate is no refusal', async () => {
  const one = await owner();
  const troubles = [
    graphError(190, 'expired'),
    graphError(80007, 'rate'),
    { status: 500, body: 'oops' },
    { status: 200, body: {} },
    'cut' as const,
  ];
  graph.bend = ({ method }) => (method === 'POST' ? troubles.shift() : undefined);
  await start();
  const made = await actions().create(one.tenant, one.account, NEW);
  assert.equal((await untilTold(one.tenant, made.id)).status, 'PENDING');
  assert.equal(troubles.length, 0);
});

test('edits follow the rules of the provider and are read back from it', async () => {
  const one = await owner();
  graph.templates = [graphTemplate(1), graphTemplate(2, { status: 'PENDING' })];
  await start();
  await untilSynced(one);
  const rows = await all(one.tenant);
  const approved = rows.find(({ name }) => name === 'template_1') as TemplateRecord;
  const pending = rows.find(({ name }) => name === 'template_2') as TemplateRecord;
  const components = [{ ...BODY, text: 'Hello {{1}}, thanks.' }];
  await assert.rejects(actions().edit(one.tenant, pending.id, { components }), { code: 'template_not_editable' });
  await assert.rejects(actions().edit(one.tenant, approved.id, { category: 'marketing' }), {
    code: 'invalid_field',
    field: 'category',
  });
  await assert.rejects(actions().edit(one.tenant, approved.id, { components: [] }), { code: 'missing_field' });
  await assert.rejects(actions().edit(one.tenant, newId(), { components }), { code: 'not_found' });
  await actions().edit(one.tenant, approved.id, { components });
  const told = await untilTold(one.tenant, approved.id);
  assert.deepEqual(told.components, components);
  await until(
    'its status was read',
    async () => (await findTemplate(world.db, one.tenant, approved.id))?.status === 'PENDING',
  );
  Object.assign(graph.templates[0] as GraphTemplate, { status: 'APPROVED' });
  await actions().sync(one.tenant, one.account);
  await until(
    'it was approved',
    async () => (await findTemplate(world.db, one.tenant, approved.id))?.status === 'APPROVED',
  );
  // Once in 24 hours.
  await assert.rejects(actions().edit(one.tenant, approved.id, { components }), { code: 'template_not_editable' });
});

test('deletions go by the provider; what it does not have is deleted too', async () => {
  const one = await owner();
  graph.templates = [graphTemplate(1), graphTemplate(2)];
  await start();
  await untilSynced(one);
  const rows = await all(one.tenant);
  graph.templates.pop();
  for (const { id } of rows) assert.equal((await actions().remove(one.tenant, id))?.intent, 'delete');
  await until('they are gone', async () => (await all(one.tenant)).length === 0);
  const deletions = graph.calls.filter(({ method }) => method === 'DELETE');
  assert.deepEqual(deletions.map(({ query }) => query['hsm_id']).sort(), ['91', '92']);
  await assert.rejects(actions().remove(one.tenant, newId()), { code: 'not_found' });
});

test('two instances tell the provider once, and a restart forgets nothing', async () => {
  const one = await owner();
  const made = await actions().create(one.tenant, one.account, NEW);
  await assert.rejects(actions().edit(one.tenant, made.id, { components: [BODY] }), { code: 'template_not_editable' });
  await assert.rejects(actions().remove(one.tenant, made.id), { code: 'template_not_editable' });
  await Promise.all([start(), start()]);
  await untilTold(one.tenant, made.id);
  await untilSynced(one);
  assert.equal(graph.calls.filter(({ method }) => method === 'POST').length, 1);
  await assert.rejects(actions().sync(one.tenant, '123456'), { code: 'not_found' });
});
