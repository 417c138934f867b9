import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../figures.ts';
import type { Bench, Measure } from '../measure.ts';
import { quiet } from '../procfs.ts';
import { messageBody, newKey } from '../requests.ts';
import { until } from '../wait.ts';

const MOST_MS = 10;
const MESSAGES = 50;
/** Between two messages: all receipts of one have come before the next leaves. */
const APART_MS = 400;

/** (5) A message alone on an idle system: from its request until the provider has it, by the machine's one clock. */
export async function idle({ product: side, log }: Bench): Promise<Measure[]> {
  await side.simulator.change({ together: 1 });
  await quiet(() => [...side.processes().server, ...side.processes().postgres]);
  const latencies: number[] = [];
  // The first ones open connections and plan statements.
  for (let i = -5; i < MESSAGES; i++) {
    const total = await side.simulator.accepted();
    const body = JSON.stringify(messageBody(side, i + 5));
    const began = performance.timeOrigin + performance.now();
    const status = await side.load.post('/api/v1/messages', body, newKey());
    if (status !== 202) throw new Error(`a message was answered ${status}`);
    const entry = await until('the message to reach the provider', async () => {
      const { messages } = await side.simulator.ledger(total);
      return messages[0] ?? null;
    });
    if (i >= 0) latencies.push(Date.parse(entry.received_at) - began);
    await sleep(APART_MS);
  }
  const product = median(latencies);
  log(`alone on an idle system, ms: ${product.toFixed(1)}`);
  return [
    {
      name: 'a message alone, request to provider',
      unit: 'ms',
      product,
      floor: null,
      ratio: null,
      gate: `median at most ${MOST_MS} ms`,
      pass: product <= MOST_MS,
      runs: { product: latencies.map((value) => ({ value })), floor: [] },
      notes: [`95 %: ${quantile(latencies, 0.95).toFixed(1)} ms; the provider's clock tells whole milliseconds`],
    },
  ];
}
