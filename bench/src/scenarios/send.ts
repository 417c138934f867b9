import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../figures.ts';
import type { Bench, Measure } from '../measure.ts';
import { quiet } from '../procfs.ts';
import { newCustomer } from '../requests.ts';
import type { Side } from '../side.ts';

/** What sender-service says of itself, on two cores. */
const RATE = 800;
/** What comes a second: a little more, for the last answer comes a while after the last request. */
const OFFERED = 820;
const MOST_P95_MS = 300;
/** How long the provider takes for an answer. */
const PROVIDER_MS = 200;

interface Sends {
  latencies: number[];
  errors: number;
  /** Answers a second, from the first request to the last answer. */
  rate: number;
}

/**
 * The synchronous send, as sender-service documents it: requests come at their own pace, whether those before them were
 * answered or not, so that a slow answer cannot make room for itself.
 */
export async function send({ product: side, quick, runs, log }: Bench): Promise<Measure[]> {
  await side.simulator.change({ silent: true, slowMs: PROVIDER_MS });
  const seconds = quick ? 3 : 20;
  const found: Sends[] = [];
  for (let run = 0; run <= runs; run++) {
    await quiet(() => [...side.processes().server, ...side.processes().postgres]);
    const one = await sends(side, run === 0 ? 3 : seconds);
    const told = [0.5, 0.95, 0.99].map((q) => quantile(one.latencies, q).toFixed(0)).join(', ');
    log(`synchronous sends${run === 0 ? ' (warm-up)' : ''}: ${one.rate.toFixed(0)}/s; 50, 95, 99 %: ${told} ms`);
    if (run > 0) found.push(one);
  }
  await side.simulator.change({ together: 1 });
  const p95 = found.map(({ latencies }) => quantile(latencies, 0.95));
  const errors = found.reduce((sum, one) => sum + one.errors, 0);
  const rate = median(found.map((one) => one.rate));
  const of = (q: number) => median(found.map(({ latencies }) => quantile(latencies, q))).toFixed(0);
  return [
    {
      name: `synchronous sends, ${OFFERED} requests a second, the provider answering in ${PROVIDER_MS} ms`,
      unit: 'ms (95 %)',
      product: median(p95),
      floor: null,
      ratio: null,
      gate: `under ${MOST_P95_MS} ms, ${RATE}/s, no errors`,
      pass: median(p95) < MOST_P95_MS && errors === 0 && rate >= RATE,
      runs: { product: p95.map((value) => ({ value })), floor: [] },
      notes: [`${rate.toFixed(0)} a second; 50 %: ${of(0.5)} ms, 99 %: ${of(0.99)} ms; ${errors} errors`],
    },
  ];
}

async function sends(side: Side, seconds: number): Promise<Sends> {
  const n = OFFERED * seconds;
  const latencies: number[] = [];
  let errors = 0;
  const one = async (index: number): Promise<void> => {
    const body = JSON.stringify({
      to: newCustomer(),
      outlet_id: side.senders[index % side.senders.length],
      message: 'Hello! Your order #12345 has been shipped.',
      message_type: 'text',
    });
    const began = performance.now();
    const status = await side.load.post('/api/v1/messages/send', body, {}).catch(() => 0);
    latencies.push(performance.now() - began);
    if (status !== 200) errors++;
  };
  const began = performance.now();
  const open: Promise<void>[] = [];
  while (open.length < n) {
    const owed = Math.min(n, Math.floor(((performance.now() - began) * OFFERED) / 1000));
    while (open.length < owed) open.push(one(open.length));
    await sleep(1);
  }
  await Promise.all(open);
  return { latencies, errors, rate: (n * 1000) / (performance.now() - began) };
}
