import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TENANT_SCOPES } from '../../src/domain/api-key.ts';
import { newPhone } from '../engine-world.ts';
import { type DoorWorld, doorWorld } from '../http/door-world.ts';
import { type Ended, runAldis } from './run-aldis.ts';

let world: DoorWorld;
let key: string;
before(async () => {
  world = await doorWorld();
  key = await world.keyFor((await world.customer()).tenant, [...TENANT_SCOPES, 'act_as']);
});
after(() => world.close());

const aldis = (...args: string[]): Promise<Ended> =>
  runAldis(['conversation', ...args], { ALDIS_URL: world.url, ALDIS_API_KEY: key }).ended;

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aldis(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('users talk: made, said, read and listed', async () => {
  const made = await json(
    'create',
    'group',
    '--as',
    'ána',
    '--with',
    'ben',
    '--title',
    'Plans',
    '--external-id',
    'plans',
  );
  assert.deepEqual([made['created_by'], made['title']], ['ána', 'Plans']);
  const said = await json('say', 'plans', 'Hello, Ben!', '--as', 'ána');
  await json('say', 'plans', 'Hello!', '--as', 'ben', '--reply-to', String(said['id']));
  const { stdout } = await aldis('history', 'plans', '--as', 'ben');
  assert.match(stdout, /^\S+Z {2}\S+ {2}ána {2}Hello, Ben!\n\S+Z {2}\S+ {2}ben {2}Hello!\n$/);
  assert.match((await aldis('list', '--as', 'ána')).stdout, /^\S+ {2}group {2}Plans {2}1 unread {2}Hello!\n$/);
  assert.equal((await aldis('list', '--as', 'nobody')).stdout, 'nobody talks\n');
  const foreign = await aldis('say', 'plans', 'x', '--as', 'zed');
  assert.deepEqual([foreign.code, (await aldis('history', 'plans', '--limit', '101')).code], [4, 2]);
});

test('what is noted stays inside, and the rest goes to the customer', async () => {
  const made = await json('create', 'customer', '--to', newPhone(), '--with', 'ana');
  const id = String(made['id']);
  assert.equal((await json('say', id, 'a note', '--as', 'ana', '--note'))['note'], true);
  assert.equal((await json('say', id, 'to him', '--as', 'ana'))['status'], 'queued');
  assert.match((await aldis('history', id)).stdout, / {2}ana {2}note {2}a note\n.* {2}ana {2}queued {2}to him\n$/);
});
