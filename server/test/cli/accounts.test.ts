import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkAccounts } from '../../src/cli/doctor/account-checks.ts';
import { type OperatorWorld, operatorWorld } from '../http/operator.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* The commands for apps, accounts and secrets, against a real door. */
let stage: OperatorWorld;
let folder: string;
before(async () => {
  stage = await operatorWorld();
  const { world, own } = stage;
  folder = await mkdtemp(join(tmpdir(), 'aldis-accounts-'));
  const operator_key = await world.keyFor(own.tenant, ['admin']);
  await writeFile(
    join(folder, 'credentials.json'),
    JSON.stringify({ url: world.url, api_key: operator_key, operator_key }),
  );
  await writeFile(join(folder, 'secret.txt'), 'EAAsecret\n');
});
after(async () => {
  await stage.world.close();
  await rm(folder, { recursive: true });
});

const secret = () => join(folder, 'secret.txt');
const aldis = (...args: string[]): Promise<Ended> => runAldis(args, { ALDIS_DATA_DIR: folder }).ended;
async function done(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aldis(...args, '--json');
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /EAAsecret/);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('what an app or an account cannot do without is named before anything is asked', async () => {
  const cases: [string[], RegExp][] = [
    [['account', 'create', '800009'], /required option '--access-token-file <FILE>' not specified/],
    [
      ['app', 'create', 'x', '--app-secret-file', secret()],
      /required option '--verify-token-file <FILE>' not specified/,
    ],
    [['account', 'change', '800009'], /nothing to change/],
  ];
  const ended = await Promise.all(cases.map(([args]) => aldis(...args)));
  cases.forEach(([args, text], i) => {
    assert.equal(ended[i]?.code, 2, args.join(' '));
    assert.match(ended[i]?.stderr ?? '', text);
  });
});

test('an app and an account are made, shown, changed, told of and deleted', async () => {
  const secrets = ['--app-secret-file', secret(), '--verify-token-file', secret()];
  const app = await done('app', 'create', 'shop', ...secrets, '--meta-app-id', '670843887');
  assert.deepEqual(
    [app['id'], app['meta_app_id'], app['webhook_path']],
    ['shop', '670843887', '/webhooks/whatsapp/shop'],
  );
  const account = await done('account', 'create', '800001', '--app', 'shop', '--access-token-file', secret());
  assert.deepEqual([account['id'], account['app'], account['subscribe_wanted']], ['800001', 'shop', true]);
  const [changed, turned, off, alerts, listed] = await Promise.all([
    done('account', 'change', '800001', '--add-numbers', 'no'),
    done('app', 'change', 'shop', '--app-secret-file', secret(), '--overlap', '60'),
    done('account', 'unsubscribe', '800001'),
    done('account', 'alerts', '800001'),
    aldis('account', 'list'),
  ]);
  assert.equal(changed['add_numbers'], false);
  assert.ok(turned['previous_until']);
  assert.equal(off['wanted'], false);
  assert.deepEqual(alerts['alerts'], []);
  assert.match(listed.stdout, /^800001 {2}- {2}0 senders/);
  await done('account', 'delete', '800001');
  await done('app', 'delete', 'shop');
  assert.match((await aldis('app', 'list')).stdout, /^default {2}-/);
});

test('secrets are sealed anew, and what no key opens makes the command fail', async () => {
  // The engine's world makes apps and senders with secrets that nobody sealed.
  const { code, stdout, stderr } = await aldis('secrets', 'rotate', '--json');
  const { failed } = JSON.parse(stdout) as { failed: number };
  assert.ok(failed > 0);
  assert.equal(code, 1);
  assert.match(stderr, /sealed with a key that is not configured/);
});

test('the doctor tells of tokens that have ended, or end soon', async () => {
  const { db } = stage.world;
  await db.script(`
insert into accounts (tenant_id, id, app_id, access_token_sealed, name, token_valid, token_detail, token_expires_at, subscribed, sync_detail)
select id, v.* from tenants, (values
  ('900001', 'default', '\\x00'::bytea, 'well', true, null, now() + interval '90 days', true, null),
  ('900002', 'default', '\\x00', 'ended', false, 'the access token is expired', null, null, null),
  ('900003', 'default', '\\x00', 'soon', true, null, now() + interval '3 days 1 hour', true, null),
  ('900004', 'default', '\\x00', 'mute', true, null, null, false, null),
  ('900005', 'default', '\\x00', 'odd', null, null, null, null, 'HTTP 502')) v where tenants.id = '${stage.own.tenant}'`);
  const found = (await checkAccounts(db)).map(({ name, status, message }) => [name, status, message]);
  assert.deepEqual(found, [
    ['account ended', 'fail', 'the access token is expired'],
    ['account soon', 'warn', 'its token expires in 3 days'],
    ['account well', 'ok', 'its token is good (900001)'],
    ['account mute', 'warn', 'its webhooks do not come'],
    ['account odd', 'warn', 'HTTP 502'],
  ]);
});
