import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** What `npm` has set: a process starts in half the time when its code is compiled already. */
const { NODE_COMPILE_CACHE } = process.env;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command line as a process of its own, as scripts run it. `stop` sends it a signal. */
export function runAldis(
  args: readonly string[],
  env: Record<string, string> = {},
): { ended: Promise<Ended>; stop: (signal: NodeJS.Signals) => void } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE, ALDIS_DATA_DIR: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return { ended, stop: (signal) => child.kill(signal) };
}
