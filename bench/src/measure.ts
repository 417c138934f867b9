import { median } from './figures.ts';
import { cpuMs } from './procfs.ts';
import type { Processes, Side } from './side.ts';

/** What one run gave. */
export interface Run {
  value: number;
  /** CPU milliseconds a message, by where they were spent. */
  cpu?: Record<keyof Processes | 'load', number>;
}

/** A line of the report. */
export interface Measure {
  name: string;
  unit: string;
  product: number;
  floor: number | null;
  /** Product over floor: the median over pairs of runs, for what runs together shares the machine's moods. */
  ratio: number | null;
  /** What was asked, in words; null when it is reported only. */
  gate: string | null;
  pass: boolean;
  runs: { product: Run[]; floor: Run[] };
  /** Beside figures, in words. */
  notes?: string[];
}

/** What a scenario works with. */
export interface Bench {
  product: Side;
  floor: Side;
  /** Address of the bare Fastify route. */
  bare: string;
  runs: number;
  /** A tenth of the messages: a smoke test of the benchmark itself, no figures to quote. */
  quick: boolean;
  log(text: string): void;
}

/** Requests at a time: what the load generator keeps open. */
export const CONNECTIONS = 256;

/** Runs product and floor in turns, the first of a pair changing. A first pair warms both up and is not counted. */
export async function inTurns(
  bench: Bench,
  what: string,
  one: (side: Side, run: number) => Promise<Run>,
): Promise<{ product: Run[]; floor: Run[] }> {
  const runs: { product: Run[]; floor: Run[] } = { product: [], floor: [] };
  for (let run = 0; run <= bench.runs; run++) {
    const sides = run % 2 === 0 ? [bench.floor, bench.product] : [bench.product, bench.floor];
    for (const side of sides) {
      const result = await one(side, run);
      bench.log(`${what}, ${side.name}${run === 0 ? ' (warm-up)' : ''}: ${Math.round(result.value)}`);
      if (run > 0) runs[side.name].push(result);
    }
  }
  return runs;
}

/** A measure with a gate on its ratio. */
export function ratioMeasure(
  name: string,
  unit: string,
  least: number,
  runs: { product: Run[]; floor: Run[] },
): Measure {
  const ratio = median(runs.product.map((run, i) => run.value / (runs.floor[i]?.value ?? Number.NaN)));
  return {
    name,
    unit,
    product: median(runs.product.map((run) => run.value)),
    floor: median(runs.floor.map((run) => run.value)),
    ratio,
    gate: `at least ${least} of the floor`,
    pass: ratio >= least,
    runs,
  };
}

/** Does some work of `n` messages and tells the CPU time of each process a message. */
export async function withCpu(side: Pick<Side, 'processes'>, n: number, work: () => Promise<number>): Promise<Run> {
  const before = spent(side);
  const value = await work();
  const after = spent(side);
  const cpu = Object.fromEntries(
    Object.entries(after).map(([name, ms]) => [name, (ms - before[name as keyof typeof before]) / n]),
  ) as Record<keyof Processes | 'load', number>;
  return { value, cpu };
}

function spent(side: Pick<Side, 'processes'>): Record<keyof Processes | 'load', number> {
  const { server, postgres, provider } = side.processes();
  return { server: cpuMs(server), postgres: cpuMs(postgres), provider: cpuMs(provider), load: cpuMs([process.pid]) };
}

/** A measure without a floor, and, until somebody says otherwise, without a gate. */
export function plainMeasure(name: string, unit: string, value: number): Measure {
  return {
    ...{ name, unit, product: value, floor: null, ratio: null, gate: null, pass: true },
    runs: { product: [{ value }], floor: [] },
  };
}
