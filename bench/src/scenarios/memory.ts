import { median, slope } from '../figures.ts';
import type { Bench, Measure } from '../measure.ts';
import { pssMb } from '../procfs.ts';
import type { Side } from '../side.ts';
import { fill } from './fill.ts';

const MOST_MB = 300;
const MOST_SLOPE_MB = 1;
/** Memory is judged after the fifth block; the slope over all but the first, for over a few blocks it is noise. */
const JUDGED = 5;
const BLOCKS = 10;

/**
 * (6) Memory of the server and its database while messages live, as proportional set size. A figure is the median over a
 * block of messages; the slope leaves out the first block, in which caches fill.
 */
export async function memory({ quick, log }: Pick<Bench, 'quick' | 'log'>, side: Side): Promise<Measure[]> {
  const block = quick ? 10_000 : 100_000;
  const points: [messages: number, mb: number][] = [];
  let judged = { mb: Number.NaN, parts: '' };
  for (let stored = block; stored <= BLOCKS * block; stored += block) {
    const servers: number[] = [];
    const databases: number[] = [];
    await fill(side, block, () => {
      const { server, postgres } = side.processes();
      servers.push(pssMb(server));
      databases.push(pssMb(postgres));
    });
    const sums = servers.map((mb, i) => mb + (databases[i] ?? Number.NaN));
    points.push([stored, median(sums)]);
    const parts = `server ${median(servers).toFixed(0)} MB, database ${median(databases).toFixed(0)} MB`;
    if (stored === JUDGED * block) judged = { mb: median(sums), parts };
    log(`after ${stored} messages: ${median(sums).toFixed(0)} MB (${parts})`);
  }
  const runs = { product: points.map(([, value]) => ({ value })), floor: [] };
  const grows = slope(points.slice(1)) * 100_000;
  const common = { floor: null, ratio: null, runs };
  return [
    {
      ...common,
      name: `memory after ${JUDGED * block} messages, server and database`,
      unit: 'MB PSS',
      product: judged.mb,
      gate: `under ${MOST_MB} MB`,
      pass: judged.mb < MOST_MB,
      notes: [judged.parts],
    },
    {
      ...common,
      name: 'memory growth per 100,000 messages',
      unit: 'MB',
      product: grows,
      // Over a tenth of the messages the slope is noise: it is told, and not judged.
      gate: quick ? null : `under ${MOST_SLOPE_MB} MB`,
      pass: quick || grows < MOST_SLOPE_MB,
    },
  ];
}
