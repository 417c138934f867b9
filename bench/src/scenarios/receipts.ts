import { pour } from '../load.ts';
import { type Bench, inTurns, type Measure, ratioMeasure, withCpu } from '../measure.ts';
import { type Sent, sendOne, signature, statusWebhook } from '../requests.ts';
import type { Side } from '../side.ts';
import { wholeLedger } from '../simulator.ts';
import { until } from '../wait.ts';

/** How many webhooks of one provider are on their way at once. */
const AT_ONCE = 64;

/** Places that a message's receipts lie behind its send, in messages: three waves that overlap, as in life. */
const BEHIND = { sent: 0, delivered: 200, read: 1000 } as const;

/** (3) Receipts, one a webhook: from the first post until the last of them is applied. */
export async function receipts(bench: Bench): Promise<Measure[]> {
  const n = bench.quick ? 1500 : 10_000;
  const runs = await inTurns(bench, 'receipts a second', async (side) => {
    const webhooks = await prepare(side, n);
    const before = await side.progress();
    return withCpu(side, webhooks.length, async () => {
      const began = performance.now();
      await pour(webhooks.length, AT_ONCE, async (i) => {
        const { body, headers } = webhooks[i] ?? { body: '', headers: {} };
        const status = await side.load.post('/webhooks/whatsapp', body, headers);
        if (status !== 200) throw new Error(`${side.name} answered ${status} to a webhook`);
      });
      await until('every receipt to be applied', async () => (await side.progress()).read - before.read >= n || null, {
        everyMs: 50,
      });
      return webhooks.length / ((performance.now() - began) / 1000);
    });
  });
  return [ratioMeasure('receipts, one a webhook', 'receipts/s', 0.7, runs)];
}

/** Sends `n` messages that the provider says nothing about, and makes the webhooks it would have posted. */
async function prepare(side: Side, n: number): Promise<{ body: string; headers: Record<string, string> }[]> {
  await side.simulator.change({ silent: true });
  const total = await side.simulator.accepted();
  const before = await side.progress();
  await pour(n, 64, (i) => sendOne(side, i));
  await until('every message to be sent', async () => (await side.progress()).sent - before.sent >= n || null);
  const ledger = await wholeLedger(side.simulator, total);
  const now = Math.floor(Date.now() / 1000);
  const timeline = ledger.flatMap((entry, place) => {
    const sent: Sent = { wamid: entry.wamid, opaque: entry.opaque ?? '', to: entry.to, number: entry.phone_number_id };
    return (Object.keys(BEHIND) as (keyof typeof BEHIND)[]).map((status) => ({
      place: place + BEHIND[status],
      sent,
      status,
    }));
  });
  timeline.sort((a, b) => a.place - b.place);
  return timeline.map(({ sent, status }) => {
    const body = statusWebhook(sent.number, [{ sent, status, at: now }]);
    return { body, headers: signature(side.secret, body) };
  });
}
