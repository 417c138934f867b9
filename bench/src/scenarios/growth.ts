import { median } from '../figures.ts';
import { pour } from '../load.ts';
import { type Bench, CONNECTIONS, type Measure, type Run } from '../measure.ts';
import { quiet } from '../procfs.ts';
import { messageBody, sendOne } from '../requests.ts';
import type { Side } from '../side.ts';
import { lives } from './life.ts';

const LEAST = 0.85;

/** What is done to an almost empty store and to a full one: each gives operations a second. */
interface Probe {
  name: string;
  run(side: Side, quick: boolean): Promise<number>;
}

const PROBES: readonly Probe[] = [
  {
    name: 'single accepts',
    async run(side, quick) {
      const n = quick ? 2000 : 10_000;
      return n / (await pour(n, CONNECTIONS, (i) => sendOne(side, i, { later: true })));
    },
  },
  {
    name: 'batch accepts',
    async run(side, quick) {
      const requests = quick ? 4 : 20;
      const bodies = Array.from({ length: requests }, () =>
        JSON.stringify({ messages: Array.from({ length: 1000 }, (_, i) => messageBody(side, i, { later: true })) }),
      );
      const seconds = await pour(requests, 2, async (i) => {
        expect(202, await side.load.post('/api/v1/messages/batch', bodies[i] ?? '', {}));
      });
      return (requests * 1000) / seconds;
    },
  },
  {
    name: 'full lives, 20 statuses a webhook',
    async run(side, quick) {
      const n = quick ? 2000 : 10_000;
      return n / (await lives(side, n, 20));
    },
  },
  { name: 'newest page of messages', run: reads('/api/v1/messages?limit=50') },
  { name: "newest page of a sender's messages", run: async (side, quick) => reads(ofSender(side))(side, quick) },
  {
    name: 'one message by id',
    async run(side, quick) {
      const { body } = await side.load.ask('/api/v1/messages?limit=1');
      const [message] = (body as { messages: { id: string }[] }).messages;
      return reads(`/api/v1/messages/${message?.id}`)(side, quick);
    },
  },
];

function ofSender(side: Side): string {
  return `/api/v1/messages?limit=50&sender_id=${side.senders[0]}`;
}

function reads(path: string): Probe['run'] {
  return async (side, quick) => {
    const n = quick ? 200 : 1000;
    const seconds = await pour(n, 8, async () => {
      expect(200, (await side.load.ask(path)).status);
    });
    return n / seconds;
  };
}

function expect(wanted: number, got: number): void {
  if (got !== wanted) throw new Error(`answered ${got}, ${wanted} expected`);
}

/** (6) The same work on a store of a million messages and, in turns, on one that was empty a moment ago. */
export async function growth(
  bench: Pick<Bench, 'quick' | 'log' | 'runs'>,
  full: Side,
  empty: Side,
): Promise<Measure[]> {
  const both = [full, empty] as const;
  await quiet(() => both.flatMap((side) => [...side.processes().server, ...side.processes().postgres]));
  const measures: Measure[] = [];
  for (const probe of PROBES) {
    const runs: { product: Run[]; floor: Run[] } = { product: [], floor: [] };
    for (let run = 0; run <= bench.runs; run++) {
      for (const side of run % 2 === 0 ? both : [empty, full]) {
        const value = await probe.run(side, bench.quick);
        bench.log(`${probe.name}, ${side === full ? 'full' : 'empty'} store: ${Math.round(value)}`);
        if (run > 0) runs[side === full ? 'product' : 'floor'].push({ value });
      }
    }
    const ratio = median(runs.product.map(({ value }, i) => value / (runs.floor[i]?.value ?? Number.NaN)));
    measures.push({
      name: `full store against empty: ${probe.name}`,
      unit: '1/s',
      product: median(runs.product.map((run) => run.value)),
      floor: median(runs.floor.map((run) => run.value)),
      ratio,
      gate: `at least ${LEAST} of the empty store's`,
      pass: ratio >= LEAST,
      runs,
    });
  }
  return measures;
}
