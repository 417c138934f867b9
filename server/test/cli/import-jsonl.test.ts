import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type BatchServer, KEY, startBatchServer } from './batch-server.ts';
import { type Ended, runAldis } from './run-aldis.ts';

let folder = '';
let server: BatchServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aldis-jsonl-'));
  server = await startBatchServer();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const run = (name: string, ...options: string[]): Promise<Ended> =>
  runAldis(['import', file(name), '--url', server.url, '--key', KEY, '--json', ...options]).ended;

const id = (n: number) => ({ $oid: n.toString(16).padStart(24, '0') });
const dump = (documents: readonly unknown[]) =>
  writeFile(
    file('messages.json'),
    documents.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n'),
  );

test('the unsent documents of a dump are sent as they are, the sent ones are left out', async () => {
  await dump([
    {
      _id: id(1),
      phoneNumber: '+62811111111',
      content: 'Hi {name}, 50%',
      status: 'unsent',
      createdAt: { $date: '2025-01-02T03:04:05Z' },
    },
    {
      _id: id(2),
      phoneNumber: '+62822222222',
      content: 'done',
      status: 'sent',
      sentAt: { $date: { $numberLong: '1735787045000' } },
    },
    '',
    { _id: id(3), phoneNumber: '+62811111111', content: 'a second one', status: 'unsent' },
    { _id: id(4), phoneNumber: '62833333333', content: 'no plus', status: 'unsent' },
    { _id: id(5), phoneNumber: '+62844444444', content: 'odd', status: 'failed' },
    '{"_id": ',
    '[1]',
    { _id: id(6), phoneNumber: { $numberLong: '62855555555' }, content: '', status: 'unsent' },
    { _id: id(7), phoneNumber: '+62866666666', content: 'no status' },
  ]);
  const { code, stdout, stderr } = await run('messages.json');
  assert.equal(code, 5, stderr);
  const summary: Record<string, unknown> = JSON.parse(stdout);
  assert.deepEqual([summary.rows, summary.accepted, summary.refused, summary.already_sent], [8, 3, 5, 1]);
  assert.deepEqual(server.accepted, ['+62811111111', '+62811111111', '+62866666666']);
  const report = await readFile(file('messages.json.refused.csv'), 'utf8');
  const [header, ...rows] = report.trimEnd().split('\n');
  assert.equal(header, 'line,error,reason,_id,to,content,status,createdAt');
  assert.deepEqual(
    rows.map((row) => row.split(',').slice(0, 2).join()),
    ['5,invalid_phone', '6,unreadable_row', '7,unreadable_row', '8,unreadable_row', '9,invalid_phone'],
  );
  assert.match(report, /^6,unreadable_row,"the status ""failed"" is neither ""unsent"" nor ""sent"""/m);
  assert.match(report, /^5,.*,000000000000000000000004,62833333333,no plus,unsent,$/m);
});

test('the text of a document is not looked through for names, and dates are written as such', async () => {
  await dump([
    {
      _id: id(1),
      to: '+62811111111',
      content: 'Hi {name}',
      status: 'unsent',
      at: { $date: { $numberLong: '1735787045000' } },
    },
  ]);
  const { code, stdout } = await run('messages.json', '--dry-run');
  assert.equal(code, 0);
  const { sample } = JSON.parse(stdout) as { sample: Record<string, unknown>[] };
  assert.deepEqual(sample[0]?.content, { text: '{content}' });
  assert.deepEqual(sample[0]?.variables, { content: 'Hi {name}' });
  const dated = await run('messages.json', '--dry-run', '--text', 'Since {at}: {content}');
  const { sample: second } = JSON.parse(dated.stdout) as { sample: Record<string, unknown>[] };
  assert.deepEqual(second[0]?.variables, { at: '2025-01-02T03:04:05.000Z', content: 'Hi {name}' });
});

test('a dump is taken up where it stopped, and done once', async () => {
  await dump(
    Array.from({ length: 900 }, (_, n) => ({
      _id: id(n),
      to: `+6281${2_000_000 + n}`,
      content: `m ${n}`,
      status: n % 3 === 0 ? 'sent' : 'unsent',
    })),
  );
  server.fault = (request) => (request === 2 ? 400 : 'none');
  const first = await run('messages.json', '--chunk', '200');
  assert.equal(first.code, 4, first.stderr);
  server.fault = () => 'none';
  const second = await run('messages.json', '--chunk', '200');
  assert.equal(second.code, 0, second.stderr);
  assert.equal(JSON.parse(second.stdout).already_sent, 300);
  assert.equal(new Set(server.accepted).size, 600);
  assert.equal(server.accepted.length, 600);
});

test('what is no dump is said before anything is sent', async () => {
  await dump(['[{"to": "+62811111111"}]']);
  const array = await run('messages.json');
  assert.equal(array.code, 2);
  assert.match(array.stderr, /without --jsonArray/);
  await dump(['phone,name']);
  assert.match((await run('messages.json')).stderr, /line 1: it is no JSON document/);
  await dump([{ to: '+62811111111', body: 'x' }]);
  assert.match((await run('messages.json')).stderr, /uses \{content\}, which is no column; there are: to, body/);
  assert.deepEqual(server.accepted, []);
});
