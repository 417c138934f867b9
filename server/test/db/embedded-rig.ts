import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findNative } from '../../src/db/embedded/binaries.ts';
import type { Connection } from '../../src/db/embedded/cluster.ts';
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';

/** What the tests of the embedded database share: folders, databases and owners that do not outlive their test. */

export const isRoot = process.getuid?.() === 0;

/** What an owner is told to do. */
export interface OwnerOrder {
  options: Omit<EmbeddedOptions, 'log'>;
  /** Whom to become first. For root only. */
  as?: { uid: number; gid: number };
}

/** What an owner says of it. */
export type OwnerReport =
  | { connection: Connection; adopted: boolean; folder: string; pid: number }
  | { error: string; mendable: boolean };

export interface Owner {
  process: ChildProcess;
  report: OwnerReport;
}

const undoings = new WeakMap<TestContext, (() => unknown)[]>();

/** Runs something when the test is over, last registered first: a database is stopped before its folder goes. */
export function afterwards(t: TestContext, undo: () => unknown): void {
  const registered = undoings.get(t);
  if (registered) {
    registered.push(undo);
    return;
  }
  const stack = [undo];
  undoings.set(t, stack);
  t.after(async () => {
    for (let next = stack.pop(); next; next = stack.pop()) await next();
  });
}

/** A folder that goes with the test. Others may pass it, as they may pass most places where projects lie. */
export function scratch(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'aldis-embedded-'));
  fs.chmodSync(folder, 0o711);
  afterwards(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log that keeps what it is told. */
export function memoryLog() {
  const lines: string[] = [];
  const tell = (message: string) => {
    lines.push(message);
  };
  return { lines, debug: tell, info: tell, warn: tell, error: tell };
}

/** Starts a database in this process; it is stopped with the test. */
export async function start(
  t: TestContext,
  folder: string,
  options: Partial<EmbeddedOptions> = {},
): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres({ folder, folderIsNamed: true, log: memoryLog(), ...options });
  afterwards(t, () => database.stop());
  return database;
}

/** Starts an owner, a process of its own. The report is to come. */
export function launchOwner(
  t: TestContext,
  order: OwnerOrder,
): { process: ChildProcess; report: Promise<OwnerReport> } {
  const program = fileURLToPath(new URL('embedded-owner.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'pipe'] });
  afterwards(t, async () => {
    child.stdin.end();
    await ended(child);
  });
  child.stdin.on('error', () => {});
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  const closed = once(child, 'close').then(() => undefined);
  const first = Promise.race([once(readline.createInterface({ input: child.stdout }), 'line'), closed]);
  const report = first.then((line): OwnerReport => {
    assert.ok(line, `the owner ended without a report: ${said}`);
    return JSON.parse(String(line[0]));
  });
  report.catch(() => {});
  return { process: child, report };
}

/** Starts an owner and waits for its report. */
export async function startOwner(t: TestContext, order: OwnerOrder): Promise<Owner> {
  const { process, report } = launchOwner(t, order);
  return { process, report: await report };
}

/** The report of an owner that must have a database. */
export function running({ report }: Owner) {
  assert.ok(!('error' in report), `no database: ${JSON.stringify(report)}`);
  return report;
}

/** The error of an owner that must have failed with one a person can mend. */
export function mendable({ report }: Owner): string {
  assert.ok('error' in report && report.mendable, `not an error to mend: ${JSON.stringify(report)}`);
  return report.error;
}

/** Lets an owner stop in its own time. */
export async function stopOwner({ process: child }: Owner): Promise<void> {
  child.stdin?.end();
  await ended(child);
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Runs one statement on a connection of its own, and gives its rows. */
export async function query<Row extends pg.QueryResultRow>(connection: Connection, text: string): Promise<Row[]> {
  const client = new pg.Client(connection);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limit = 10_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${limit} ms`);
    await sleep(10);
  }
}

/** The short folder that stands in for one whose path is too long for a socket. */
export function shortFolder(folder: string): string {
  const { dev, ino } = fs.statSync(folder);
  return `/tmp/aldis-${dev.toString(36)}-${ino.toString(36)}`;
}

/** Whether a process is there and not a zombie. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = process.platform === 'linux' ? fs.readFileSync(`/proc/${pid}/stat`, 'latin1') : '';
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

/** Kills the guard of a server, every process of it, and leaves the server. */
export function killGuard(server: number): void {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const shell = processes.find(([pid]) => pid === server)?.[1] ?? 0;
  assert.ok(shell > 1, 'the server has a guard');
  const readers = processes.flatMap(([pid = 0, parent]) => (parent === shell && pid !== server ? [pid] : []));
  for (const pid of [...readers, shell]) process.kill(pid, 'SIGKILL');
}

/** The package's folder `native` again, as npm unpacks it: no links between libraries. Hard links where possible. */
export function nativeWithoutLinks(folder: string): string {
  const copy = (from: string, to: string) => {
    fs.mkdirSync(to, { mode: 0o755 });
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
      if (entry.isDirectory()) copy(source, target);
      else if (entry.isFile()) linkOrCopy(source, target);
    }
  };
  fs.mkdirSync(folder, { mode: 0o755 });
  const native = findNative();
  fs.copyFileSync(path.join(native, '..', 'package.json'), path.join(folder, 'package.json'));
  copy(native, path.join(folder, 'native'));
  return path.join(folder, 'native');
}

function linkOrCopy(source: string, target: string): void {
  try {
    fs.linkSync(source, target);
  } catch {
    fs.copyFileSync(source, target);
  }
}

/** Somebody who is neither root nor the server's user and stands in /etc/passwd (nobody), or does not. */
export const SOMEBODY = { uid: 65_534, gid: 65_534 };
export const UNKNOWN = { uid: 54_321, gid: 54_321 };
