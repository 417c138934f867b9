import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** A page in a real browser, which has the client as its modules. Driven by the DevTools protocol. */
export interface BrowserPage extends AsyncDisposable {
  /** Of the page. */
  origin: string;
  /** Runs an expression in the page, and gives what its promise resolves with, as JSON has it. */
  run(expression: string): Promise<unknown>;
}

const SOURCES = join(import.meta.dirname, '../src');

/** Serves a page, and the client's sources without their types. */
async function servePage() {
  const server = createServer(({ url = '/' }, response) => {
    const file = basename(url);
    if (!file.endsWith('.ts')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>client</title>');
      return;
    }
    const text = stripTypeScriptTypes(readFileSync(join(SOURCES, file), 'utf8'));
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export async function openPage(program: string): Promise<BrowserPage> {
  await using started = new AsyncDisposableStack();
  const { server, origin } = await servePage();
  started.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const profile = mkdtempSync(join(tmpdir(), 'aldis-browser-'));
  started.defer(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  const browser = spawn(
    program,
    ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', `--user-data-dir=${profile}`, origin],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  started.defer(async () => {
    if (browser.exitCode !== null || browser.signalCode !== null) return;
    browser.kill('SIGKILL');
    await once(browser, 'close');
  });
  const port = await debuggingPort(browser);
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ type }) => type === 'page');
  if (!target) throw new Error('the browser has no page');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  started.defer(() => socket.close());
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: Evaluated };
    const waiting = asked.get(id ?? 0);
    if (result?.exceptionDetails) waiting?.reject(new Error(JSON.stringify(result.exceptionDetails)));
    else waiting?.resolve(result?.result?.value);
  });
  const held = started.move();
  return {
    origin,
    run(expression) {
      const id = asked.size + 1;
      const waiting = Promise.withResolvers<unknown>();
      asked.set(id, waiting);
      const params = { expression, awaitPromise: true, returnByValue: true };
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
      return waiting.promise;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

interface Evaluated {
  result?: { value?: unknown };
  exceptionDetails?: unknown;
}

/** The browser says on standard error where it can be driven. */
function debuggingPort(browser: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    browser.on('error', reject);
    browser.on('close', () => reject(new Error(`the browser ended: ${text}`)));
    browser.stderr?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const port = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(text)?.[1];
      if (port) resolve(port);
    });
  });
}
