import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { cancelMessage, retryMessage } from '../../src/actions/change-message.ts';
import { expireMessages } from '../../src/actions/expire-messages.ts';
import { settleTemplateHolds } from '../../src/actions/template-holds.ts';
import type { Queryable, Statement } from '../../src/db/pool.ts';
import { type MessageId, newId, type TemplateId } from '../../src/domain/ids.ts';
import type { NewMessage } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { findHeldTemplates } from '../../src/store/template-holds.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());
afterEach(() => assertSound(world.db));

const query = <Row extends object>(text: string, values: unknown[] = []) =>
  world.db.query<Row>({ name: `test ${text}`.slice(0, 60), text }, values);

/** A tenant whose account has one template, and messages with it. */
interface Templated extends TenantWorld {
  template: TemplateId;
  status(word: string, reason?: string): Promise<void>;
  templated(change?: Partial<NewMessage>): Promise<MessageId>;
  held(): Promise<number>;
  sync(): Promise<{ due: boolean; status: string; reason: string | null }>;
}

async function templated(status = 'APPROVED'): Promise<Templated> {
  const tenant = await world.tenant();
  const template = newId<TemplateId>();
  await query(
    `insert into accounts (tenant_id, id, app_id, access_token_sealed, templates_due_at, synced_at) values ($1, $2, 'default', 'sealed', now() + interval '1 h', now())`,
    [tenant.tenant, accountOf(tenant)],
  );
  await query(`update senders set account_id = $2 where tenant_id = $1`, [tenant.tenant, accountOf(tenant)]);
  await query(
    `insert into templates (tenant_id, account_id, id, provider_id, name, language, status, category, components)
     values ($1, $2, $3, '77', 'offer', 'en', $4, 'marketing', '[]')`,
    [tenant.tenant, accountOf(tenant), template, status],
  );
  return {
    ...tenant,
    template,
    async status(word, reason) {
      await query(`update templates set status = $2, reason = $3, status_at = now() where id = $1`, [
        template,
        word,
        reason ?? null,
      ]);
    },
    templated: (change) =>
      tenant.accept({
        type: 'template',
        content: null,
        template: { name: 'offer', language: 'en' },
        template_id: template,
        ...change,
      }),
    async held() {
      const [row] = await query<{ n: number }>(
        `select count(*)::int as n from due where tenant_id = $1 and held is not null`,
        [tenant.tenant],
      );
      return row?.n ?? 0;
    },
    async sync() {
      const [row] = await query<{ due: boolean; status: string; reason: string | null }>(
        `select a.templates_due_at <= clock_timestamp() as due, t.status, t.reason from templates t join accounts a using (tenant_id) where t.id = $1`,
        [template],
      );
      assert.ok(row);
      return row;
    },
  };
}

/** Account ids are digits, and each account belongs to one tenant. */
function accountOf({ tenant }: TenantWorld): string {
  return String(Number.parseInt(tenant.replaceAll('-', '').slice(-11), 16)).padStart(10, '1');
}

const settle = () => settleTemplateHolds(world.db, world.signals);

interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

/** How many rows of due work a statement takes. */
async function rowsTaken(ask: (tx: Queryable) => Promise<unknown>): Promise<number> {
  let taken = 0;
  const walk = (node: PlanNode) => {
    if (node['Relation Name'] === 'due') taken += node['Actual Rows'] * node['Actual Loops'];
    for (const one of node.Plans ?? []) walk(one);
  };
  await ask({
    async query<Row extends object>({ name, text }: Statement, values?: readonly unknown[]) {
      const explained = { name: `explain ${name}`, text: `explain (analyze, format json) ${text}` };
      const [row] = await world.db.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(explained, values);
      walk(row?.['QUERY PLAN'][0]?.Plan as PlanNode);
      return [] as Row[];
    },
    script: (sql) => world.db.script(sql),
  });
  return taken;
}

const PAUSED: Outcome = {
  kind: 'error',
  code: 132015,
  title: 'Template is Paused',
  detail: 'Low quality',
  retryAfter: null,
};
const DISABLED: Outcome = {
  kind: 'error',
  code: 132016,
  title: 'Template is Disabled',
  detail: null,
  retryAfter: null,
};

test('messages of a paused template wait, others go, and all go when it is sent again', async () => {
  const tenant = await templated();
  const ids = [await tenant.templated(), await tenant.templated()];
  const other = await tenant.accept();
  await tenant.status('PAUSED');
  assert.deepEqual(await settle(), { held: 2, released: 0, failed: 0 });
  assert.deepEqual(
    (await tenant.begin()).map((send) => send.message_id),
    [other],
  );
  assert.equal((await tenant.read(ids[0] as MessageId)).state, 'queued');
  const late = await tenant.templated();
  assert.deepEqual(await settle(), { held: 1, released: 0, failed: 0 });
  await tenant.status('APPROVED');
  const heard: string[] = [];
  const unlisten = world.signals.listen(`due:${tenant.lane}`, () => heard.push('due'));
  assert.deepEqual(await settle(), { held: 0, released: 3, failed: 0 });
  unlisten();
  assert.ok(heard.length > 0);
  assert.deepEqual(new Set((await tenant.begin()).map((send) => send.message_id)), new Set([...ids, late]));
  assert.deepEqual(await settle(), { held: 0, released: 0, failed: 0 });
});

test('what was accepted as held, by what was known then, is let go when that was no longer so', async () => {
  const tenant = await templated('APPROVED');
  await tenant.templated({ held: 'template' });
  assert.equal((await tenant.begin()).length, 0);
  assert.equal((await settle()).released, 1);
  assert.equal((await tenant.begin()).length, 1);
});

test('held messages expire and are cancelled like others', async () => {
  const tenant = await templated('PAUSED');
  const cancelled = await tenant.templated({ held: 'template' });
  const expired = await tenant.templated({ held: 'template', expires_at: Date.now() + 60_000 });
  assert.equal(await cancelMessage(world.db, world.signals, tenant.tenant, cancelled, null), 'cancelled');
  await query(`update due set expires_at = now() where message_id = $1`, [expired]);
  await expireMessages(world.db, world.signals, [tenant.lane]);
  assert.deepEqual(
    [(await tenant.read(cancelled)).state, (await tenant.read(expired)).state],
    ['cancelled', 'expired'],
  );
});

test('a template that is not sent any more ends its messages, and says why; a person may retry them', async () => {
  const tenant = await templated('PAUSED');
  const waiting = await tenant.templated({ held: 'template' });
  const queued = await tenant.templated();
  await tenant.status('DISABLED', 'Too many complaints');
  assert.deepEqual(await settle(), { held: 0, released: 0, failed: 2 });
  for (const id of [waiting, queued]) {
    const { state, error } = await tenant.read(id);
    assert.equal(state, 'failed');
    assert.deepEqual(error, {
      error: 'template_unavailable',
      code: 0,
      title: 'The template offer (en) is DISABLED.',
      detail: 'Too many complaints',
    });
  }
  assert.equal(await retryMessage(world.db, world.signals, tenant.tenant, waiting, null), 'queued');
  // It is the same template still.
  assert.deepEqual(await settle(), { held: 0, released: 0, failed: 1 });
  await tenant.status('APPROVED');
  assert.equal(await retryMessage(world.db, world.signals, tenant.tenant, waiting, null), 'queued');
  const [send] = await tenant.begin();
  assert.equal(send?.message_id, waiting);
});

test('a template that is gone holds nothing back: the provider will say', async () => {
  const tenant = await templated('PAUSED');
  await tenant.templated({ held: 'template' });
  await query(`delete from templates where id = $1`, [tenant.template]);
  assert.equal((await settle()).released, 1);
});

test('an answer that the template is paused holds the message, marks the template and has it read again', async () => {
  const tenant = await templated();
  const ids = [await tenant.templated(), await tenant.templated(), await tenant.templated()];
  const sends = await tenant.begin();
  const heard: string[] = [];
  const unlisten = world.signals.listen('templates', () => heard.push('templates'));
  const settled = await Promise.all(sends.map((send) => tenant.settle(send, PAUSED)));
  unlisten();
  assert.deepEqual(
    settled.map(({ changed, kind }) => [changed, kind]),
    ids.map(() => [true, 'held']),
  );
  assert.ok(heard.length > 0);
  assert.equal(await tenant.held(), 3);
  assert.deepEqual(await tenant.sync(), { due: true, status: 'PAUSED', reason: 'Low quality' });
  assert.equal((await tenant.begin()).length, 0);
  await tenant.status('APPROVED');
  assert.equal((await settle()).released, 3);
  const again = await tenant.begin();
  assert.deepEqual(
    again.map(({ attempt }) => attempt),
    [2, 2, 2],
  );
  for (const send of again) await tenant.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` });
});

test('an answer that is older than what a webhook told does not pause the template again', async () => {
  const tenant = await templated();
  const send = await tenant.sending({ type: 'template', content: null, template: { name: 'offer', language: 'en' } });
  await tenant.status('APPROVED');
  await tenant.settle(send, PAUSED);
  assert.equal((await tenant.sync()).status, 'APPROVED');
  assert.equal(await tenant.held(), 1);
  assert.equal((await settle()).released, 1);
});

test('where nobody here knows the template, the message is tried again in a while', async () => {
  const tenant = await world.tenant();
  const send = await tenant.sending({
    type: 'template',
    content: null,
    template: { name: 'unknown_one', language: 'en' },
  });
  assert.deepEqual(await tenant.settle(send, PAUSED), { changed: true, kind: 'held', seconds: 0, again: null });
  const [row] = await query<{ held: string | null; wait: number }>(
    `select held, extract(epoch from due_at - clock_timestamp())::float8 as wait from due where message_id = $1`,
    [send.message_id],
  );
  assert.equal(row?.held, null);
  assert.ok((row?.wait ?? 0) > 25);
});

test('an answer that the template is another, or none, has the templates read again, once a minute [code 132000] [code 132001]', async () => {
  const tenant = await templated();
  for (const code of [132000, 132001]) {
    await tenant.templated();
    const [send] = await tenant.begin();
    assert.ok(send);
    await tenant.settle(send, { ...DISABLED, code });
    const { due, status } = await tenant.sync();
    assert.deepEqual([due, status], [code === 132000, 'APPROVED']);
    await query(
      `update accounts set templates_due_at = now() + interval '1 h', templates_synced_at = now() where tenant_id = $1`,
      [tenant.tenant],
    );
  }
});

test('an answer that the template is disabled ends its messages', async () => {
  const tenant = await templated();
  const first = await tenant.templated();
  const second = await tenant.templated({ scheduled_at: Date.now() + 60_000 });
  const [send] = await tenant.begin();
  assert.ok(send);
  await tenant.settle(send, DISABLED);
  assert.equal((await tenant.sync()).status, 'DISABLED');
  assert.equal((await tenant.read(first)).error?.code, 132016);
  assert.equal((await settle()).failed, 1);
  assert.equal((await tenant.read(second)).error?.error, 'template_unavailable');
});

test('a held message is not held any longer than it may be tried', async () => {
  const tenant = await templated();
  const id = await tenant.templated();
  const [send] = await tenant.begin();
  assert.ok(send);
  const old = { ...send, waiting_since: new Date(Date.now() - 2 * 86_400_000) };
  await tenant.settle(old, PAUSED);
  assert.deepEqual([(await tenant.read(id)).state, (await tenant.read(id)).error?.detail], ['failed', 'no time left']);
});

test('looking for held messages costs a probe for each template, and a claim does not walk over them', async () => {
  const tenant = await templated('PAUSED');
  await query(
    `insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at, template_id, held)
     select $1, gen_random_uuid(), $2, $3, 1, now(), $4, 'template' from generate_series(1, 3000)`,
    [tenant.tenant, tenant.lane, tenant.sender, tenant.template],
  );
  const id = await tenant.accept();
  assert.deepEqual(
    (await tenant.begin()).map((send) => send.message_id),
    [id],
  );
  const taken = await rowsTaken((tx) => findHeldTemplates(tx));
  assert.ok(taken <= 5, `${taken} rows of due`);
  await query(`delete from due where tenant_id = $1 and held is not null`, [tenant.tenant]);
});
