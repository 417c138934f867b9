import { messageBody } from '../requests.ts';
import type { Side } from '../side.ts';
import { until } from '../wait.ts';

const TOGETHER = 500;
/** Messages under way at most: enough to keep every loop busy. */
const UNDER_WAY = 20_000;

/** Lets `n` messages live as fast as the side can, `tick` being called about twice a second meanwhile. */
export async function fill(side: Side, n: number, tick: () => void): Promise<void> {
  await side.simulator.change({ together: 20 });
  const before = (await side.progress()).read;
  let read = 0;
  const catchUp = (least: number, deadlineMs: number): Promise<true> =>
    until(
      `${least} messages to be read`,
      async () => {
        read = (await side.progress()).read - before;
        tick();
        return read >= least || null;
      },
      { everyMs: 500, deadlineMs },
    );
  for (let posted = 0; posted < n; posted += TOGETHER) {
    const messages = Array.from({ length: Math.min(TOGETHER, n - posted) }, (_, i) => messageBody(side, i));
    const status = await side.load.post('/api/v1/messages/batch', JSON.stringify({ messages }), {});
    if (status !== 202) throw new Error(`a batch was answered ${status}`);
    if (posted - read > UNDER_WAY) await catchUp(posted - UNDER_WAY / 2, 120_000);
  }
  await catchUp(n, 120_000);
}
