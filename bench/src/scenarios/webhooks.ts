import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../figures.ts';
import type { LoadClient } from '../load.ts';
import type { Bench, Measure } from '../measure.ts';
import { messageWebhook, newCustomer, signature } from '../requests.ts';
import type { Side } from '../side.ts';
import { until } from '../wait.ts';

const A_SECOND = 1000;
const SECONDS = 10;
/** Customers who write, in turns: some write for the first time, most again. */
const CUSTOMERS = 2000;
const MOST_MS = { answer: 10, event: 50 } as const;
const PAGE = 1000;

/** What one run gave, in milliseconds from the moment at which a webhook was due. */
interface Figures {
  answers: number[];
  events: number[];
}

/**
 * (8) Customers' messages, one a webhook, at a fixed rate that does not wait for answers: when each is answered, durably stored by
 * then, and when its event can be read from the log.
 */
export async function webhooks(
  { quick, runs, log }: Pick<Bench, 'quick' | 'runs' | 'log'>,
  side: Side,
): Promise<Measure[]> {
  const n = A_SECOND * (quick ? 2 : SECONDS);
  const people = Array.from({ length: CUSTOMERS }, newCustomer);
  const found: Figures[] = [];
  for (let run = 0; run <= runs; run++) {
    const figures = await pass(side, people, `${run}-${Date.now()}`, n);
    const answer = quantile(figures.answers, 0.95).toFixed(2);
    log(
      `webhooks${run === 0 ? ' (warm-up)' : ''}: answered in ${answer} ms (95 %), event after ${median(figures.events).toFixed(1)} ms`,
    );
    if (run > 0) found.push(figures);
  }
  const answers = found.map((one) => quantile(one.answers, 0.95));
  const events = found.map((one) => median(one.events));
  const common = { floor: null, ratio: null };
  return [
    {
      ...common,
      name: `webhooks at ${A_SECOND} a second: answered`,
      unit: 'ms (95 %)',
      product: median(answers),
      gate: `under ${MOST_MS.answer} ms`,
      pass: median(answers) < MOST_MS.answer,
      runs: { product: answers.map((value) => ({ value })), floor: [] },
      notes: [`50 %: ${median(found.flatMap((one) => one.answers)).toFixed(2)} ms`],
    },
    {
      ...common,
      name: `webhooks at ${A_SECOND} a second: in the event log`,
      unit: 'ms (50 %)',
      product: median(events),
      gate: `under ${MOST_MS.event} ms`,
      pass: median(events) < MOST_MS.event,
      runs: { product: events.map((value) => ({ value })), floor: [] },
      notes: [
        `95 %: ${quantile(
          found.flatMap((one) => one.events),
          0.95,
        ).toFixed(1)} ms`,
      ],
    },
  ];
}

async function pass(side: Side, people: readonly string[], name: string, n: number): Promise<Figures> {
  const number = side.numbers[0] ?? '';
  const made = Array.from({ length: n }, (_, i) => {
    const said = { wamid: `wamid.${name}.${i}`, from: people[i % people.length] ?? '', text: `Question ${i}` };
    const body = messageWebhook(number, said);
    return { wamid: said.wamid, body, headers: signature(side.secret, body) };
  });
  const cursor = ((await side.load.ask('/api/v1/events?after=now')).body as { next_cursor: string }).next_cursor;
  const begins = new Map<string, number>();
  const events: number[] = [];
  const watched = watch(side.load, cursor, begins, events, n);

  const answers: number[] = [];
  const posts: Promise<void>[] = [];
  const start = performance.now() + 50;
  for (let i = 0; i < n; ) {
    await sleep(1);
    // All that is due by now: what the timer is late is not forgotten.
    for (; i < n && start + i * (1000 / A_SECOND) <= performance.now(); i++) {
      const due = start + i * (1000 / A_SECOND);
      const { wamid, body, headers } = made[i] ?? { wamid: '', body: '', headers: {} };
      begins.set(wamid, due);
      posts.push(
        side.load.post('/webhooks/whatsapp', body, headers).then((status) => {
          if (status !== 200) throw new Error(`a webhook was answered ${status}`);
          answers.push(performance.now() - due);
        }),
      );
    }
  }
  await Promise.all(posts);
  await until('every event to be read', () => (events.length >= n ? true : null));
  await watched;
  return { answers, events };
}

/** Reads the event log from a place on, until every message has come, and notes how long each took. */
async function watch(
  load: LoadClient,
  from: string,
  begins: ReadonlyMap<string, number>,
  events: number[],
  n: number,
): Promise<void> {
  for (let cursor = from; events.length < n; ) {
    const { status, body } = await load.ask(`/api/v1/events?after=${cursor}&limit=${PAGE}&wait=5`);
    if (status !== 200) throw new Error(`the event log answered ${status}`);
    const page = body as { events: { type: string; data: { whatsapp_message_id: string } }[]; next_cursor: string };
    const now = performance.now();
    for (const { type, data } of page.events) {
      const began = begins.get(data.whatsapp_message_id);
      if (type === 'message.received' && began !== undefined) events.push(now - began);
    }
    cursor = page.next_cursor;
  }
}
