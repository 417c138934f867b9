import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../figures.ts';
import { historyQuestions, type Shape } from '../history-questions.ts';
import { fillHistory } from '../history-stock.ts';
import { type LoadClient, openLoad } from '../load.ts';
import type { Measure } from '../measure.ts';
import { quiet } from '../procfs.ts';
import type { Aldis } from '../product.ts';

/*
 * Everything that is read of conversations, messages and events on a store of five million messages: four clients ask in turns for all of
 * it, at a rate that a busy office has, so that no kind finds the memory of the database to itself. A client that is late asks at once; each
 * answer's time counts from its own question, so that one slow kind does not spoil the figures of the others.
 */

const MOST_MS = 10;
const CLIENTS = 4;
const PER_SECOND = 80;
/** Of each kind; before them some that are not counted. */
const ASKED = 100;
const WARM = 5;

export interface HistoryOptions {
  /** In the store. */
  messages: number;
  databaseUrl: string;
  /** Of the server and of its database. */
  pids: () => readonly number[];
  aldis: Aldis;
  log(text: string): void;
}

export async function history({ messages, databaseUrl, pids, aldis, log }: HistoryOptions): Promise<Measure[]> {
  const { url, api_key, tenant_id: tenant, sender_id: sender } = aldis.credentials;
  const stock = await fillHistory(databaseUrl, { tenant, sender }, messages, log);
  const shapes = await historyQuestions(databaseUrl, { tenant, sender }, stock);
  // What was filled in is written to disk, and vacuumed, before it is asked for.
  await quiet(pids);
  await using load = openLoad(url, CLIENTS, { authorization: `Bearer ${api_key}` });
  return await timeShapes(load, shapes, { messages, asked: ASKED, log });
}

/** Asks each kind so often, all of them in turns, and tells how long the answers of each took. @throws {Error} when one is not 200 */
async function timeShapes(
  load: LoadClient,
  shapes: readonly Shape[],
  { messages, asked, log }: { messages: number; asked: number; log: (text: string) => void },
): Promise<Measure[]> {
  const took = shapes.map((): number[] => []);
  const total = shapes.length * (WARM + asked);
  const began = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < total) {
      const i = next++;
      const shape = shapes[i % shapes.length] as Shape;
      const round = Math.floor(i / shapes.length);
      const wait = began + (i * 1000) / PER_SECOND - performance.now();
      if (wait > 0) await sleep(wait);
      const ms = await one(load, shape, round);
      if (round >= WARM) took[i % shapes.length]?.push(ms);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return shapes.map(({ name }, i) => measureOf(`${name}, ${messages} messages`, took[i] ?? [], log));
}

async function one(load: LoadClient, { paths, user }: Shape, round: number): Promise<number> {
  const from = performance.now();
  const path = paths[round % paths.length] as string;
  const { status, body } = await load.ask(path, user === undefined ? {} : { headers: { 'x-user-id': user } });
  const ms = performance.now() - from;
  if (status !== 200) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
  return ms;
}

function measureOf(name: string, latencies: readonly number[], log: (text: string) => void): Measure {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(latencies, q)) as [number, number, number];
  log(`${name}: ${p50.toFixed(2)} / ${p95.toFixed(2)} / ${p99.toFixed(2)} ms (50, 95, 99 %)`);
  return {
    name,
    unit: 'ms (95 %)',
    product: p95,
    floor: null,
    ratio: null,
    gate: `under ${MOST_MS} ms`,
    pass: p95 < MOST_MS,
    runs: { product: latencies.map((value) => ({ value })), floor: [] },
    notes: [`50 %: ${p50.toFixed(2)} ms, 99 %: ${p99.toFixed(2)} ms`],
  };
}
