import { pour } from './load.ts';
import { messageBody, newKey } from './requests.ts';
import type { Side } from './side.ts';

/** Messages of a request, and requests at a time. */
const TOGETHER = 5000;
const WIDTH = 2;

/** Lets the product's messages leave, or not. */
export async function setSending(side: Side, sending: boolean): Promise<void> {
  const { status } = await side.load.ask(`/processor/${sending ? 'start' : 'stop'}`, { method: 'POST' });
  if (status !== 200) throw new Error(`the processor was ${sending ? 'started' : 'stopped'} in vain: ${status}`);
}

/** Has so many messages accepted, in batches. */
export async function acceptBacklog(side: Side, n: number): Promise<void> {
  await pour(Math.ceil(n / TOGETHER), WIDTH, async (i) => {
    const count = Math.min(TOGETHER, n - i * TOGETHER);
    const messages = Array.from({ length: count }, (_, k) => messageBody(side, i * TOGETHER + k));
    const status = await side.load.post('/api/v1/messages/batch', JSON.stringify({ messages }), newKey());
    if (status !== 202) throw new Error(`a batch was answered ${status}`);
  });
}
