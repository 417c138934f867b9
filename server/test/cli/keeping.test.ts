import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkLong } from '../../src/cli/doctor/database-checks.ts';
import { credentials, dataFolder, startProgram } from '../boot/program.ts';
import { testDatabase } from '../database.ts';
import { certificates } from '../http/certificates.ts';
import { until } from '../until.ts';
import { type Ended, runAldis } from './run-aldis.ts';

const HEALTHCHECK = fileURLToPath(new URL('../../../scripts/healthcheck.mjs', import.meta.url));

interface Finding {
  name: string;
  status: string;
  message: string;
}

function findings({ stdout }: Ended): Finding[] {
  return JSON.parse(stdout).findings;
}

const found = (all: readonly Finding[], name: string) => all.find((finding) => finding.name.startsWith(name));
const failing = (all: readonly Finding[]) => all.filter(({ status }) => status === 'fail').map(({ name }) => name);

test('a running server is examined, backed up, and restored in another folder', async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder);
  const url = await program.ready;
  const { api_key: key, phone_number_id } = credentials(folder);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const send = await fetch(`${url}/api/v1/messages`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ to: '+6281234567890', content: { text: 'kept' } }),
  });
  const { id } = (await send.json()) as { id: string };
  const stateOf = async (where: string) =>
    ((await (await fetch(`${where}/api/v1/messages/${id}`, { headers })).json()) as { state: string }).state;
  await until('the message is read', async () => (await stateOf(url)) === 'read');

  const env = { ALDIS_DATA_DIR: folder };
  const well = await runAldis(['doctor', '--json', '--server-public-url', url], env).ended;
  assert.deepEqual(failing(findings(well)), [], well.stdout);
  assert.equal(well.code, 0);
  assert.match(found(findings(well), 'server')?.message ?? '', /running at http:\S+, and ready/);
  assert.match(found(findings(well), 'webhook address')?.message ?? '', /answers the challenge/);
  assert.match(found(findings(well), 'sender +')?.message ?? '', new RegExp(`connected \\(${phone_number_id}\\)`));
  assert.equal(found(findings(well), 'encryption key')?.status, 'ok');
  assert.match(found(findings(well), 'clock')?.message ?? '', /ms/);

  const simulator = credentials(folder).simulator_url;
  const strange = await runAldis(['doctor', '--json', '--server-public-url', simulator], env).ended;
  assert.match(found(findings(strange), 'webhook address')?.message ?? '', /answered HTTP \d+, not the challenge/);
  assert.equal(strange.code, 1);

  const file = join(folder, 'a.backup');
  const backup = await runAldis(['backup', file, '--json'], env).ended;
  assert.equal(backup.code, 0, backup.stderr);
  assert.ok(JSON.parse(backup.stdout).rows > 5);
  assert.match(backup.stderr, /secret\.key in another place/);
  const again = await runAldis(['backup', file], env).ended;
  assert.match(again.stderr, /exists: name another file, or give --replace/);
  assert.equal(again.code, 2);

  const refused = await runAldis(['restore', file], env).ended;
  assert.match(refused.stderr, /in use by process \d+/);
  assert.equal(refused.code, 1);

  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
  const stopped = await runAldis(['backup', file, '--replace'], env).ended;
  assert.equal(stopped.code, 0, stopped.stderr);
  const idle = await runAldis(['doctor', '--json', '--server-port', '0'], env).ended;
  assert.match(found(findings(idle), 'server')?.message ?? '', /not running; port 0/);
  assert.equal(idle.code, 0, idle.stdout);

  const other = dataFolder(t);
  const restored = await runAldis(['restore', file, '--json'], { ALDIS_DATA_DIR: other }).ended;
  assert.equal(restored.code, 0, restored.stderr);
  assert.deepEqual(
    [JSON.parse(restored.stdout).key_missing, JSON.parse(restored.stdout).sending_stopped],
    [true, false],
  );
  assert.match(restored.stderr, /put the secret\.key of the old data folder into/);
  const keyless = await runAldis(['doctor', '--json'], { ALDIS_DATA_DIR: other }).ended;
  assert.ok(failing(findings(keyless)).includes('encryption key'));
  assert.equal(keyless.code, 1);

  for (const name of ['secret.key', 'credentials.json']) copyFileSync(join(folder, name), join(other, name));
  const second = startProgram(t, other);
  assert.equal(await stateOf(await second.ready), 'read');
  second.kill('SIGTERM');
  await second.ended;
});

test('a backup goes into another PostgreSQL by its address, and with a wrong key nothing does', async (t) => {
  const source = await testDatabase();
  const target = await testDatabase({ migrated: false });
  t.after(async () => {
    await source.drop();
    await target.drop();
  });
  await source.db.script(`insert into settings (key, value) values ('mark_key', '"AQID"')`);
  const folder = dataFolder(t);
  const file = join(folder, 'b.backup');
  const env = { ALDIS_DATA_DIR: folder };
  const backup = await runAldis(['backup', file], { ...env, ALDIS_DATABASE_URL: source.url }).ended;
  assert.equal(backup.code, 0, backup.stderr);
  assert.ok(!existsSync(join(folder, 'secret.key')));

  const into = { ...env, ALDIS_DATABASE_URL: target.url };
  writeFileSync(join(folder, 'secret.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  const wrong = await runAldis(['restore', file], into).ended;
  assert.match(wrong.stderr, /not the one of the backup: nothing was restored/);
  assert.equal(wrong.code, 1);
  const tables = { name: 'test_tables', text: "select 1 from pg_tables where schemaname = 'public'" };
  assert.deepEqual(await target.db.query(tables), []);

  const elsewhere = { ...into, ALDIS_DATA_DIR: join(folder, 'fresh') };
  const right = await runAldis(['restore', file], elsewhere).ended;
  assert.equal(right.code, 0, right.stderr);
  const twice = await runAldis(['restore', file], elsewhere).ended;
  assert.match(twice.stderr, /not empty \(settings has rows\): restore into a new, empty database/);
  const absent = await runAldis(['restore', join(folder, 'none')], elsewhere).ended;
  assert.match(absent.stderr, /there is no such file/);
  const nowhere = await runAldis(['backup', join(folder, 'c')], { ALDIS_DATA_DIR: join(folder, 'nothing') }).ended;
  assert.match(nowhere.stderr, /there is no database in/);
  assert.ok(!existsSync(join(folder, 'nothing')));
});

test('what is wrong is named, each with what to do', async (t) => {
  const { db, url, drop } = await testDatabase();
  t.after(drop);
  const folder = dataFolder(t);
  writeFileSync(join(folder, 'secret.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`);
  chmodSync(join(folder, 'secret.key'), 0o644);
  await db.script(`insert into settings (key, value) values ('mark_key', '"AQID"');
    insert into migrations (number, name) values (99, 'later')`);
  const inTheWay = createServer();
  await new Promise<void>((resolve) => inTheWay.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => inTheWay.close(resolve)));
  const address = inTheWay.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const ended = await runAldis(['doctor', '--json', '--server-port', String(port)], {
    ALDIS_DATA_DIR: folder,
    ALDIS_DATABASE_URL: url,
    NODE_ENV: 'production',
    ALDIS_SERVER_PUBLIC_URL: 'http://messages.example.com',
  }).ended;
  assert.equal(ended.code, 1);
  assert.deepEqual(failing(findings(ended)), ['secrets', 'schema', 'server', 'webhook address']);

  await db.script('delete from migrations where number = 99');
  const text = await runAldis(['doctor', '--server-port', '0'], { ALDIS_DATA_DIR: folder, ALDIS_DATABASE_URL: url })
    .ended;
  assert.match(
    text.stdout,
    /^fail {2}encryption key +secret\.key in \S+ does not open the stored secrets\n +→ restore/m,
  );
  assert.match(text.stdout, /well, \d+ to be seen to, 2 failing$/m);
});

test('a database that cannot be reached, and a transaction that stays open', async (t) => {
  const folder = dataFolder(t);
  const gone = new URL('postgres://nobody:hunter22@127.0.0.1:1/none');
  const ended = await runAldis(['doctor', '--json', '--server-port', '0'], {
    ALDIS_DATA_DIR: folder,
    ALDIS_DATABASE_URL: gone.href,
  }).ended;
  assert.deepEqual(failing(findings(ended)), ['database']);
  assert.doesNotMatch(ended.stdout, /hunter22/);
  const wrong = await runAldis(['doctor', '--server-port', 'x'], { ALDIS_DATA_DIR: folder }).ended;
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /server\.port/);

  const { db, drop } = await testDatabase();
  t.after(drop);
  await db.transaction(async (tx) => {
    await tx.query({ name: 'test_number', text: 'select pg_current_xact_id()' });
    const finding = await checkLong(db, 0);
    assert.equal(finding.status, 'warn');
    assert.match(finding.message, /aldis \(pid \d+\) has been writing for \d+ s/);
  });
});

test('behind a certificate that is not for the loopback address it is found running', async (t) => {
  const certificate = certificates();
  t.after(() => certificate.remove());
  const { cert, key } = certificate.make('messages.example.com');
  const server = createSecureServer({ cert, key }, (request, response) => {
    response.writeHead(request.url === '/health' ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const folder = dataFolder(t);
  const known = { url, api_key: 'k', whatsapp_verify_token: 'v' };
  writeFileSync(join(folder, 'credentials.json'), JSON.stringify(known), { mode: 0o600 });

  const doctor = await runAldis(['doctor', '--json', '--server-public-url', url], { ALDIS_DATA_DIR: folder }).ended;
  assert.match(found(findings(doctor), 'server')?.message ?? '', /^running at https:\S+; whether it is ready cannot/);
  assert.deepEqual(failing(findings(doctor)), ['webhook address']);

  const healthy = () => ended(spawn(process.execPath, [HEALTHCHECK], { env: { ALDIS_DATA_DIR: folder } }));
  assert.equal(await healthy(), 0);
  rmSync(join(folder, 'credentials.json'));
  assert.equal(await healthy(), 1);
});

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve));
}
