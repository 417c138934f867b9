import { median } from '../figures.ts';
import { pour } from '../load.ts';
import type { Bench, Measure, Run } from '../measure.ts';
import { messageBody, newKey } from '../requests.ts';

const LEAST = 15_000;

/** (2) Batch accepts: with a key, 10,000 items a request, stored in chunks; and without, 1,000 items in one transaction. */
export async function batch(bench: Bench): Promise<Measure[]> {
  return [
    await one(bench, 'batch accepts, 10,000 items with a key', 10_000, true),
    await one(bench, 'batch accepts, 1,000 items without', 1000, false),
  ];
}

async function one(bench: Bench, name: string, items: number, keyed: boolean): Promise<Measure> {
  const { product: side } = bench;
  const requests = Math.max(2, (bench.quick ? 20_000 : 60_000) / items);
  const runs: Run[] = [];
  for (let run = 0; run <= bench.runs; run++) {
    const bodies = Array.from({ length: requests }, () =>
      JSON.stringify({ messages: Array.from({ length: items }, (_, i) => messageBody(side, i, { later: true })) }),
    );
    const seconds = await pour(requests, 2, async (i) => {
      const body = bodies[i] ?? '';
      const status = await side.load.post('/api/v1/messages/batch', body, keyed ? newKey() : {});
      if (status !== 202) throw new Error(`a batch was answered ${status}`);
    });
    const value = (requests * items) / seconds;
    bench.log(`${name}${run === 0 ? ' (warm-up)' : ''}: ${Math.round(value)}`);
    if (run > 0) runs.push({ value });
  }
  const product = median(runs.map((run) => run.value));
  return {
    name,
    unit: 'messages/s',
    product,
    floor: null,
    ratio: null,
    gate: `at least ${LEAST}`,
    pass: product >= LEAST,
    runs: { product: runs, floor: [] },
  };
}
