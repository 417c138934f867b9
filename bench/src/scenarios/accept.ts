import { median } from '../figures.ts';
import { openLoad, pour } from '../load.ts';
import { type Bench, CONNECTIONS, inTurns, type Measure, ratioMeasure, withCpu } from '../measure.ts';
import { messageBody, newKey, sendOne } from '../requests.ts';

/**
 * (1) Single accepts, each durable before its answer. The messages are scheduled for later, on both sides: nothing leaves,
 * so that the step is measured alone.
 */
export async function accept(bench: Bench): Promise<Measure[]> {
  const n = bench.quick ? 4000 : 20_000;
  const runs = await inTurns(bench, 'accepts a second', (side) =>
    withCpu(side, n, async () => n / (await pour(n, CONNECTIONS, (i) => sendOne(side, i, { later: true })))),
  );
  const measure = ratioMeasure('single accepts', 'messages/s', 0.7, runs);
  const bare = await bareRoute(bench, n);
  measure.notes = [`a bare Fastify route takes ${Math.round(bare)}/s: ratio ${(measure.product / bare).toFixed(2)}`];
  return [measure];
}

/** The same requests to a route that only checks their shape. */
async function bareRoute(bench: Bench, n: number): Promise<number> {
  await using load = openLoad(bench.bare, CONNECTIONS);
  const rates: number[] = [];
  for (let run = 0; run <= bench.runs; run++) {
    const seconds = await pour(n, CONNECTIONS, async (i) => {
      const body = JSON.stringify(messageBody(bench.floor, i, { later: true }));
      const status = await load.post('/api/v1/messages', body, newKey());
      if (status !== 202) throw new Error(`the bare route answered ${status}`);
    });
    if (run > 0) rates.push(n / seconds);
  }
  return median(rates);
}
