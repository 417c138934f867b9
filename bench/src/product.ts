import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, launch } from './child.ts';
import { type LoadClient, openLoad } from './load.ts';
import { tree } from './procfs.ts';
import type { Processes, Progress, Side } from './side.ts';
import type { Simulator } from './simulator.ts';
import type { Store } from './store.ts';

/** What `credentials.json` tells those who drive Aldis. The lists are there when demo senders were asked for. */
export interface Credentials {
  url: string;
  api_key: string;
  operator_key: string;
  tenant_id: string;
  sender_id: string;
  simulator_url: string;
  whatsapp_app_secret: string;
  whatsapp_verify_token: string;
  phone_number_id: string;
  sender_ids?: string[];
  phone_number_ids?: string[];
}

/** Aldis as a user starts it: one command, its own embedded database. */
export interface Aldis extends AsyncDisposable {
  readonly child: Child;
  readonly credentials: Credentials;
}

export interface AldisOptions {
  /** The data folder. */
  folder: string;
  /** A simulator that lives on when Aldis dies. */
  simulatorUrl: string;
  /** More settings. */
  env?: Record<string, string>;
}

/** Starts Aldis on a folder, and does not wait. */
export function launchAldis({ folder, simulatorUrl, env }: AldisOptions): Child {
  return launch('scripts/run.mjs', ['start'], {
    env: { ALDIS_DATA_DIR: folder, ALDIS_SERVER_PORT: '0', ALDIS_SIMULATOR_URL: simulatorUrl, ...env },
    ready: /^aldis ready (http:\/\/\S+)$/m,
  });
}

/** What it has written into its folder once it is ready. */
export function readCredentials(folder: string): Credentials {
  return JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as Credentials;
}

/** Starts Aldis on a folder and waits until it is ready. @throws {Error} with the end of its log */
export async function startAldis(options: AldisOptions): Promise<Aldis> {
  const child = launchAldis(options);
  try {
    await child.ready;
    return { child, credentials: readCredentials(options.folder), [Symbol.asyncDispose]: child[Symbol.asyncDispose] };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

export const SENDERS = 20;

export interface ProductOptions {
  /** Each in a portfolio of its own. */
  senders?: number;
  /** A database that the benchmark looks into as well. Without one, the embedded one. */
  store?: Store;
}

/** The product as a side to measure: with its limits on, and 20 senders in 20 portfolios unless told otherwise. */
export async function startProduct(
  folder: string,
  simulator: Simulator,
  connections: number,
  { senders: wanted = SENDERS, store }: ProductOptions = {},
): Promise<Side> {
  const { child, credentials } = await startAldis({
    folder,
    simulatorUrl: simulator.url,
    env: { ALDIS_DEMO_SENDERS: String(wanted), ...(store && { ALDIS_DATABASE_URL: store.url }) },
  });
  const { sender_ids: senders, phone_number_ids: numbers } = credentials;
  if (senders?.length !== wanted || numbers?.length !== wanted) {
    throw new Error(`credentials.json names ${senders?.length ?? 0} senders, ${wanted} expected`);
  }
  const load = openLoad(credentials.url, connections, { authorization: `Bearer ${credentials.api_key}` });
  const operator = openLoad(credentials.url, 1, { authorization: `Bearer ${credentials.operator_key}` });
  return {
    name: 'product',
    url: credentials.url,
    senders,
    numbers,
    secret: credentials.whatsapp_app_secret,
    simulator,
    load,
    progress: () => readProgress(operator),
    processes: () => processesOf(child.pid, simulator, store),
    async [Symbol.asyncDispose]() {
      await Promise.all([load[Symbol.asyncDispose](), operator[Symbol.asyncDispose]()]);
      await child.stop();
    },
  };
}

function processesOf(pid: number, simulator: Simulator, store: Store | undefined): Processes {
  const [server = pid, ...postgres] = tree(pid);
  return { server: [server], postgres: store ? tree(store.pid) : postgres, provider: [simulator.pid] };
}

async function readProgress(operator: LoadClient): Promise<Progress> {
  const { status, body } = await operator.ask('/metrics');
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  const text = String(body);
  const receipts = readCount(text, 'aldis_receipts_applied_total');
  return {
    sent: readCount(text, 'aldis_accept_to_sent_seconds_count'),
    read: readCount(text, 'aldis_receipts_applied_total', 'status="read"'),
    receipts,
  };
}

/** The sum of a metric's series that carry `label`. 0 while it has none. */
export function readCount(metrics: string, name: string, label = ''): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] === name && (match[2] ?? '').includes(label)) sum += Number(match[3]);
  }
  return sum;
}
