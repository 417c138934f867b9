import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function start(context: TestContext, args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: '', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment },
  });
  context.after(() => child.kill('SIGKILL'));
  return child;
}

/** The address in the line that says the program is ready. */
async function ready(child: ChildProcessWithoutNullStreams): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^simulator ready (http:\/\/127\.0\.0\.1:\d+)$/.exec(line);
    if (match?.[1]) return match[1];
  }
  throw new Error('it ended without a line that it is ready');
}

/** What a child that fails says, and its exit code. */
async function failure(child: ChildProcessWithoutNullStreams): Promise<{ code: unknown; said: string }> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code]: unknown[] = await once(child, 'close');
  return { code, said };
}

test('the program says where it is, answers, and ends with 0 when told', async (context) => {
  const child = start(context, ['--port', '0'], { ALDIS_SIMULATOR_READ_AFTER: '7' });
  const url = await ready(child);
  assert.deepEqual(await (await fetch(`${url}/_simulator/health`)).json(), { status: 'ok' });
  const settings: unknown = await (await fetch(`${url}/_simulator/settings`)).json();
  assert.ok(JSON.stringify(settings).includes('"read_after":7'));
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('with --exit-with-parent it ends when its standard input closes', async (context) => {
  const child = start(context, ['--port', '0', '--exit-with-parent']);
  await ready(child);
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a port in use and an option that makes no sense: one line that says what to do', async (context) => {
  const first = start(context, [], { ALDIS_SIMULATOR_PORT: '0' });
  const port = new URL(await ready(first)).port;
  const second = await failure(start(context, ['--port', port]));
  assert.equal(second.code, 1);
  assert.match(second.said, new RegExp(`^[^\\n]*port ${port} on 127.0.0.1 is in use[^\\n]*--port[^\\n]*\\n$`));
  const wrong = await failure(start(context, ['--port', 'http']));
  assert.equal(wrong.code, 1);
  assert.match(wrong.said, /^[^\n]*port must be a whole number from 0 to 65535, got "http"[^\n]*\n$/);
  const unknown = await failure(start(context, ['--colour', 'red']));
  assert.equal(unknown.code, 1);
  assert.match(unknown.said, /--colour/);
});

test('what a customer can do is told behind each verb, too', async (context) => {
  const child = start(context, ['say', '--help']);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.match(said, /^ {2}say CUSTOMER TEXT /m);
});
