import { median } from '../figures.ts';
import { type Measure, type Run, withCpu } from '../measure.ts';
import type { Contestant } from '../peers.ts';
import { quiet } from '../procfs.ts';
import { PROVIDER_MS } from '../provider.ts';

const LEAST_OF_UNDICI = 0.6;
const LEAST_OF_PEER = 1;

/**
 * Take, POST, done: messages that wait are sent as fast as can be, by Aldis with all its limits and its history, by undici alone, and by
 * the fastest peer.
 */
export async function peers(
  { runs, quick, log }: { runs: number; quick: boolean; log(text: string): void },
  aldis: Contestant,
  undici: Contestant,
  peer: Contestant,
): Promise<Measure[]> {
  const n = quick ? 5000 : 50_000;
  const all = [aldis, undici, peer];
  const found = new Map<Contestant, Run[]>(all.map((one) => [one, []]));
  for (let run = 0; run <= runs; run++) {
    // Another one is the first each time.
    for (const one of [...all.slice(run % 3), ...all.slice(0, run % 3)]) {
      await one.fill(n);
      await quiet(() => all.flatMap((each) => [...each.processes().server, ...each.processes().postgres]));
      const result = await withCpu(one, n, async () => n / (await one.run(n)));
      log(`${one.name}${run === 0 ? ' (warm-up)' : ''}: ${Math.round(result.value)}`);
      if (run > 0) found.get(one)?.push(result);
    }
  }
  const against = (other: Contestant, least: number): Measure => {
    const runsOf = { product: found.get(aldis) ?? [], floor: found.get(other) ?? [] };
    const ratio = median(runsOf.product.map(({ value }, i) => value / (runsOf.floor[i]?.value ?? Number.NaN)));
    return {
      name: `take, POST, done (answers after ${PROVIDER_MS} ms) against ${other.name}`,
      unit: 'messages/s',
      product: median(runsOf.product.map(({ value }) => value)),
      floor: median(runsOf.floor.map(({ value }) => value)),
      ratio,
      gate: `at least ${least} of it`,
      pass: ratio >= least,
      runs: runsOf,
    };
  };
  return [against(undici, LEAST_OF_UNDICI), against(peer, LEAST_OF_PEER)];
}
