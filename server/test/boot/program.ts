import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDatabase } from '../database.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const SIMULATOR = fileURLToPath(new URL('../../../simulator/src/main.ts', import.meta.url));

/** The server as a process of its own, with its simulator; with its embedded database, unless another is named. */
export interface Program {
  kill(signal: NodeJS.Signals): void;
  stdout(): string;
  stderr(): string;
  /** Resolves with the line that says where it listens. Rejects when it ends before. */
  ready: Promise<string>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What a script reads to drive it. */
export interface Credentials {
  url: string;
  api_key: string;
  tenant_id: string;
  sender_id: string;
  simulator_url: string;
  phone_number_id: string;
}

/** A folder that goes with the test. */
export function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'aldis-life-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A database on the suite's server, as settings of a program. For tests that are not about the embedded one: to make that takes as
 * long as all else that a start does.
 */
export async function suiteDatabase(t: TestContext): Promise<{ ALDIS_DATABASE_URL: string }> {
  const database = await testDatabase();
  t.after(() => database.drop());
  return { ALDIS_DATABASE_URL: database.url };
}

/** Starts the server; it does not outlive the test. */
export function startProgram(t: TestContext, folder: string, env: Record<string, string> = {}): Program {
  return start(t, [MAIN, 'start'], /^aldis ready (https?:\S+)$/m, {
    ALDIS_DATA_DIR: folder,
    ALDIS_SERVER_PORT: '0',
    ALDIS_SIMULATOR_PORT: '0',
    ...env,
  });
}

/** Starts a simulator of its own, which lives on when a server is killed. */
export function startProvider(t: TestContext): Program {
  return start(t, [SIMULATOR], /^simulator ready (http:\S+)$/m, { ALDIS_SIMULATOR_PORT: '0' });
}

function start(t: TestContext, args: readonly string[], line: RegExp, env: Record<string, string>): Program {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const ready = Promise.withResolvers<string>();
  // Who only waits for the end need not hear of it.
  ready.promise.catch(() => {});
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const url = line.exec(stdout)?.[1];
    if (url) ready.resolve(url);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => {
      ready.reject(new Error(`ended with ${code ?? signal} before it was ready:\n${stderr}`));
      resolve({ code, signal });
    });
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
  };
  return { kill, stdout: () => stdout, stderr: () => stderr, ready: ready.promise, ended };
}

export function credentials(folder: string): Credentials {
  return JSON.parse(readFileSync(path.join(folder, 'credentials.json'), 'utf8'));
}

/** Holds a program to a known trouble: it ends by itself, with a code that is not 0 and one line that says what to do. */
export async function assertRefusesToStart(program: Program, line: RegExp): Promise<void> {
  const { code } = await program.ended;
  // What the log tells of the parts that had started is not for this reader.
  const lines = program
    .stderr()
    .trim()
    .split('\n')
    .filter((text) => !text.startsWith('{'));
  assert.equal(lines.length, 1, program.stderr());
  assert.match(lines[0] ?? '', line);
  assert.ok(code !== 0 && code !== null);
  assert.doesNotMatch(program.stdout(), /aldis ready/);
}
