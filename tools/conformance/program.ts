import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from './ledger.ts';

const MAIN = join(PROJECT, 'server/src/cli/main.ts');
/** A start on a busy machine may take a while; one that takes longer hangs. */
const START_LIMIT = 60_000;
const STOP_LIMIT = 15_000;

/** What credentials.json tells of a running Aldis. */
export interface Credentials {
  url: string;
  api_key: string;
  operator_key: string;
  tenant_id: string;
  sender_id: string;
  simulator_url: string;
  phone_number_id: string;
}

/** An Aldis of this run, with a data folder of its own. */
export interface Program extends AsyncDisposable {
  credentials: Credentials;
  /** The end of what it said on standard error. */
  errors(): string;
}

/** A folder in the system's place for such, that goes when the work is done. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'aldis-conformance-'));
  // Root steps down to another user for PostgreSQL, who has to get there.
  chmodSync(path, 0o711);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs `aldis` to its end, in a folder and with an environment of its own. */
export async function run(args: readonly string[], env: Readonly<Record<string, string>>, folder: string) {
  const child = launch(args, env, folder);
  const output = { out: '', errors: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.errors += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** Starts Aldis with its embedded database and its simulator, on ports that are free. @throws {Error} with its last words */
export async function startAldis(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Program> {
  const folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const child = launch(
    ['start', ...args],
    { ALDIS_DATA_DIR: data, ALDIS_SERVER_PORT: '0', ALDIS_SIMULATOR_PORT: '0', ALDIS_LOG_LEVEL: 'warn', ...env },
    folder.path,
  );
  let out = '';
  let errors = '';
  const ready = Promise.withResolvers<void>();
  const late = setTimeout(() => ready.reject(new Error(`not ready after ${START_LIMIT} ms\n${errors}`)), START_LIMIT);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (/^aldis ready /m.test(out)) ready.resolve();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-16_384);
  });
  const ended = once(child, 'close').then(() => ready.reject(new Error(`ended before it was ready\n${errors}`)));
  const stop = async () => {
    const stubborn = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(stubborn);
    folder[Symbol.dispose]();
  };
  try {
    await ready.promise;
    const credentials = JSON.parse(readFileSync(join(data, 'credentials.json'), 'utf8')) as Credentials;
    return { credentials, errors: () => errors, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Nothing of our own environment is passed on but where programs are, and compiled code. */
function launch(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
