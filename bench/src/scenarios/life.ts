import { pour } from '../load.ts';
import { type Bench, CONNECTIONS, inTurns, type Measure, ratioMeasure, withCpu } from '../measure.ts';
import { sendOne } from '../requests.ts';
import type { Side } from '../side.ts';
import { untilDone } from '../wait.ts';

/** (4) The full life: from the first request until the last message is read, with one and with twenty statuses a webhook. */
export async function life(bench: Bench): Promise<Measure[]> {
  const n = bench.quick ? 4000 : 50_000;
  const measures: Measure[] = [];
  for (const together of [1, 20]) {
    const name = `full life, ${together === 1 ? 'one status' : `${together} statuses`} a webhook`;
    const runs = await inTurns(bench, name, (side) =>
      withCpu(side, n, async () => n / (await lives(side, n, together))),
    );
    measures.push(ratioMeasure(name, 'lives/s', 0.7, runs));
  }
  return measures;
}

/** Lets `n` messages live; gives the seconds it took. */
export async function lives(side: Side, n: number, together: number): Promise<number> {
  await side.simulator.change({ together });
  const before = await side.progress();
  const began = performance.now();
  await pour(n, CONNECTIONS, (i) => sendOne(side, i));
  await untilDone('every message to be read', n, async () => (await side.progress()).read - before.read, {
    deadlineMs: 300_000,
  });
  return (performance.now() - began) / 1000;
}
