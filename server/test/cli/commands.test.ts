import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Ended, runAldis } from './run-aldis.ts';

interface Asked {
  method: string;
  url: string;
  body: unknown;
  key: string | undefined;
}

let server: Server;
let url = '';
/** What the server is asked, in order, and what it answers: status and body. */
let asked: Asked[] = [];
let answer: (request: Asked) => [number, unknown] = () => [200, {}];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    reply(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url: path = '', headers } = request;
  const now = { method, url: path, body: await bodyOf(request), key: headers.authorization };
  asked.push(now);
  const [status, body] = answer(now);
  response.writeHead(status).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString());
}

const aldis = (...args: string[]): Promise<Ended> => runAldis(args, { ALDIS_URL: url, ALDIS_API_KEY: 'aldis_k' }).ended;

const accepted = { id: 'm1', state: 'queued', to: '+6281234567890', warnings: [] };

test('send asks for one message and prints its id', async () => {
  answer = () => [202, accepted];
  const { code, stdout, stderr } = await aldis(
    'send',
    '+62 812-3456-7890',
    'Hello {name}',
    '--var',
    'name=A=na',
    '--at',
    '2026-12-01T09:00:00+07:00',
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'm1 queued\n');
  const [request] = asked;
  assert.deepEqual([request?.method, request?.url, request?.key], ['POST', '/api/v1/messages', 'Bearer aldis_k']);
  assert.deepEqual(request?.body, {
    to: '+6281234567890',
    content: { text: 'Hello {name}' },
    variables: { name: 'A=na' },
    scheduled_at: '2026-12-01T02:00:00.000Z',
  });
});

test('send --wait ends when the state has come, or says that it did not', async () => {
  const states = ['queued', 'sending', 'sent', 'delivered'];
  answer = ({ method }) => (method === 'POST' ? [202, accepted] : [200, { state: states.shift() ?? 'delivered' }]);
  const delivered = await aldis('send', '+6281234567890', 'x', '--wait', '--json');
  assert.equal(delivered.code, 0, delivered.stderr);
  assert.equal(JSON.parse(delivered.stdout).state, 'delivered');

  answer = ({ method }) => (method === 'POST' ? [202, accepted] : [200, { state: 'failed' }]);
  const failed = await aldis('send', '+6281234567890', 'x', '--wait', 'read');
  assert.equal(failed.code, 6);
  assert.match(failed.stderr, /m1 is failed; ask why with: aldis status m1/);

  answer = ({ method }) => (method === 'POST' ? [202, accepted] : [200, { state: 'sent' }]);
  const late = await aldis('send', '+6281234567890', 'x', '--wait', 'read', '--timeout', '0.1');
  assert.equal(late.code, 6);
  assert.match(late.stderr, /m1 is sent after 0.1 s, not read/);
});

test('a refusal is exit code 4; with --json one line names the field', async () => {
  answer = () => [400, { error: 'scheduled_in_past', message: 'No.', details: { field: 'scheduled_at' } }];
  const { code, stdout, stderr } = await aldis('send', '+6281234567890', 'x', '--json');
  assert.equal(code, 4);
  assert.equal(stdout, '');
  assert.deepEqual(JSON.parse(stderr), {
    error: 'scheduled_in_past',
    message: 'No. (400 scheduled_in_past, field scheduled_at)',
    field: 'scheduled_at',
    exit_code: 4,
  });
});

test('a command that is written wrongly is exit code 2, and asks for nothing', async () => {
  const wrong: [string[], RegExp][] = [
    [['send', '0812', 'x'], /has no country code/],
    [['send', '+6281234567890'], /nothing to send: give a text/],
    [['send', '+6281234567890', 'x', '--at', '2026-12-01 09:00'], /Write it with a zone/],
    [['send', '+6281234567890', 'x', '--media', 'nowhere'], /begins with https/],
    [['send', '+6281234567890', 'x', '--wait', 'seen'], /Allowed choices are sent, delivered, read/],
    [['send', '+6281234567890', 'x', '--params', 'name'], /belong to --template/],
    [['send', '+6281234567890', 'x', '--button', '0=a'], /belong to --template/],
    [['send', '+6281234567890', '--template', 't', '--named'], /--named belongs to --params/],
    [['send', '+6281234567890', '--template', 't', '--button', 'code'], /Write it like 0=\{code\}/],
    [
      ['send', '+6281234567890', '--template', 't', '--button', '0=a', '--components', '[]'],
      /--components is all of it/,
    ],
    [['send', '+6281234567890', '--template', 't', '--params', 'name'], /no value for \{name\}: give --var/],
    [['send', '+6281234567890', 'x', '--nope'], /unknown option '--nope'/],
    [['sned'], /unknown command 'sned'/],
    [['import'], /missing required argument 'file'/],
    [['config', '--server-prt', '1'], /unknown flag --server-prt; did you mean --server-port/],
  ];
  const ended = await Promise.all(wrong.map(async ([args, why]) => ({ args, why, ended: await aldis(...args) })));
  for (const { args, why, ended: result } of ended) {
    assert.equal(result.code, 2, args.join(' ') + result.stderr);
    assert.match(result.stderr, why, args.join(' '));
    assert.equal(result.stdout, '', args.join(' '));
  }
  assert.equal(asked.length, 0);
});

test('status shows a message with its history, else the batch of that id', async () => {
  const step = { at: '2026-11-01T00:00:00.000Z', step: 'attempt', attempt: 1, outcome: 'sent', code: null };
  answer = () => [200, { id: 'm1', state: 'read', error: null, history: [step] }];
  const message = await aldis('status', 'm1');
  assert.equal(message.code, 0, message.stderr);
  assert.equal(
    message.stdout,
    'id     m1\nstate  read\nhistory\n  2026-11-01T00:00:00.000Z  attempt  attempt=1  outcome=sent\n',
  );

  answer = () => [200, { id: 'm1', state: 'queued', held: 'template', history: [] }];
  assert.match((await aldis('status', 'm1')).stdout, /^held +its template is paused; it goes when/m);

  answer = ({ url: path }) =>
    path.includes('/batches/') ? [200, { id: 'b1', complete: true }] : [404, { error: 'not_found' }];
  const batch = await aldis('status', 'b1', '--json');
  assert.deepEqual(JSON.parse(batch.stdout), { id: 'b1', complete: true });

  answer = () => [404, { error: 'not_found', message: 'There is nothing of that id.' }];
  const nothing = await aldis('status', 'x/../y');
  assert.equal(nothing.code, 4);
  assert.match(nothing.stderr, /there is no message and no batch of that id/);
  assert.equal(asked.at(-1)?.url, '/api/v1/batches/x%2F..%2Fy');
});

const event = (n: number, type = 'message.sent') => ({
  id: `e${n}`,
  type,
  time: '2026-11-01T00:00:00.000Z',
  cursor: `c${n}`,
  prev: `c${n - 1}`,
  data: { id: `m${n}`, direction: 'outbound', to: '+6281234567890' },
});

test('tail prints events a line each, and takes up a failed connection behind the last', async () => {
  const pages: [number, unknown][] = [
    [200, { events: [event(1), event(2, 'message.failed')], next_cursor: 'c2' }],
    [503, { error: 'unavailable' }],
    [200, { events: [event(3)], next_cursor: 'c3' }],
  ];
  answer = () => pages.shift() ?? [200, { events: [], next_cursor: 'c3' }];
  const { code, stdout, stderr } = await aldis('tail', '--after', 'c0', '--once');
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.split('\n'), [
    '2026-11-01T00:00:00.000Z  message.sent         m1  +6281234567890',
    '2026-11-01T00:00:00.000Z  message.failed       m2  +6281234567890',
    '2026-11-01T00:00:00.000Z  message.sent         m3  +6281234567890',
    '',
  ]);
  assert.deepEqual(
    asked.map((request) => new URL(request.url, url).searchParams.get('after')),
    ['c0', 'c2', 'c2', 'c3'],
  );
  assert.doesNotMatch(stderr, /missing/);
});

test('tail shows what customers say: the type, the beginning of the words, and nothing that a terminal would obey', async () => {
  const from = { direction: 'inbound', from: '+6281234567890' };
  const said = [
    { type: 'text', content: { text: 'two\nlines' } },
    { type: 'image', content: { text: `Look ${'x'.repeat(100)}` } },
    { type: 'reaction', content: { reaction: { emoji: '👍' } } },
    { type: 'location', content: { location: {} } },
    { type: 'text', content: { text: 'a\u009b2Jb' } },
  ];
  const events = said.map((one, i) => ({ ...event(i + 1, 'message.received'), data: { id: 'm', ...from, ...one } }));
  const pages = [{ events, next_cursor: 'c5' }];
  answer = () => [200, pages.shift() ?? { events: [], next_cursor: 'c5' }];
  const { stdout } = await aldis('tail', '--after', 'c0', '--once');
  const words = stdout.split('\n').map((line) => line.split('from +6281234567890  ')[1]);
  assert.deepEqual(words, [
    '"two\\nlines"',
    `image "Look ${'x'.repeat(55)}…"`,
    'reaction "👍"',
    'location',
    '"a\ufffd2Jb"',
    undefined,
  ]);
});

test('tail warns when the chain of events is broken', async () => {
  const pages = [{ events: [event(1), event(3)], next_cursor: 'c3' }];
  answer = () => [200, pages.shift() ?? { events: [], next_cursor: 'c3' }];
  const { stderr, stdout } = await aldis('tail', '--after', 'c0', '--once', '--json', '--type', 'message.sent');
  assert.match(stderr, /warning: events are missing between c1 and c3/);
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).cursor),
    ['c1', 'c3'],
  );
});

test('tail ends well on SIGTERM', async () => {
  const running = runAldis(['tail'], { ALDIS_URL: url, ALDIS_API_KEY: 'k' });
  answer = () => {
    running.stop('SIGTERM');
    return [200, { events: [], next_cursor: 'c1' }];
  };
  assert.equal((await running.ended).code, 0);
});

test('address and key come from the data folder of a started server; the key does not leave for another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aldis-data-'));
  try {
    await writeFile(join(folder, 'credentials.json'), JSON.stringify({ url, api_key: 'aldis_stored' }));
    answer = () => [200, { id: 'm1' }];
    const found = await runAldis(['status', 'm1'], { ALDIS_DATA_DIR: folder }).ended;
    assert.equal(found.code, 0, found.stderr);
    assert.equal(asked.at(-1)?.key, 'Bearer aldis_stored');
    const foreign = await runAldis(['status', 'm1', '--url', 'http://127.0.0.1:1'], { ALDIS_DATA_DIR: folder }).ended;
    assert.equal(foreign.code, 2);
    assert.match(foreign.stderr, /no API key for http:\/\/127.0.0.1:1: give --key/);
  } finally {
    await rm(folder, { recursive: true });
  }
  const none = await runAldis(['status', 'm1'], { ALDIS_DATA_DIR: folder }).ended;
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no server: give --url or ALDIS_URL, or start Aldis here/);
});

test('config shows every setting with its source', async () => {
  const { code, stdout, stderr } = await runAldis(['config', '--json', '--server-port', '9000']).ended;
  assert.equal(code, 0, stderr);
  const rows: { key: string; value: string; source: string }[] = JSON.parse(stdout);
  assert.deepEqual(
    rows.find((row) => row.key === 'server.port'),
    { key: 'server.port', value: '9000', source: '--server-port' },
  );
});

test('help is an end of its own, and needs no server', async () => {
  for (const args of [['--help'], ['help', 'import'], ['send', '--help'], ['start', '--help']]) {
    const { code, stdout } = await aldis(...args);
    assert.equal(code, 0, args.join(' '));
    assert.match(stdout, /^Usage: aldis/);
    assert.match(stdout, /[Ee]xit codes?/, args.join(' '));
  }
});
