import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { type Ended, runAldis } from './run-aldis.ts';

let world: DoorWorld;
let own: Customer;
let folder: string;
before(async () => {
  world = await doorWorld();
  own = await world.customer();
  folder = await mkdtemp(path.join(tmpdir(), 'aldis-contacts-'));
});
after(async () => {
  await rm(folder, { recursive: true });
  await world.close();
});

const aldis = (...args: string[]): Promise<Ended> =>
  runAldis(['contact', ...args], { ALDIS_URL: world.url, ALDIS_API_KEY: own.key }).ended;

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aldis(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('a contact is made by its number, changed, found and listed', async () => {
  const phone = newPhone();
  const made = await json('set', phone, '--name', 'Ana', '--attribute', 'city=Lima', '--attribute', 'a=b=c');
  assert.deepEqual([made['name'], made['attributes']], ['Ana', { city: 'Lima', a: 'b=c' }]);
  const changed = await json('set', String(made['id']), '--attribute', 'city=none', '--external-id', 'crm 1');
  assert.deepEqual([changed['attributes'], changed['name']], [{ a: 'b=c' }, 'Ana']);
  const spaced = phone.replace(/^\+62(...)/, '+62 ($1) ');
  assert.notEqual(spaced, phone);
  for (const who of [phone, spaced, 'crm 1']) assert.equal((await json('show', who))['id'], made['id']);
  const { stdout } = await aldis('list', '--name', 'an', '--attribute', 'a:b=c');
  assert.equal(stdout, `${made['id']}  ${phone}  Ana  crm 1\n`);
  assert.deepEqual([(await aldis('show', 'nobody')).code, (await aldis('set', 'crm 1')).code], [4, 2]);
});

test('what a contact says is kept, of one and of a list, whose bad lines are told', async () => {
  const phone = newPhone();
  const given = await json('consent', phone, '--state', 'out', '--detail', 'by mail');
  assert.equal(given['marketing_consent'], 'out');
  const { stdout } = await aldis('history', phone);
  assert.match(stdout, /^\S+Z {2}marketing {2}out {2}api {2}by mail\n$/);
  const file = path.join(folder, 'out.txt');
  await writeFile(file, `\ufeff${newPhone().replace(/^\+62(...)/, '+62 $1-')}\r\n\r\n12 34\r\nID.Cli1\r\n`);
  const list = await aldis('consent', `@${file}`, '--state', 'out', '--scope', 'all');
  assert.deepEqual([list.code, list.stdout], [5, '2 kept, 1 refused, 0 messages stopped\n']);
  assert.match(list.stderr, /out\.txt, line 3: phone/);
  assert.equal((await json('show', 'ID.Cli1'))['contact_consent'], 'out');
  assert.equal((await aldis('consent', phone)).code, 2);
  assert.equal((await aldis('consent', phone, '--state', 'maybe')).code, 2);
});

test('a contact is blocked and let write again', async () => {
  const phone = newPhone();
  await json('set', phone);
  assert.equal((await json('block', phone, '--sender', own.sender))['blocked'], true);
  assert.match((await aldis('blocked', '--sender', own.sender)).stdout, new RegExp(`\\${phone}`));
  assert.equal((await json('unblock', phone))['blocked'], false);
});
