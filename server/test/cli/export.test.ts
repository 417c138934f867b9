import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { messageView } from '../../src/domain/message-view.ts';
import { ContactObject, contactView } from '../../src/http/contact-view.ts';
import { MessageObject } from '../../src/http/message-view.ts';
import { createExportJob } from '../../src/jobs/exports.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { runAldis } from './run-aldis.ts';

/* `aldis export` against a real door, and its download against a server that cuts it. */
let world: DoorWorld;
let customer: Customer;
let job: Part;
let folder: string;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
  for (let i = 0; i < 3; i++) await customer.accept({ content: { text: `=${i}` } });
  folder = await mkdtemp(join(tmpdir(), 'aldis-export-'));
  job = createExportJob({
    db: world.db,
    signals: world.signals,
    logger: { info() {}, warn() {} },
    instance: newId<InstanceId>(),
    store: world.media.store,
    views: { messages: messageView, contacts: contactView },
    columns: { messages: Object.keys(MessageObject.properties), contacts: Object.keys(ContactObject.properties) },
    keep: 60_000,
    pollInterval: 50,
  });
  await job.start();
});
after(async () => {
  await job.stop();
  await world.close();
  await rm(folder, { recursive: true });
});

const aldis = (...args: string[]) => runAldis(args, { ALDIS_URL: world.url, ALDIS_API_KEY: customer.key }).ended;

test('a list comes to a file; one that is there is not replaced unasked', async () => {
  const file = join(folder, 'messages.csv');
  const { code, stdout, stderr } = await aldis(
    'export',
    'messages',
    '--out',
    file,
    '--direction',
    'outbound',
    '--json',
  );
  assert.equal(code, 0, stderr);
  const { id, rows, bytes } = JSON.parse(stdout) as Record<string, unknown>;
  const written = await readFile(file);
  assert.deepEqual([rows, bytes], [3, written.length]);
  const texts = parse(written, { columns: true }) as Record<string, string>[];
  assert.deepEqual(
    texts.map(({ content }) => content),
    ['{"text":"=2"}', '{"text":"=1"}', '{"text":"=0"}'],
  );
  const [again, other, list] = await Promise.all([
    aldis('export', 'messages', '--out', file),
    aldis('export', 'download', String(id), '--out', join(folder, 'again.csv')),
    aldis('export', 'list'),
  ]);
  assert.deepEqual([again.code, other.code, list.code], [2, 0, 0]);
  assert.deepEqual(await readFile(join(folder, 'again.csv')), written);
  assert.match(list.stdout, new RegExp(`^${String(id)}  messages  csv  complete  100 %  3 rows$`, 'm'));
  const gone = await aldis('export', 'delete', String(id));
  assert.equal(gone.code, 0, gone.stderr);
  assert.equal((await aldis('export', 'download', String(id), '--out', join(folder, 'gone.csv'))).code, 4);
});

test('a filter that the server refuses is told, and no file is made', async () => {
  const file = join(folder, 'refused.jsonl');
  const { code, stderr } = await aldis(
    'export',
    'messages',
    '--format',
    'jsonl',
    '--out',
    file,
    '--sender-id',
    'nobody',
  );
  assert.equal(code, 4);
  assert.match(stderr, /record that does not exist/);
  assert.equal(existsSync(file), false);
  assert.equal((await aldis('export', 'contacts', '--format', 'xlsx', '--out', file)).code, 2);
  const nowhere = await aldis('export', 'contacts', '--out', join(folder, 'not-there', 'a.csv'));
  assert.deepEqual([nowhere.code, /its folder is not there/.test(nowhere.stderr)], [2, true], nowhere.stderr);
  assert.equal((await aldis('export', 'contacts')).code, 2);
});

/** Serves one export, and cuts the connection after so many bytes, as often as it is told to. */
async function cuttingServer(
  content: Buffer,
  cuts: number[],
): Promise<{ server: Server; url: string; ranges: string[] }> {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    if (!request.url?.endsWith('/download')) {
      response.end(JSON.stringify({ id: 'e', state: 'complete', rows: 7, total: null }));
      return;
    }
    const { range = '' } = request.headers;
    ranges.push(range);
    const start = Number(/bytes=(\d+)-/.exec(range)?.[1] ?? 0);
    response.writeHead(range === '' ? 200 : 206, { 'content-length': content.length - start });
    const cut = cuts.shift();
    if (cut === undefined) response.end(content.subarray(start));
    else response.write(content.subarray(start, start + cut), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, ranges, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` };
}

test('a download that is cut goes on where it ended, also in another run', async () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  const { server, url, ranges } = await cuttingServer(content, [100_000, 0, 50_000]);
  try {
    const file = join(folder, 'cut.csv');
    await writeFile(`${file}.e.part`, content.subarray(0, 1000));
    const env = { ALDIS_URL: url, ALDIS_API_KEY: 'key' };
    const { code, stderr } = await runAldis(['export', 'download', 'e', '--out', file], env).ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(await readFile(file), content);
    assert.equal(ranges[0], 'bytes=999-');
    const starts = ranges.map((range) => Number(/\d+/.exec(range)?.[0]));
    assert.deepEqual(
      starts,
      starts.toSorted((a, b) => a - b),
    );
    assert.equal(existsSync(`${file}.e.part`), false);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
