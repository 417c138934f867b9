import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { templateApi } from '../../src/channels/whatsapp/template-api.ts';
import { createTemplatesJob } from '../../src/jobs/templates.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type DoorWorld, doorWorld } from '../http/door-world.ts';
import { type GraphServer, graphServer, noSamples } from '../jobs/graph-templates.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* `aldis template` against a real door, with the job beside it that tells the provider. */
let world: DoorWorld;
let graph: GraphServer;
let job: Part;
let folder: string;
before(async () => {
  world = await doorWorld();
  const customer = await world.customer();
  graph = await graphServer();
  await world.db.script(`
    update senders set account_id = '60001' where tenant_id = '${customer.tenant}';
    insert into accounts (tenant_id, id, app_id, access_token_sealed) values ('${customer.tenant}', '60001', 'default', 'sealed')`);
  job = createTemplatesJob({
    db: world.db,
    signals: world.signals,
    logger: { info() {}, warn() {} },
    samples: noSamples,
    provider: templateApi({ origin: graph.url, version: 'v26.0', timeout: 2000 }),
    openToken: () => 'token',
    retry: { base: 20, cap: 50 },
    every: 3_600_000,
  });
  await job.start();
  folder = await mkdtemp(join(tmpdir(), 'aldis-templates-'));
  await writeFile(join(folder, 'credentials.json'), JSON.stringify({ url: world.url, api_key: customer.key }));
});
after(async () => {
  await job.stop();
  await graph.close();
  await world.close();
  await rm(folder, { recursive: true });
});

const aldis = (...args: string[]): Promise<Ended> => runAldis(args, { ALDIS_DATA_DIR: folder }).ended;

async function file(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

test('a template is made, listed, shown as the customer sees it, and deleted', async () => {
  const body = { type: 'BODY', text: 'Hi {{1}}, thanks.', example: { body_text: [['Ana']] } };
  const path = await file('thanks.json', { name: 'thanks', language: 'en', category: 'utility', components: [body] });
  const { code, stdout, stderr } = await aldis('template', 'create', path, '--json');
  assert.equal(code, 0, stderr);
  const { id, status } = JSON.parse(stdout) as { id: string; status: string };
  assert.equal(status, 'PENDING');
  const [list, none, empty, preview, synced] = await Promise.all([
    aldis('template', 'list'),
    aldis('template', 'list', '--status', 'REJECTED', '--json'),
    aldis('template', 'list', '--status', 'REJECTED'),
    aldis('template', 'preview', id, '--var', '1=Bob'),
    aldis('template', 'sync'),
  ]);
  assert.equal(list.stdout, `${id}  thanks  en  utility  PENDING\n`);
  assert.deepEqual(JSON.parse(none.stdout), []);
  assert.equal(empty.stdout, '');
  assert.equal(preview.stdout, 'Hi Bob, thanks.\n');
  assert.match(synced.stdout, /^account_id +60001$/m);
  const deleted = await aldis('template', 'delete', id);
  assert.match(deleted.stdout, /^deleted +true$/m);
});

test('what is written wrongly is exit code 2, what the server refuses 4', async () => {
  const flawed = await file('flawed.json', {
    name: 'x',
    language: 'en',
    category: 'utility',
    components: [{ type: 'BODY', text: '{{1}}' }],
  });
  const cases: [string[], number, RegExp][] = [
    [['template', 'create', await file('broken.json', '{"name"')], 2, /broken\.json is no JSON/],
    [['template', 'create', await file('list.json', '[]')], 2, /must be an object in JSON/],
    [['template', 'create', join(folder, 'absent.json')], 1, /there is no such file/],
    [['template', 'create', flawed], 4, /components\[0\]\.text must not begin or end with a variable/],
    [['template', 'preview', 'x', '--var', 'x'], 2, /write NAME=VALUE/],
    [['template', 'show', 'nobody'], 4, /no template of that id/],
  ];
  await Promise.all(
    cases.map(async ([args, code, text]) => {
      const ended = await aldis(...args);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, text);
    }),
  );
  assert.equal(graph.templates.length, 0);
});
