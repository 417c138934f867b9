import { setTimeout as sleep } from 'node:timers/promises';
import { acceptBacklog, setSending } from '../backlog.ts';
import { median } from '../figures.ts';
import type { Measure, Run } from '../measure.ts';
import { quiet } from '../procfs.ts';
import { PROVIDER_MS, type Provider } from '../provider.ts';
import type { Side } from '../side.ts';
import type { Stock } from '../stock.ts';
import { until } from '../wait.ts';

const LEAST = 0.9;
/** Milliseconds. PostgreSQL vacuums what was filled in, for minutes at ten million. */
const REST = 1_200_000;

/** How far the store grows, and how many messages wait in it. */
export interface Growth {
  stored: readonly number[];
  waiting: number;
  /** Messages of a run. */
  sends: number;
}

export type GrowthForm = 'quick' | 'usual' | 'long';

export const GROWTHS: Readonly<Record<GrowthForm, Growth>> = {
  quick: { stored: [10_000, 20_000], waiting: 10_000, sends: 3000 },
  usual: { stored: [250_000, 500_000], waiting: 100_000, sends: 15_000 },
  long: { stored: [1_000_000, 2_500_000, 5_000_000, 7_500_000, 10_000_000], waiting: 1_000_000, sends: 30_000 },
};

/** A product, and the provider that counts its sends. */
export interface Counted {
  side: Side;
  provider: Provider;
}

/** What was measured at a size of the store: messages a second on it, and on an empty one in turns with it. */
export interface GrowthPoint {
  stored: number;
  full: Run[];
  empty: Run[];
  ratio: number;
}

export interface GrowthOptions {
  growth: Growth;
  runs: number;
  log(text: string): void;
}

/**
 * (6) Claiming and settling while the store grows, with a backlog that is due: what waits is sent as fast as can be, on the store that
 * grows and, in turns, on one that was empty a moment ago.
 * @param startEmpty starts one; it is ended after each size
 */
export async function claiming(
  { growth, runs, log }: GrowthOptions,
  full: Counted,
  stock: Stock,
  startEmpty: () => Promise<Counted & AsyncDisposable>,
): Promise<{ measures: Measure[]; points: GrowthPoint[] }> {
  const points: GrowthPoint[] = [];
  await setSending(full.side, false);
  for (const stored of growth.stored) {
    await stock.storeUpTo(stored);
    await stock.waitUpTo(growth.waiting);
    await using empty = await startEmpty();
    await setSending(empty.side, false);
    const point: GrowthPoint = { stored, full: [], empty: [], ratio: Number.NaN };
    for (let run = 0; run <= runs; run++) {
      const sides = ['full', 'empty'] as const;
      for (const which of run % 2 === 0 ? sides : sides.toReversed()) {
        const counted = which === 'full' ? full : empty;
        await acceptBacklog(counted.side, Math.ceil(growth.sends * 1.2));
        await quiet(
          () => [full, empty].flatMap(({ side }) => [...side.processes().server, ...side.processes().postgres]),
          REST,
        );
        const value = await sendSome(counted, growth.sends);
        const warmUp = run === 0 ? ' (warm-up)' : '';
        log(`sending with ${stored} stored, ${which} store${warmUp}: ${Math.round(value)}`);
        if (run > 0) point[which].push({ value });
      }
    }
    point.ratio = median(point.full.map(({ value }, i) => value / (point.empty[i]?.value ?? Number.NaN)));
    log(
      `${stored} stored, ${((await stock.size()) / 1e9).toFixed(2)} GB: ${point.ratio.toFixed(2)} of the empty store's`,
    );
    points.push(point);
  }
  return { measures: points.map((point, i) => measureOf(point, growth, i === points.length - 1)), points };
}

/** Lets what waits leave until `n` more have left. Gives messages a second, of all but the first tenth. */
async function sendSome({ side, provider }: Counted, n: number): Promise<number> {
  const before = await provider.sends();
  const [from, to] = [before + Math.ceil(n / 10), before + n];
  const counted = provider.secondsBetween(from, to);
  await setSending(side, true);
  const seconds = await counted;
  await setSending(side, false);
  let last = -1;
  await until('its calls to end', async () => {
    const sends = await provider.sends();
    if (sends === last) return true;
    last = sends;
    await sleep(200);
    return null;
  });
  return (to - from) / seconds;
}

function measureOf({ stored, full, empty, ratio }: GrowthPoint, { waiting }: Growth, judged: boolean): Measure {
  return {
    name: `full store against empty: sending (answers after ${PROVIDER_MS} ms), ${stored} stored, ${waiting} waiting`,
    unit: 'messages/s',
    product: median(full.map(({ value }) => value)),
    floor: median(empty.map(({ value }) => value)),
    ratio,
    gate: judged ? `at least ${LEAST} of the empty store's` : null,
    pass: !judged || ratio >= LEAST,
    runs: { product: full, floor: empty },
  };
}
