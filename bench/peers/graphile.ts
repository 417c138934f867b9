import { parseArgs } from 'node:util';
import { until } from '../src/wait.ts';
import { AT_ONCE, openCalls, type Text, textOf } from './calls.ts';
import { drive } from './drive.ts';

/**
 * graphile-worker as a sender: a job a text, done when the provider has answered. README.md says how it is tuned.
 * usage: graphile.ts --database URL --provider URL [--queue N] [--complete MS]. Its package is installed by install.ts, beside this file.
 */
const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    provider: { type: 'string' },
    queue: { type: 'string', default: '5000' },
    complete: { type: 'string', default: '50' },
  },
});
const { database, provider, queue, complete } = values;
if (!database || !provider) throw new Error('usage: graphile.ts --database URL --provider URL');

/** As much of the package as is used here: it is not among the project's own. */
interface GraphileWorker {
  run(options: object): Promise<{ stop(): Promise<void> }>;
  makeWorkerUtils(options: object): Promise<Tools>;
  Logger: new (factory: () => () => void) => unknown;
}

interface Tools {
  migrate(): Promise<void>;
  addJobs(jobs: { identifier: string; payload: Text }[]): Promise<unknown>;
  withPgClient<Result>(use: (client: Client) => Promise<Result>): Promise<Result>;
}

interface Client {
  query(statement: string): Promise<{ rows: { n: number }[] }>;
}

/** Not by its name in the import: the project is checked without it. */
const PACKAGE: string = 'graphile-worker';
const { run, makeWorkerUtils, Logger } = (await import(PACKAGE)) as GraphileWorker;

/** Jobs added by one statement. */
const TOGETHER = 10_000;
const preset = {
  worker: {
    connectionString: database,
    concurrentJobs: AT_ONCE,
    maxPoolSize: 10,
    localQueue: { size: Number(queue), ttl: 300_000 },
    completeJobBatchDelay: Number(complete),
    failJobBatchDelay: Number(complete),
    preparedStatements: true,
    logger: new Logger(() => () => {}),
  },
};

const send = openCalls(provider);
const tools = await makeWorkerUtils({ preset });
await tools.migrate();
let performed = 0;
let stopped: Promise<void> = Promise.resolve();

async function left(): Promise<number> {
  const ask = 'select count(*)::int as n from graphile_worker._private_jobs';
  const { rows } = await tools.withPgClient((client) => client.query(ask));
  return rows[0]?.n ?? 0;
}

await drive('graphile', {
  async fill(n) {
    await stopped;
    for (let from = 0; from < n; from += TOGETHER) {
      const payloads = Array.from({ length: Math.min(TOGETHER, n - from) }, (_, i) => textOf(from + i));
      await tools.addJobs(payloads.map((payload) => ({ identifier: 'send', payload })));
    }
    // What earlier runs left dead is not to be walked over, and the planner is to know the table.
    await tools.withPgClient((client) => client.query('vacuum (analyze) graphile_worker._private_jobs'));
  },
  async run(n) {
    performed = 0;
    const runner = await run({
      preset,
      parsedCronItems: [],
      taskList: {
        async send(payload: Text) {
          await send(payload);
          performed++;
        },
      },
    });
    await until('every job to be performed', () => performed >= n || null, { everyMs: 5, deadlineMs: 600_000 });
    await until('every job to be done', async () => (await left()) === 0 || null, { everyMs: 10 });
    stopped = runner.stop();
  },
});
