import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { askJson } from '../net/json-client.ts';
import { StartError } from '../runtime/start-error.ts';

/**
 * The simulated WhatsApp, where there is no real one: a program of its own that this server starts, or one that runs
 * already. Known only by its address.
 */
export interface Simulator {
  url: string;
  /** Makes sure that it has so many numbers, and gives them; the first is its default one. */
  numbers(count: number): Promise<SimulatedNumber[]>;
  /** Tells it where webhooks go. It asks there at once whether that is right. */
  register(address: { url: string; app_secret: string; verify_token: string }): Promise<void>;
  /** Ends it, if this server started it. */
  stop(): Promise<void>;
}

export interface SimulatedNumber {
  phone_number_id: string;
  display_phone_number: string;
  waba_id: string;
  portfolio_id: string;
  throughput: number;
}

const PROGRAM = fileURLToPath(new URL('../../../simulator/src/main.ts', import.meta.url));
const PATIENCE = 15_000;

/**
 * Starts a simulator as a child process that ends when our end of its pipe closes, however we end.
 * @throws {StartError} when it cannot start: its port is in use, for instance.
 */
export async function startSimulator(port: number, env: NodeJS.ProcessEnv): Promise<Simulator> {
  const child = spawn(process.execPath, [PROGRAM, '--port', String(port), '--exit-with-parent'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    // Ctrl-C in a terminal reaches the whole group: the server ends first, and then its simulator.
    detached: true,
  });
  const url = await readyLine(child, port);
  return { ...atAddress(url), stop: () => end(child) };
}

/** A simulator that runs already. */
export function atAddress(url: string): Simulator {
  return {
    url,
    async numbers(count) {
      let { numbers } = await ask<{ numbers: SimulatedNumber[] }>(url, '/_simulator/numbers');
      const [first] = numbers;
      if (!first) throw new StartError(`the simulator at ${url} has no number`);
      for (let i = numbers.length; i < count; i++) {
        await ask(url, '/_simulator/numbers', {
          phone_number_id: String(BigInt(first.phone_number_id) + BigInt(i)),
          waba_id: String(BigInt(first.waba_id) + BigInt(i)),
          portfolio_id: String(BigInt(first.portfolio_id) + BigInt(i)),
        });
      }
      ({ numbers } = await ask<{ numbers: SimulatedNumber[] }>(url, '/_simulator/numbers'));
      return numbers.slice(0, count);
    },
    async register(address) {
      await ask(url, '/_simulator/webhooks', address);
    },
    stop: () => Promise.resolve(),
  };
}

function readyLine(child: ChildProcess, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let trouble = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      trouble = (trouble + chunk.toString()).slice(-2000);
    });
    const timer = setTimeout(() => reject(new StartError('the simulator did not get ready in 15 seconds')), PATIENCE);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      const last = trouble.trim().split('\n').at(-1) ?? '';
      // Its advice is for whoever starts it alone: its --port is no flag of ours.
      const taken = /\bport \d+ on \S+ is in use/.exec(last)?.[0];
      const why = taken
        ? `: ${taken}; stop what uses it, or set ALDIS_SIMULATOR_PORT`
        : ` on port ${port}: ${last} (ALDIS_SIMULATOR_PORT names another)`;
      reject(new StartError(`the simulator could not start${why}`));
    });
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /^simulator ready (http:\/\/\S+)$/.exec(line)?.[1];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}

/** Asks the simulator. With a body it is a POST. */
async function ask<Answer>(url: string, path: string, body?: object): Promise<Answer> {
  const answer = await askJson(new URL(path, url), PATIENCE, body).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `no simulator answers at ${url} (${why}): start one with npm run simulator, or unset ALDIS_SIMULATOR_URL`,
      { cause: error },
    );
  });
  if (answer.status !== 200) {
    throw new StartError(`the simulator at ${url} refused ${path}: ${answer.text.slice(0, 300)}`);
  }
  // The simulator is ours: it answers these routes in this shape.
  return JSON.parse(answer.text) as Answer;
}
