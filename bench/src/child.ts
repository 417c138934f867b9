import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The project's folder: what a user has cloned. */
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A program we started. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** What its ready line's first group says. Rejects, with the end of its standard error, when it ends or is late. */
  readonly ready: Promise<string>;
  /** Its exit code or signal. */
  readonly exited: Promise<string>;
  /** The end of its standard error. */
  errors(): string;
  /** SIGTERM, and SIGKILL if it has not ended after 15 s; gives how it ended. */
  stop(): Promise<string>;
  /** `kill -9`. */
  kill(): Promise<string>;
}

export interface ChildOptions {
  /** Beside PATH and HOME; nothing else of our own environment is passed on. */
  env?: Record<string, string>;
  /** A line on standard output that says it is ready. */
  ready: RegExp;
  deadlineMs?: number;
}

/** Characters of output that are kept. */
const KEPT = 32_768;
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/**
 * Starts a TypeScript program with our own Node.
 * @param script from the project's folder
 */
export function launch(script: string, args: readonly string[], options: ChildOptions): Child {
  const { env = {}, ready, deadlineMs = 60_000 } = options;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: PROJECT,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT);
  });
  let ended = false;
  const exited = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => {
    ended = true;
    running.delete(child);
    return String(code ?? signal);
  });
  const end = async (signal: NodeJS.Signals): Promise<string> => {
    if (ended) return exited;
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    return exited.finally(() => clearTimeout(late));
  };
  const said = new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${script} ${why}\n${errors}`));
    const late = setTimeout(() => fail(`not ready after ${deadlineMs} ms`), deadlineMs);
    // `close` and not `exit`: by then its last words have been read.
    child.once('close', () => {
      clearTimeout(late);
      fail('ended before it was ready');
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-KEPT);
      const match = ready.exec(text);
      if (!match) return;
      clearTimeout(late);
      resolve(match[1] ?? match[0]);
    });
  });
  // Who kills it before it is ready need not ask whether it was.
  said.catch(() => {});
  return {
    pid: child.pid ?? 0,
    ready: said,
    exited,
    errors: () => errors,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
    },
  };
}

/** Starts a program and waits until it is ready. @throws {Error} with the end of its standard error, when it ends or is late */
export async function start(
  script: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child & { url: string }> {
  const child = launch(script, args, options);
  try {
    return { ...child, url: await child.ready };
  } catch (error) {
    await child.kill();
    throw error;
  }
}
