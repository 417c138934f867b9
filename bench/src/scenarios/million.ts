import pg from 'pg';
import { acceptBacklog } from '../backlog.ts';
import { median, slope } from '../figures.ts';
import type { Measure } from '../measure.ts';
import { cpuMs, pssMb } from '../procfs.ts';
import type { Side } from '../side.ts';
import { until } from '../wait.ts';

const MOST_SLOPE_MB = 1;
const SAMPLE_EVERY_MS = 2000;
/** Memory is looked at from here on: before, caches fill. */
const WARM = 0.1;

/** What there was at a moment. Seconds since the beginning, and megabytes (PSS). */
export interface Sample {
  seconds: number;
  read: number;
  server: number;
  database: number;
}

/**
 * A million messages from the first request until the last is read: posted in batches as fast as they are taken, while those before them
 * are sent and receipts come in, twenty a webhook.
 */
export async function million(
  { quick, log }: { quick: boolean; log(text: string): void },
  side: Side,
  databaseUrl: string,
): Promise<{ measures: Measure[]; samples: Sample[] }> {
  const n = quick ? 20_000 : 1_000_000;
  await side.simulator.change({ together: 20 });
  const sizeBefore = await sizesOf(databaseUrl);
  const cpuBefore = { server: cpuMs(side.processes().server), database: cpuMs(side.processes().postgres) };
  const before = (await side.progress()).read;
  const samples: Sample[] = [];
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  let acceptedAfter = Number.NaN;
  const accepting = acceptBacklog(side, n).then(() => {
    acceptedAfter = seconds();
    log(`all accepted after ${acceptedAfter.toFixed(0)} s`);
  });
  const reading = until(
    'every message to be read',
    async () => {
      const read = (await side.progress()).read - before;
      const { server, postgres } = side.processes();
      samples.push({ seconds: seconds(), read, server: pssMb(server), database: pssMb(postgres) });
      if (samples.length % 15 === 0) log(tell(samples.at(-1) as Sample));
      return read >= n || null;
    },
    { everyMs: quick ? SAMPLE_EVERY_MS / 10 : SAMPLE_EVERY_MS, deadlineMs: 3_600_000 },
  );
  await Promise.all([accepting, reading]);
  const took = seconds();
  const cpu = {
    server: (cpuMs(side.processes().server) - cpuBefore.server) / n,
    database: (cpuMs(side.processes().postgres) - cpuBefore.database) / n,
  };
  log(tell(samples.at(-1) as Sample));
  const bytes = bytesEach(sizeBefore, await sizesOf(databaseUrl), n);
  const warm = samples.filter(({ read }) => read >= n * WARM);
  const sums = warm.map(({ server, database }) => server + database);
  const grows = slope(warm.map(({ read, server, database }) => [read, server + database])) * 100_000;
  const common = { floor: null, ratio: null, gate: null, pass: true };
  const one = (value: number) => ({ product: value, runs: { product: [{ value }], floor: [] } });
  const measures: Measure[] = [
    {
      ...common,
      ...one(took),
      name: `${n} messages until the last is read`,
      unit: 's',
      notes: [
        `${Math.round(n / took)} lives a second; all accepted after ${acceptedAfter.toFixed(0)} s`,
        `CPU, ms each: server ${cpu.server.toFixed(3)}, database ${cpu.database.toFixed(3)}`,
      ],
    },
    {
      ...common,
      ...one(median(sums)),
      name: 'memory meanwhile, server and database',
      unit: 'MB PSS',
      notes: [
        `the most ${Math.max(...sums).toFixed(0)} MB; server ${median(warm.map(({ server }) => server)).toFixed(0)} MB, ` +
          `database ${median(warm.map(({ database }) => database)).toFixed(0)} MB`,
      ],
    },
    {
      ...common,
      ...one(grows),
      name: 'growth of memory per 100,000 messages',
      unit: 'MB',
      gate: quick ? null : `under ${MOST_SLOPE_MB} MB`,
      pass: quick || grows < MOST_SLOPE_MB,
    },
    {
      ...common,
      ...one(bytes.all),
      name: 'disk, tables and indexes',
      unit: 'bytes a message',
      notes: [bytes.parts],
    },
  ];
  return { measures, samples };
}

function tell({ seconds, read, server, database }: Sample): string {
  return `${seconds.toFixed(0)} s: ${read} read, server ${server.toFixed(0)} MB, database ${database.toFixed(0)} MB`;
}

/** Bytes on disk by table, with indexes. */
async function sizesOf(databaseUrl: string): Promise<Map<string, number>> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      `select relname as name, pg_total_relation_size(oid) as bytes from pg_class
       where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    );
    return new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]));
  } finally {
    await client.end();
  }
}

function bytesEach(before: Map<string, number>, after: Map<string, number>, n: number): { all: number; parts: string } {
  const each = [...after].map(([name, bytes]) => [name, (bytes - (before.get(name) ?? 0)) / n] as const);
  const parts = each
    .filter(([, bytes]) => bytes >= 10)
    .sort(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${Math.round(bytes)}`);
  return { all: each.reduce((sum, [, bytes]) => sum + bytes, 0), parts: parts.join(', ') };
}
