import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../runtime/start-error.ts';
import type { Binaries } from './binaries.ts';
import type { Connection } from './cluster.ts';
import { guard } from './guard.ts';
import type { Home } from './home.ts';
import type { EmbeddedLog } from './log.ts';
import { ask, clearTraces, findPostmaster, hasEnded, isAlive, type Postmaster, runsWith } from './postmaster.ts';

/** What a server is started with. */
export interface ServerPlan {
  readonly home: Home;
  readonly binaries: Binaries;
  readonly sockets: string;
  readonly args: readonly string[];
  /** With which an orphan is asked whether it is well. */
  readonly connection: Connection;
  readonly log: EmbeddedLog;
}

/** A server that runs, under guard. */
export interface Running extends Postmaster {
  readonly adopted: boolean;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  /** Asks it to shut down fast. */
  shutDown(): void;
}

/** How long a fast shutdown may take before it is made an immediate one, after which the next start recovers. */
const SHUTDOWN_MS = 6_000;
/** How long an orphan may be silent, or without a socket, before it is given up. */
const ORPHAN_MS = 5_000;
/** How long the last processes of a dead server may hold its shared memory. */
const REMAINS_MS = 30_000;
/** How often it is seen whether an adopted server, which is not our child, is alive. */
const WATCH_MS = process.platform === 'linux' ? 100 : 1_000;
/**
 * Takes over the server that runs on the data, or starts one. `signal` ends a start under way.
 * @throws {StartError} when a server is in the way that can be neither adopted nor ended, or ours does not start.
 */
export async function obtain(plan: ServerPlan, signal: AbortSignal): Promise<Running> {
  const since = performance.now();
  let told = false;
  for (;;) {
    const found = findPostmaster(plan.home.data);
    if (found) {
      const adopted = await adopt(found, plan);
      if (adopted) return adopted;
      continue;
    }
    const answer = await ask(plan.connection);
    if (answer === 'absent') {
      clearTraces(plan.home.data, plan.sockets, plan.home.who);
      const started = await launch(plan, signal);
      if ('pid' in started) return started;
      const hasRemains = /pre-existing shared memory block|lock file .* already exists/.test(started.reason);
      if (!hasRemains || performance.now() - since > REMAINS_MS || signal.aborted) {
        throw new StartError(`PostgreSQL did not start on ${plan.home.data}: ${started.reason}`);
      }
      if (!told) plan.log.warn('Processes of the PostgreSQL that ended are still there: it starts when they are gone');
      told = true;
    } else if (performance.now() - since > ORPHAN_MS) {
      throw new StartError(
        `A PostgreSQL that is not among the processes of this system serves ${plan.sockets} (is it in another container?): stop it, or name another folder in ALDIS_DATA_DIR.`,
      );
    }
    await sleep(50);
  }
}

/** Takes over a running server when it is well, and ends it when it is not. Undefined: it is gone. */
async function adopt(found: Postmaster, plan: ServerPlan): Promise<Running | undefined> {
  if (!runsWith(plan.home.data, plan.args)) {
    plan.log.info(`PostgreSQL still ran, with other settings, as process ${found.pid}: it is started anew`);
    await endByForce(found);
    return undefined;
  }
  let since = performance.now();
  for (let told = false; ; await sleep(10)) {
    if (!isAlive(found)) return undefined;
    const answer = await ask(plan.connection);
    if (answer === 'ready') break;
    if (answer === 'busy') {
      since = performance.now();
      if (!told) plan.log.info(`PostgreSQL of an earlier run (process ${found.pid}) is still starting or stopping`);
      told = true;
    } else if (performance.now() - since > ORPHAN_MS) {
      await endByForce(found);
      return undefined;
    }
  }
  const { home, binaries } = plan;
  const watch = guard('orphan', [String(found.pid)], { who: home.who, env: binaries.env, cwd: '/', onLine: () => {} });
  const gone = async () => {
    while (isAlive(found)) await sleep(WATCH_MS);
    // Before the number can be somebody else's.
    watch.dismiss();
    return 'unknown';
  };
  plan.log.info(`PostgreSQL still ran, as process ${found.pid}, and is taken over`);
  return { ...found, adopted: true, ended: gone(), shutDown: watch.letGo };
}

async function launch(plan: ServerPlan, signal: AbortSignal): Promise<Running | { reason: string }> {
  const { home, binaries, args, log } = plan;
  const lastSaid: string[] = [];
  const ready = Promise.withResolvers<'ready'>();
  const child = guard('server', [binaries.postgres, ...args], {
    who: home.who,
    env: binaries.env,
    cwd: home.data,
    onLine: (line) => {
      if (lastSaid.push(line) > 10) lastSaid.shift();
      log[levelOf(line)](line);
      if (line.includes('database system is ready to accept connections')) ready.resolve('ready');
    },
  });
  signal.addEventListener('abort', child.letGo, { once: true });
  const how = await Promise.race([ready.promise, child.ended]);
  signal.removeEventListener('abort', child.letGo);
  const found = how === 'ready' ? findPostmaster(home.data) : undefined;
  if (found) return { ...found, adopted: false, ended: child.ended, shutDown: child.letGo };
  child.letGo();
  return { reason: [await child.ended, ...lastSaid].join('; ') };
}

/** How much a line of the server's log matters to us. Its FATAL ends a session, not the server. */
function levelOf(line: string): 'debug' | 'warn' | 'error' {
  if (line.startsWith('PANIC:')) return 'error';
  // Two writes met, and one of them is repeated: that happens every day (docs/adr/0011).
  if (line.startsWith('ERROR:  could not serialize access')) return 'debug';
  return /^(WARNING|ERROR|FATAL):/.test(line) ? 'warn' : 'debug';
}

/** Shuts a server down fast and, when that takes too long, at once. */
export async function end(running: Running, log: EmbeddedLog): Promise<void> {
  running.shutDown();
  if (await endsWithin(running, SHUTDOWN_MS)) return;
  log.warn('PostgreSQL does not shut down fast: it is cut off, and will recover at the next start');
  signalTo(running, 'SIGQUIT');
  if (await endsWithin(running, SHUTDOWN_MS / 3)) return;
  log.error(`PostgreSQL (process ${running.pid}) does not end`);
}

async function endsWithin(running: Running, limit: number): Promise<boolean> {
  const late = new AbortController();
  try {
    const ended = running.ended.then(() => true);
    return await Promise.race([ended, sleep(limit, false, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}

async function endByForce(orphan: Postmaster): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    signalTo(orphan, signal);
    if (await hasEnded(orphan, SHUTDOWN_MS)) return;
  }
  throw new StartError(
    `A PostgreSQL of an earlier run (process ${orphan.pid}) does not end: end it with kill -QUIT ${orphan.pid}, then start again.`,
  );
}

function signalTo(postmaster: Postmaster, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    if (isAlive(postmaster)) process.kill(postmaster.pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

/** Ends a server that runs on half-made files, if there is one. */
export async function endOrphan(home: Home): Promise<void> {
  const orphan = findPostmaster(home.data);
  if (orphan) await endByForce(orphan);
}
