import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createAccountChanges } from '../../src/actions/account-changes.ts';
import { createAccounts } from '../../src/actions/accounts.ts';
import { createApps } from '../../src/actions/apps.ts';
import { createSenders } from '../../src/actions/senders.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { findAccount, findAccountTenants, listAccountAlerts } from '../../src/store/accounts.read.ts';
import { keepAlert } from '../../src/store/accounts.write.ts';
import { findSenderRecord } from '../../src/store/sender-records.read.ts';
import { listTemplates } from '../../src/store/templates.read.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';

const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
const logged: string[] = [];
let world: EngineWorld;
before(async () => {
  world = await engineWorld();
  await createApps({ ...world, sealer }).create({ id: 'other', app_secret: 's', verify_token: 'v' });
});
after(() => world.close());

let ids = 300_000;

async function newTenant(): Promise<TenantId> {
  const made = await createTenants(world).create({ name: 'test' });
  assert.ok(typeof made === 'object');
  return made.id;
}

/** A tenant with an account and a number of it, and what applies changes. */
async function stage() {
  const tenant = await newTenant();
  const account = String(++ids);
  const phone = newPhone();
  assert.ok(
    typeof (await createAccounts({ ...world, sealer }).create(tenant, { id: account, access_token: 't' })) === 'object',
  );
  const number = { account_id: account, phone, phone_number_id: String(++ids), access_token: 't' };
  const sender = await createSenders({ ...world, sealer }).create(tenant, number);
  assert.ok(typeof sender === 'object');
  const log = (about: object, text?: string) => void logged.push(`${text} ${JSON.stringify(about)}`);
  const changes = createAccountChanges({ ...world, logger: { warn: log } });
  let at = Date.now();
  return {
    tenant,
    account,
    phone,
    tell: (
      field: string,
      value: Record<string, unknown>,
      change: { app?: string; account_id?: string; at?: number } = {},
    ) => {
      const apply = changes[field];
      assert.ok(apply, field);
      return apply([{ app: 'default', account_id: account, field, value, at: ++at, ...change }]);
    },
    readSender: () => findSenderRecord(world.db, tenant, sender.id),
    readAccount: () => findAccount(world.db, tenant, account),
    alerts: () => listAccountAlerts(world.db, tenant, account, null, 100),
  };
}

const FIXTURES = new URL('../../../simulator/fixtures/', import.meta.url);

/** The field and value of a webhook that Meta's pages show, told of this number. */
function documented(name: string, phone: string): [field: string, value: Record<string, unknown>] {
  const text = readFileSync(new URL(`${name}.json`, FIXTURES), 'utf8').replaceAll('15550783881', phone.slice(1));
  const { payload } = JSON.parse(text) as {
    payload: { entry: { changes: { field: string; value: Record<string, unknown> }[] }[] };
  };
  const change = payload.entry[0]?.changes[0];
  assert.ok(change);
  return [change.field, change.value];
}

test('a throughput upgrade raises the rate and is read again soon; the limit of the portfolio is written [field phone_number_quality_update] [field business_capability_update]', async () => {
  const { account, phone, tell, readSender, readAccount, alerts } = await stage();
  assert.deepEqual(await tell(...documented('number-limit', phone)), []);
  assert.equal((await readAccount())?.messaging_limit, 'TIER_10K');
  const raised = { display_phone_number: phone, event: 'THROUGHPUT_UPGRADE', current_limit: 'TIER_UNLIMITED' };
  assert.deepEqual(await tell('phone_number_quality_update', raised), []);
  assert.equal((await readAccount())?.messaging_limit, 'TIER_10K', 'what has no limit is the throughput');
  assert.deepEqual(await tell(...documented('number-throughput', phone)), []);
  const sender = await readSender();
  assert.deepEqual(
    [sender?.throughput, sender?.messages_per_second, sender?.messaging_limit],
    ['HIGH', 1000, 'TIER_UNLIMITED'],
  );
  assert.deepEqual(await tell(...documented('business-capability', phone)), []);
  assert.equal((await readAccount())?.messaging_limit, 'TIER_2K');
  const told: [unknown, string][] = [
    ['TIER_10K', 'TIER_10K'],
    [-1, 'TIER_UNLIMITED'],
    [250, 'TIER_250'],
    [100000, 'TIER_100K'],
  ];
  for (const [limit, word] of told) {
    const value = { max_daily_conversations_per_business: limit, max_phone_numbers_per_business: 25 };
    assert.deepEqual(await tell('business_capability_update', value), []);
    assert.equal((await readAccount())?.messaging_limit, word);
  }
  assert.equal((await alerts()).length, 0);
  const text = 'select sync_due_at <= now() as due from accounts where id = $1';
  assert.deepEqual(await world.db.query<{ due: boolean }>({ name: 'test_due', text }, [account]), [{ due: true }]);
});

test("a name that is approved is the number's; reviews are written; what a person should know is kept and said [field phone_number_name_update] [field account_review_update] [field account_update] [field account_alerts] [field security] [field business_username_update]", async () => {
  const { phone, account, tell, readSender, readAccount, alerts } = await stage();
  await tell(...documented('number-name', phone));
  assert.deepEqual(
    [(await readSender())?.verified_name, (await readSender())?.name_status],
    ['Lucky Shrub', 'APPROVED'],
  );
  await tell('phone_number_name_update', {
    display_phone_number: phone,
    decision: 'REJECTED',
    requested_verified_name: 'Bad',
  });
  assert.deepEqual(
    [(await readSender())?.verified_name, (await readSender())?.name_status],
    ['Lucky Shrub', 'REJECTED'],
  );
  await tell(...documented('account-review', phone));
  assert.equal((await readAccount())?.review_status, 'APPROVED');
  const restriction = documented('account-restricted', phone);
  await tell(...restriction);
  await tell('account_update', { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'SCHEDULE_FOR_DISABLE' } });
  await tell('account_update', { event: 'PARTNER_ADDED' });
  for (const name of ['account-alert', 'security', 'business-username']) await tell(...documented(name, phone));
  assert.deepEqual(
    (await alerts()).map(({ field }) => field),
    [
      'business_username_update',
      'security',
      'account_alerts',
      'account_update',
      'account_update',
      'account_update',
      'account_review_update',
      'phone_number_name_update',
      'phone_number_name_update',
    ],
  );
  assert.deepEqual(
    (await alerts()).find(({ payload }) => payload['event'] === 'ACCOUNT_RESTRICTION')?.payload,
    restriction[1],
  );
  // The page's heading spells it so.
  assert.deepEqual(await tell('business_username_updates', documented('business-username', phone)[1]), []);
  assert.equal((await alerts())[0]?.field, 'business_username_updates');
  const own = logged.filter((line) => line.includes(account));
  assert.equal(own.filter((line) => /account_update/.test(line)).length, 2, own.join('\n'));
  assert.equal(own.length, 5);
  assert.match(own.join(), /INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED/);
});

test('an account that waits because there were too many questions waits on, whatever is told of it', async () => {
  const { account, tell } = await stage();
  await world.db.script(
    `update accounts set sync_tries = 1, sync_due_at = now() + interval '1 hour' where id = '${account}'`,
  );
  assert.deepEqual(await tell('security', { event: 'PIN_CHANGED' }), []);
  const text = "select sync_due_at > now() + interval '50 minutes' as waits from accounts where id = $1";
  assert.deepEqual(await world.db.query<{ waits: boolean }>({ name: 'test_waits', text }, [account]), [
    { waits: true },
  ]);
});

test('the same change twice is one alert; the newest thousand are kept', async () => {
  const { tenant, account, tell, alerts } = await stage();
  const value = { event: 'PIN_CHANGED', odd: '\u0000\ud800' };
  await tell('security', value, { at: 1_700_000_000_000 });
  await tell('security', value, { at: 1_700_000_000_000 });
  assert.equal((await alerts()).length, 1);
  await world.db.script(`
insert into account_alerts select '${tenant}', '${account}', ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'security', '{}'
from generate_series(1, 1100) n`);
  await tell('security', { event: 'PIN_CHANGED', last: true });
  const text = 'select count(*)::int as count from account_alerts where account_id = $1';
  assert.deepEqual(await world.db.query<{ count: number }>({ name: 'test_alerts', text }, [account]), [
    { count: 1000 },
  ]);
  assert.equal((await alerts())[0]?.payload['last'], true);
});

test('what cannot be read is told of, and nothing of it is written', async () => {
  const { phone, tell, readSender, readAccount } = await stage();
  const bad: [string, Record<string, unknown>, RegExp | null][] = [
    ['phone_number_quality_update', {}, /names no phone number/],
    ['phone_number_quality_update', { display_phone_number: { a: 1 }, event: 'UPGRADE' }, /names no phone number/],
    ['phone_number_quality_update', { display_phone_number: '+6281999', event: 'THROUGHPUT_UPGRADE' }, /no sender of/],
    ['phone_number_quality_update', { display_phone_number: phone, event: 5, current_limit: 'drop table' }, null],
    ['phone_number_name_update', { decision: 'APPROVED' }, /names no phone number/],
    ['business_capability_update', { max_daily_conversations_per_business: 'LOTS' }, /none that is known/],
    ['business_capability_update', { max_phone_numbers_per_business: 2 }, null],
    ['account_review_update', { decision: ['x'] }, /names no decision/],
  ];
  for (const [field, value, why] of bad) {
    const troubles = await tell(field, value);
    if (why === null) assert.deepEqual(troubles, [], JSON.stringify(value));
    else assert.match(troubles.join(), why, JSON.stringify(value));
  }
  assert.deepEqual([(await readSender())?.throughput, (await readAccount())?.messaging_limit], [null, null]);
  assert.match((await tell('security', {}, { account_id: '404404' })).join(), /nobody has the account 404404/);
  assert.match((await tell('security', {}, { app: 'other' })).join(), /nobody has the account/);
});

test('an account is whose it is proved to be: who only names it is told nothing', async () => {
  const [squatter, owner] = [await newTenant(), await newTenant()];
  const id = String(++ids);
  const accounts = createAccounts({ ...world, sealer });
  const asked = [
    { app: 'default', account: id },
    { app: 'default', account: '55555' },
  ];
  assert.ok(typeof (await accounts.create(squatter, { id, access_token: 'x' })) === 'object');
  assert.equal(await accounts.create(owner, { id, access_token: 'x' }), 'taken');
  assert.equal(await accounts.create(squatter, { id, access_token: 'x' }), 'exists');
  await world.db.script(`
insert into templates (tenant_id, account_id, id, name, language, status, category, components)
values ('${squatter}', '${id}', gen_random_uuid(), 'mine', 'en', 'SUBMITTING', 'utility', '[]')`);
  await keepAlert(world.db, squatter, id, { id: newId(), field: 'security', payload: {} }, 10);
  // Nobody has asked WhatsApp yet, and with each new token nobody has again.
  assert.deepEqual(await findAccountTenants(world.db, asked), []);
  // WhatsApp said that the token does not read it.
  await world.db.script(`update accounts set token_valid = false where id = '${id}'`);
  assert.deepEqual(await findAccountTenants(world.db, asked), []);
  const number = { account_id: id, phone: newPhone(), phone_number_id: String(++ids), access_token: 't' };
  assert.ok(typeof (await createSenders({ ...world, sealer }).create(owner, number)) === 'object');
  assert.deepEqual(await findAccountTenants(world.db, asked), [{ app: 'default', account: id, tenant_id: owner }]);
  assert.ok(typeof (await accounts.create(owner, { id, access_token: 'x' })) === 'object');
  assert.equal(await findAccount(world.db, squatter, id), null);
  assert.deepEqual(await listTemplates(world.db, squatter, {}, null, 10), []);
  assert.deepEqual(await listAccountAlerts(world.db, squatter, id, null, 10), []);
  // The same account of another app is another one.
  assert.ok(typeof (await accounts.create(squatter, { id, access_token: 'x', app: 'other' })) === 'object');
  await assert.rejects(accounts.create(squatter, { id: '66666', access_token: 'x', app: 'none' }), /no such app/);
});
