import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from '../../runtime/start-error.ts';
import type { Connection } from './cluster.ts';
import { writeDurably } from './durable.ts';
import type { Who } from './who.ts';

/*
 * What can be told of a server from outside: by its lock file `postmaster.pid`, by the process that the number in it
 * leads to, and by its socket. None of them alone is to be believed: numbers are given anew, a zombie keeps its own, and
 * a socket's file outlives its server.
 */

/** A server's main process. Two of the same number at different times have different births. */
export interface Postmaster {
  readonly pid: number;
  readonly born: string;
}

/** The name of the server's socket, which follows from the port. */
export const SOCKET_NAME = '.s.PGSQL.5432';
export const PORT = 5432;

/** A number no process has, on any system we run on (`pid_max` is at most 2²²). */
const NOBODY = '2147483647';

/** The living server of a cluster, or undefined. */
export function findPostmaster(data: string): Postmaster | undefined {
  const pid = readPid(data);
  const process = pid === undefined ? undefined : look(pid);
  return pid !== undefined && process && !process.zombie && serves(pid, process, data)
    ? { pid, born: process.born }
    : undefined;
}

/** Whether that very process is alive. */
export function isAlive({ pid, born }: Postmaster): boolean {
  const process = look(pid);
  return process !== undefined && !process.zombie && process.born === born;
}

/** Waits for a process that is not our child to end; at most `limit` milliseconds. Whether it has. */
export async function hasEnded(postmaster: Postmaster, limit: number): Promise<boolean> {
  const deadline = performance.now() + limit;
  while (isAlive(postmaster)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** Whether the cluster's server was started with these arguments. */
export function runsWith(data: string, args: readonly string[]): boolean {
  let told: string;
  try {
    told = fs.readFileSync(path.join(data, 'postmaster.opts'), 'utf8').trim();
  } catch {
    return false;
  }
  // The program's path, then each argument in quotes.
  return told.endsWith(args.map((each) => ` "${each}"`).join(''));
}

/**
 * Clears away what would stop a server from starting though none runs: its socket, and a lock file whose number leads to
 * a zombie or to another program. The lock file is not removed, only its number is: the rest leads PostgreSQL to the
 * shared memory of the server that died, and it does not start while one of that server's processes still uses it.
 */
export function clearTraces(data: string, sockets: string, who: Who): void {
  for (const name of [SOCKET_NAME, `${SOCKET_NAME}.lock`]) fs.rmSync(path.join(sockets, name), { force: true });
  const pid = readPid(data);
  if (pid === undefined || look(pid) === undefined) return;
  const file = lockFile(data);
  const [, ...rest] = fs.readFileSync(file, 'utf8').split('\n');
  writeDurably(file, [NOBODY, ...rest].join('\n'), who);
}

/**
 * Asks a server for a connection.
 * - `ready`: it gives one, or has none left to give.
 * - `busy`: it is starting, recovering or shutting down.
 * - `absent`: nobody listens.
 * - `silent`: it does not answer within 2 s.
 * @throws {StartError} when it does not take our password.
 */
export async function ask(connection: Connection): Promise<'ready' | 'busy' | 'absent' | 'silent'> {
  const client = new pg.Client({ ...connection, ssl: false, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {
    // Cut after it was given; the next question tells.
  });
  try {
    await client.connect();
    await client.end();
    return 'ready';
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      if (error.code === '57P03') return 'busy';
      if (error.code === '53300') return 'ready';
      throw new StartError(
        `The database server behind ${connection.host} does not know us (${error.message}): stop it, or name another folder in ALDIS_DATA_DIR.`,
        { cause: error },
      );
    }
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'absent';
    return /timeout/i.test((error as Error).message) ? 'silent' : 'busy';
  }
}

function readPid(data: string): number | undefined {
  try {
    const pid = Number.parseInt(fs.readFileSync(lockFile(data), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function lockFile(data: string): string {
  return path.join(data, 'postmaster.pid');
}

interface Process {
  readonly zombie: boolean;
  readonly born: string;
  readonly command: string;
}

function look(pid: number): Process | undefined {
  return process.platform === 'linux' ? lookInProc(pid) : lookByPs(pid);
}

function lookInProc(pid: number): Process | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field, the program's name in brackets, may hold anything: the state comes after the last bracket.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    // Field 22 of proc_pid_stat(5): start time, in ticks since boot.
    return { zombie: state === 'Z' || state === 'X', born: fields[18] ?? '', command };
  } catch {
    return undefined;
  }
}

function lookByPs(pid: number): Process | undefined {
  const { status, stdout } = spawnSync('ps', ['-ww', '-o', 'state=,lstart=,command=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  // `lstart` is five words: "Sat Nov 21 01:17:44 2026".
  const found = status === 0 ? /^(\S+)\s+((?:\S+\s+){4}\S+)\s+(.*)$/s.exec(stdout.trim()) : null;
  if (!found) return undefined;
  const [, state = '', born = '', command = ''] = found;
  return { zombie: state.startsWith('Z'), born, command };
}

/** Whether a process is the PostgreSQL of this cluster: its main process has the data folder for its working folder. */
function serves(pid: number, { command }: Process, data: string): boolean {
  if (!command.includes('postgres')) return false;
  if (process.platform !== 'linux') return command.includes(data);
  try {
    const [theirs, ours] = [fs.statSync(`/proc/${pid}/cwd/.`), fs.statSync(data)];
    return theirs.dev === ours.dev && theirs.ino === ours.ino;
  } catch {
    return false;
  }
}
