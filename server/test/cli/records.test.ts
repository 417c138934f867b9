import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { asker, type OperatorWorld, operatorWorld } from '../http/operator.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* The commands for tenants, senders and keys, against a real door. */
let stage: OperatorWorld;
let folder: string;
before(async () => {
  stage = await operatorWorld();
  const { world, own } = stage;
  folder = await mkdtemp(join(tmpdir(), 'aldis-records-'));
  const credentials = {
    url: world.url,
    api_key: await world.keyFor(own.tenant, ['messages:read']),
    operator_key: await world.keyFor(own.tenant, ['admin']),
  };
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(credentials));
  await writeFile(join(folder, 'token.txt'), 'EAAsecret\n');
});
after(async () => {
  await stage.world.close();
  await rm(folder, { recursive: true });
});

const aldis = (...args: string[]): Promise<Ended> => runAldis(args, { ALDIS_DATA_DIR: folder }).ended;

async function made(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aldis(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('a tenant, its sender and its key are made, listed, changed and ended', async () => {
  const tenant = await made('tenant', 'create', 'Shop', '--external-id', 'shop-1', '--monthly-quota', '100');
  assert.deepEqual([tenant['name'], tenant['external_id'], tenant['monthly_quota']], ['Shop', 'shop-1', 100]);

  const phone = newPhone();
  const number = ['--phone', phone, '--phone-number-id', '700001', '--account-id', '20001'];
  const token = ['--access-token-file', join(folder, 'token.txt')];
  const [sender, key] = await Promise.all([
    made('sender', 'create', 'Outlet', '--tenant', 'shop-1', ...number, ...token),
    made('key', 'create', 'server', '--tenant', 'shop-1', '--scopes', 'messages:read', '--dialect', 'queue'),
  ]);
  assert.deepEqual([sender['phone'], sender['is_default']], [phone, true]);
  assert.deepEqual([key['scopes'], key['dialect']], [['messages:read'], 'queue']);
  const own = asker(stage.world, String(key['key']));
  assert.equal((await own.ask('GET', '/senders')).status, 200);

  const [changed, list, keys, shown] = await Promise.all([
    made('tenant', 'change', 'shop-1', '--monthly-quota', 'none', '--processing', 'no', '--name', 'Big shop'),
    aldis('sender', 'list', '--tenant', 'shop-1'),
    aldis('key', 'list', '--tenant', 'shop-1'),
    aldis('sender', 'show', String(sender['id']), '--tenant', 'shop-1'),
  ]);
  assert.deepEqual([changed['monthly_quota'], changed['processing'], changed['name']], [null, false, 'Big shop']);
  assert.equal(list.stdout, `${String(sender['id'])}  -  ${phone}  Outlet  default\n`);
  assert.equal(keys.stdout, `${String(key['id'])}  server  messages:read  last used never\n`);
  assert.match(shown.stdout, /^phone_number_id +700001$/m);

  const [revoked, gone] = await Promise.all([
    made('key', 'revoke', String(key['id']), '--tenant', 'shop-1'),
    made('sender', 'delete', String(sender['id']), '--tenant', 'shop-1'),
  ]);
  assert.ok(revoked['revoked_at']);
  assert.equal(gone['deleted'], true);
  assert.equal((await own.ask('GET', '/senders')).status, 401);
  assert.equal((await made('tenant', 'delete', 'shop-1'))['deleted'], true);
  for (const { stdout, stderr } of [list, shown]) assert.doesNotMatch(stdout + stderr, /EAAsecret/);
});

test('a new key is shown with a word that this is the only time; the word is no part of the output', async () => {
  const { code, stdout, stderr } = await aldis('key', 'create', 'once');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^key +aldis_[\w-]{32}$/m);
  assert.match(stderr, /shown this once/);
});

test('a list goes on to its last page', async () => {
  const { tenant } = await stage.world.tenant();
  const sql = `
insert into api_keys (tenant_id, id, name, key_hash, scopes)
select '${tenant}', gen_random_uuid(), n::text, sha256(n::text::bytea), '{messages:read}' from generate_series(1, 230) n`;
  await stage.world.db.script(sql);
  const { code, stdout, stderr } = await aldis('key', 'list', '--tenant', tenant, '--json');
  assert.equal(code, 0, stderr);
  const keys = JSON.parse(stdout) as { id: string }[];
  assert.equal(new Set(keys.map(({ id }) => id)).size, 230);
});

test('what the server refuses is exit code 4, what is written wrongly 2; nothing is done', async () => {
  const cases: [string[], number, RegExp][] = [
    [['tenant', 'show', 'nobody'], 4, /no tenant of that id. \(404 not_found, field id\)/],
    [['tenant', 'create', 'x', '--monthly-quota', 'many'], 2, /Write a whole number from 0 to/],
    [['tenant', 'change', 'x', '--processing', 'maybe'], 2, /Write yes or no/],
    [['tenant', 'create', 'x', '--doubt-policy', '[]'], 2, /Write an object in JSON/],
    [['tenant', 'create'], 2, /missing required argument 'name'/],
    [['tenant', 'remove', 'x'], 2, /unknown command 'remove'/],
    [['sender', 'create', 'x', '--access-token', 'EAAx'], 2, /unknown option '--access-token'/],
    [['sender', 'create', 'x'], 4, /phone is required for channel whatsapp/],
    [['sender', 'create', 'x', '--access-token-file', join(folder, 'none')], 1, /there is no such file/],
    [['key', 'create', 'x', '--scopes', 'messages:read,all'], 2, /Write messages:write, messages:read/],
    [['key', 'create', 'x', '--expires-at', 'tomorrow'], 2, /Write an ISO 8601 time/],
    [['key', 'list', '--key', 'aldis_wrong_key_of_nobody'], 4, /401 unauthorized/],
  ];
  const ended = await Promise.all(cases.map(async ([args]) => aldis(...args)));
  for (const [i, [args, code, why]] of cases.entries()) {
    assert.equal(ended[i]?.code, code, `${args.join(' ')}: ${ended[i]?.stderr}`);
    assert.match(ended[i]?.stderr ?? '', why, args.join(' '));
  }
  const list = await made('tenant', 'list');
  assert.doesNotMatch(JSON.stringify(list), /"name":"x"/);
});

test("the tenant's key of the data folder is not used for what is the operator's, nor another way round", async () => {
  const without = await mkdtemp(join(tmpdir(), 'aldis-records-'));
  try {
    await writeFile(
      join(without, 'credentials.json'),
      JSON.stringify({ url: stage.world.url, api_key: 'aldis_x'.repeat(4) }),
    );
    const { code, stderr } = await runAldis(['tenant', 'list'], { ALDIS_DATA_DIR: without }).ended;
    assert.equal(code, 2);
    assert.match(stderr, /has no operator_key: give an operator's key by --key or ALDIS_API_KEY/);
  } finally {
    await rm(without, { recursive: true });
  }
});

test('each command has its help, with examples and exit codes', async () => {
  const helps = await Promise.all(['tenant', 'sender', 'key'].map((noun) => aldis(noun, '--help')));
  for (const { code, stdout } of helps) {
    assert.equal(code, 0);
    assert.match(stdout, /Examples:\n {2}aldis /);
    assert.match(stdout, /Exit codes/);
  }
  const leaf = await aldis('sender', 'create', '--help');
  assert.match(leaf.stdout, /--access-token-file <FILE>/);
});
