import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTemplateChanges } from '../../src/actions/template-changes.ts';
import type { AccountChange } from '../../src/domain/account-change.ts';
import { newId, type TemplateId } from '../../src/domain/ids.ts';
import { statusOfEvent } from '../../src/domain/template-words.ts';
import { findTemplate } from '../../src/store/templates.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';

let world: EngineWorld;
let apply: ReturnType<typeof createTemplateChanges>;
let accounts = 30_000;
before(async () => {
  world = await engineWorld();
  apply = createTemplateChanges({ db: world.db, signals: world.signals, logger: { info() {}, warn() {} } });
});
after(() => world.close());

interface Known extends TenantWorld {
  account: string;
  id: TemplateId;
  status(): Promise<{
    status: string | undefined;
    reason: string | null | undefined;
    quality: string | null | undefined;
    category: string | undefined;
  }>;
  due(): Promise<boolean>;
  tell(field: string, value: object, at?: number): Promise<string[]>;
}

async function known(provider: string | null = '1689556908129832'): Promise<Known> {
  const tenant = await world.tenant();
  const account = String(++accounts);
  const id = newId<TemplateId>();
  const query = (name: string, text: string, values: unknown[]) =>
    world.db.query<{ due: boolean }>({ name: `test_${name}`, text }, values);
  await query(
    'account',
    `insert into accounts (tenant_id, id, app_id, access_token_sealed, templates_due_at, synced_at) values ($1, $2, 'default', 'sealed', now() + interval '1 h', now())`,
    [tenant.tenant, account],
  );
  await query(
    'template',
    `insert into templates (tenant_id, account_id, id, provider_id, name, language, status, category, components)
     values ($1, $2, $3, $4, 'offer', 'en', 'PENDING', 'utility', '[]')`,
    [tenant.tenant, account, id, provider],
  );
  return {
    ...tenant,
    account,
    id,
    async status() {
      const found = await findTemplate(world.db, tenant.tenant, id);
      return { status: found?.status, reason: found?.reason, quality: found?.quality, category: found?.category };
    },
    async due() {
      const [row] = await query(
        'due',
        `select templates_due_at < now() + interval '5 s' as due from accounts where id = $1`,
        [account],
      );
      return row?.due ?? false;
    },
    tell(field, value, at = Date.now()) {
      const named = {
        message_template_id: 1689556908129832,
        message_template_name: 'offer',
        message_template_language: 'en',
      };
      const change: AccountChange = { app: 'default', account_id: account, field, value: { ...named, ...value }, at };
      return apply[field]?.([change]) ?? Promise.reject(new Error(`no such field: ${field}`));
    },
  };
}

const STATUS = 'message_template_status_update';

test('an account that its token has never read is told nothing of its templates: it may be somebody else’s', async () => {
  const claimed = await known();
  const text = 'update accounts set synced_at = null where tenant_id = $1';
  await world.db.query({ name: 'test_unread', text }, [claimed.tenant]);
  await claimed.tell('message_template_status_update', { event: 'APPROVED', reason: 'NONE' });
  assert.equal((await claimed.status()).status, 'PENDING');
});

test('a status is applied, with its reason, and told to whoever listens [field message_template_status_update]', async () => {
  const one = await known();
  const heard: string[] = [];
  const unlisten = world.signals.listen('templates', () => heard.push('templates'));
  assert.deepEqual(
    await one.tell(STATUS, {
      event: 'REJECTED',
      reason: 'INVALID_FORMAT',
      rejection_info: { reason: 'Braces.', recommendation: 'Close them.' },
    }),
    [],
  );
  unlisten();
  assert.deepEqual(heard, ['templates']);
  assert.deepEqual(await one.status(), {
    status: 'REJECTED',
    reason: 'INVALID_FORMAT: Braces.: Close them.',
    quality: null,
    category: 'utility',
  });
  await one.tell(STATUS, { event: 'APPROVED', reason: 'NONE' });
  assert.deepEqual(await one.status(), { status: 'APPROVED', reason: null, quality: null, category: 'utility' });
  await one.tell(STATUS, {
    event: 'PAUSED',
    reason: 'NONE',
    other_info: { title: 'FIRST_PAUSE', description: 'Paused for 3 hours.' },
  });
  assert.deepEqual(await one.status(), {
    status: 'PAUSED',
    reason: 'FIRST_PAUSE: Paused for 3 hours.',
    quality: null,
    category: 'utility',
  });
  assert.equal(await one.due(), false);
  await one.tell(STATUS, { event: 'DELETED' });
  assert.deepEqual([(await one.status()).status, await one.due()], ['DELETED', true]);
});

test('what was told before does not replace what was told since, and the same twice changes nothing [field message_template_quality_update] [field template_category_update]', async () => {
  const one = await known();
  const now = Date.now();
  await one.tell(STATUS, { event: 'APPROVED' }, now);
  await one.tell(STATUS, { event: 'PENDING' }, now - 1000);
  await one.tell(STATUS, { event: 'APPROVED' }, now);
  assert.equal((await one.status()).status, 'APPROVED');
  await one.tell('message_template_quality_update', { new_quality_score: 'YELLOW' }, now);
  await one.tell('message_template_quality_update', { new_quality_score: 'GREEN' }, now - 1000);
  await one.tell('template_category_update', { previous_category: 'UTILITY', new_category: 'MARKETING' }, now);
  await one.tell('template_category_update', { new_category: 'UTILITY' }, now - 1000);
  assert.deepEqual(await one.status(), { status: 'APPROVED', reason: null, quality: 'YELLOW', category: 'marketing' });
});

test('a webhook that comes before the answer to the creation finds it by its name', async () => {
  const one = await known(null);
  await one.tell(STATUS, { event: 'APPROVED' });
  assert.equal((await one.status()).status, 'APPROVED');
  const found = await findTemplate(world.db, one.tenant, one.id);
  assert.equal(found?.provider_id, '1689556908129832');
});

test('what is unknown, unclear or of another template is read from the provider soon [field message_template_components_update]', async () => {
  const cases: [string, object][] = [
    [STATUS, { event: 'APPROVED', message_template_name: 'another' }],
    [STATUS, { event: 'APPROVED', message_template_id: 5 }],
    [STATUS, { event: 'A_NEW_WORD' }],
    [STATUS, {}],
    ['message_template_components_update', { message_template_element: 'Hi {{1}}' }],
    ['message_template_quality_update', { new_quality_score: 5 }],
    ['template_category_update', { new_category: 'UTILITY', correct_category: 'MARKETING' }],
    ['template_category_update', { new_category: 'SOMETHING' }],
  ];
  for (const [field, value] of cases) {
    const one = await known();
    assert.deepEqual(await one.tell(field, value), []);
    assert.equal(await one.due(), true, JSON.stringify(value));
    assert.equal((await one.status()).status, 'PENDING');
  }
});

test('a number that lost its last digits still finds its template by name', async () => {
  const one = await known('99999999999999999');
  await one.tell(STATUS, { event: 'APPROVED', message_template_id: JSON.parse('99999999999999999') as unknown });
  assert.equal((await one.status()).status, 'APPROVED');
});

test('a change that names no template is left out and told of', async () => {
  const one = await known();
  for (const value of [
    { message_template_id: null },
    { message_template_name: 'a\0b' },
    { message_template_language: 7 },
    { message_template_id: {} },
  ]) {
    assert.deepEqual(await one.tell(STATUS, { event: 'APPROVED', ...value }), [`${STATUS} names no template`]);
  }
  assert.equal((await one.status()).status, 'PENDING');
  // Of an account that nobody has here there is nothing to say.
  const change = {
    app: 'default',
    account_id: '1',
    field: STATUS,
    value: { event: 'APPROVED', message_template_id: 1, message_template_name: 'x', message_template_language: 'en' },
    at: 1,
  };
  assert.deepEqual(await apply[STATUS]?.([change]), []);
});

test('events are read as the status they leave a template in', () => {
  const told = (event: string, title?: string) =>
    statusOfEvent({ event, other_info: title === undefined ? undefined : { title } });
  for (const word of [
    'APPROVED',
    'REJECTED',
    'PENDING',
    'PAUSED',
    'DISABLED',
    'FLAGGED',
    'IN_APPEAL',
    'PENDING_DELETION',
    'DELETED',
    'LIMIT_EXCEEDED',
    'ARCHIVED',
  ]) {
    assert.equal(told(word), word);
  }
  for (const word of ['REINSTATED', 'UNARCHIVED']) assert.equal(told(word), 'APPROVED');
  assert.deepEqual(
    [
      told('LOCKED'),
      told('LOCKED', 'FIRST_PAUSE'),
      told('LOCKED', 'RATE_LIMITING_PAUSE'),
      told('UNLOCKED', 'UNPAUSE'),
      told('LOCKED', 'DISABLED'),
    ],
    [null, 'PAUSED', 'PAUSED', 'APPROVED', 'DISABLED'],
  );
});

test('what was told of a status is read soon after, for webhooks that were tried again come in any order', async () => {
  const one = await known();
  // The pause was told first, and tried again behind what ended it.
  await one.tell(STATUS, { event: 'APPROVED', reason: 'NONE' });
  await one.tell(STATUS, { event: 'PAUSED', reason: 'NONE' });
  assert.equal((await one.status()).status, 'PAUSED');
  const text = `select templates_due_at < now() + interval '30 s' as due from accounts where id = $1`;
  assert.deepEqual(await world.db.query({ name: 'test_confirmed', text }, [one.account]), [{ due: true }]);
  const other = await known();
  await other.tell('message_template_quality_update', { new_quality_score: 'RED' });
  assert.deepEqual(await world.db.query({ name: 'test_confirmed', text }, [other.account]), [{ due: false }]);
});
