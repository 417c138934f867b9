import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type BatchServer, KEY, startBatchServer } from './batch-server.ts';
import { type Ended, runAldis } from './run-aldis.ts';

let folder = '';
let server: BatchServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aldis-import-'));
  server = await startBatchServer();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const start = (...options: string[]) =>
  runAldis(['import', file('contacts.csv'), '--text', 'Hello {name}', '--url', server.url, '--key', KEY, ...options]);
const run = (...options: string[]): Promise<Ended> => start(...options).ended;

/** A file with so many good rows; those of `bad` stand at their index. */
async function contacts(rows: number, bad: Readonly<Record<number, string>> = {}): Promise<void> {
  const lines = Array.from({ length: rows }, (_, index) => bad[index] ?? `+6281${2_000_000 + index},Ana`);
  await writeFile(file('contacts.csv'), `phone,name\n${lines.join('\n')}\n`);
}

function assertEachOnce(count: number): void {
  assert.equal(server.accepted.length, count);
  assert.equal(new Set(server.accepted).size, count, 'nobody twice');
}

test('every good row is sent once, every bad row is written down with line and reason', async () => {
  await contacts(1_200, { 0: 'x,"An, a"', 3: '+6281999,Ana', 700: '"broken,Ana', 1199: '+62812000001,Ana' });
  const { code, stdout, stderr } = await run('--json');
  assert.equal(code, 5, stderr);
  const summary: Record<string, unknown> = JSON.parse(stdout);
  assert.deepEqual(
    [summary.rows, summary.accepted, summary.refused, summary.batches, summary.refused_file],
    [1_200, 1_196, 4, 3, file('contacts.refused.csv')],
  );
  assertEachOnce(1_196);
  assert.equal(
    await readFile(file('contacts.refused.csv'), 'utf8'),
    [
      'line,error,reason,phone,name',
      '2,invalid_phone,"""x"" is no phone number",x,"An, a"',
      '5,window_closed,No.,+6281999,Ana',
      '702,unreadable_row,a quote is opened and never closed,,',
      '1201,duplicate,+62812000001 stands in line 3 already,+62812000001,Ana',
      '',
    ].join('\n'),
  );
  assert.match(stderr, /importing: 1201\/1201 lines, 1196 accepted, 4 refused/);
});

test('faults on the way are borne, and nothing is sent twice for them', async () => {
  await contacts(1_000);
  server.fault = (request) => (['cut', 'lose', 503, 'lose', 'none', 429, 'cut', 500] as const)[request - 1] ?? 'none';
  const { code, stderr } = await run('--chunk', '250');
  assert.equal(code, 0, stderr);
  assertEachOnce(1_000);
  assert.equal(new Set(server.keys).size, 4);
});

test('an import that is killed goes on where it stopped, also when an answer was lost', async () => {
  await contacts(1_000, { 5: '+6281999,Ana' });
  for (const deadAt of [2, 4, 7]) {
    const running = start('--chunk', '100');
    server.fault = (request) => {
      if (request !== deadAt) return 'none';
      running.stop('SIGKILL');
      return 'lose';
    };
    assert.equal((await running.ended).code, null);
  }
  server.fault = () => 'none';
  const { code, stdout, stderr } = await run('--chunk', '100');
  assert.equal(code, 5, stderr);
  assertEachOnce(999);
  assert.match(stdout, /1000 rows: 999 accepted, 1 refused/);
  assert.match(stdout, /^the first of them, line \d+: \S/m);
  assert.match(stdout, /batches were done by an earlier run/);
  assert.match(
    await readFile(file('contacts.refused.csv'), 'utf8'),
    /^line,error,reason,phone,name\n7,window_closed,No\.,\+6281999,Ana\n$/,
  );
});

test('without its journal, the keys alone keep a second run from sending anything', async () => {
  await contacts(300);
  assert.equal((await run('--chunk', '100')).code, 0);
  await rm(file('contacts.import.jsonl'));
  assert.equal((await run('--chunk', '100')).code, 0);
  assert.equal(server.keys.length, 6);
  assertEachOnce(300);
});

test('a finished import asks for nothing when run again, unless it is named another', async () => {
  await contacts(300);
  assert.equal((await run()).code, 0);
  const again = await run();
  assert.equal(again.code, 0);
  assert.match(again.stdout, /finished before; nothing was sent again/);
  assert.equal(server.keys.length, 1);
  assert.equal((await run('--again', 'december')).code, 0);
  assert.equal(server.accepted.length, 600);
});

test('another text or another file is another import', async () => {
  await contacts(10);
  assert.equal((await run()).code, 0);
  assert.equal((await run('--priority', 'high')).code, 0);
  await appendFile(file('contacts.csv'), '+62813555,Budi\n');
  assert.equal((await run()).code, 0);
  assert.equal(new Set(server.keys).size, 3);
});

test('Ctrl-C ends it between two requests, and the next run goes on', async () => {
  await contacts(500);
  const running = start('--chunk', '100', '--rate', '1000');
  server.fault = (request) => {
    if (request === 2) running.stop('SIGINT');
    return 'none';
  };
  const { code, stderr } = await running.ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /run the same command again to go on/);
  assert.ok(server.accepted.length >= 200 && server.accepted.length < 500);
  assert.equal((await run('--chunk', '100')).code, 0);
  assertEachOnce(500);
});

test('Ctrl-C ends the patience with a server that is gone', async () => {
  await contacts(300);
  const running = start('--chunk', '100');
  server.fault = (request) => {
    if (request === 3) running.stop('SIGINT');
    return request === 1 ? 'none' : 503;
  };
  const { code, stdout } = await running.ended;
  assert.equal(code, 130);
  assert.match(stdout, /100 rows: 100 accepted/);
});

test('a request over a day old without an answer is not repeated unasked', async () => {
  await contacts(200);
  server.fault = (request) => (request === 2 ? 401 : 'none');
  assert.equal((await run('--chunk', '100')).code, 4);
  const journal = await readFile(file('contacts.import.jsonl'), 'utf8');
  await writeFile(
    file('contacts.import.jsonl'),
    journal.replace(/"asked_at":"[^"]*"\}\n$/, '"asked_at":"2020-01-01T00:00:00.000Z"}\n'),
  );

  const unasked = await run('--chunk', '100');
  assert.equal(unasked.code, 1, unasked.stderr);
  assert.match(unasked.stderr, /lines 102 to 201 were asked for at 2020-01-01.*--unanswered skip/);
  assert.equal(server.keys.length, 2);

  assert.equal((await run('--chunk', '100', '--unanswered', 'skip')).code, 5);
  assert.equal(server.accepted.length, 100);
});

test('--wait follows until all are settled, and says which failed', async () => {
  await contacts(40, { 7: '+6281666,Ana' });
  const { code, stdout, stderr } = await run('--wait', '--chunk', '10');
  assert.equal(code, 5, stderr);
  assert.match(stdout, /messages: 39 delivered, 1 failed/);
  assert.equal(
    await readFile(file('contacts.failed.csv'), 'utf8'),
    'line,to,id,state,error,code,reason\n9,+6281666,id-9,failed,send_failed,131026,Not on WhatsApp\n',
  );
});

test('--wait gives up when nothing changes', async () => {
  await contacts(4);
  server.state = 'sent';
  const { code, stdout } = await run('--wait', 'read', '--timeout', '1');
  assert.equal(code, 6);
  assert.match(stdout, /messages: 4 sent/);
});

test('--dry-run sends nothing and shows what it would', async () => {
  await contacts(10, { 2: 'x,Ana' });
  const { code, stdout } = await run('--dry-run');
  assert.equal(code, 5);
  assert.match(stdout, /10 rows: 9 would be sent, 1 refused/);
  assert.match(stdout, /"to":"\+62812000000","content":\{"text":"Hello \{name\}"\},"variables":\{"name":"Ana"\}/);
  assert.equal(server.keys.length, 0);
  assert.equal(existsSync(file('contacts.import.jsonl')), false);
});

test('--rate holds the rows of a second', async () => {
  await contacts(300);
  const began = performance.now();
  assert.equal((await run('--chunk', '100', '--rate', '400')).code, 0);
  assert.ok(performance.now() - began >= 500, 'the third hundred leaves after half a second');
});

test('a server that is gone for too long, or refuses all, ends it with the code that says so', async () => {
  await contacts(10);
  server.fault = () => 503;
  const gone = await run('--patience', '0.5');
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /Later\./);
  const refused = await runAldis(['import', file('contacts.csv'), '--text', 'x', '--url', server.url, '--key', 'wrong'])
    .ended;
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /A valid key is needed\. \(401 unauthorized\)/);
  assert.equal(server.accepted.length, 0);
});

test('files that are none are said in one line', async () => {
  const none = await run();
  assert.equal(none.code, 1);
  assert.equal(none.stderr, `aldis: ${file('contacts.csv')}: there is no such file\n`);
});
