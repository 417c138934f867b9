import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadClient, pour } from '../src/load.ts';
import { type Simulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { openOf } from './read-all.ts';

/*
 * What holds at the end of a drill of plain texts: each message that was acknowledged is at the provider once, nothing is there
 * that nobody was told of, and none is open.
 */

interface Settling {
  api: LoadClient;
  /** Ids by text. */
  acknowledged: ReadonlyMap<string, string>;
  /** Bodies of the messages that are sent each second so that receipts flow: one for each number. Their texts begin with "trickle". */
  trickle: (second: number) => readonly Record<string, unknown>[];
  withinMs: number;
  log: (text: string) => void;
  breaches: string[];
}

/** What may hold back a message that is queued, when drills have been at work. */
export const HELD_BY: readonly string[] = ['retry_wait', 'order', 'ahead', 'no_owner', 'provider_trouble', 'scheduled'];
/** So many of those that are open are asked why, each time. */
export const ASKED = 20;

/**
 * Sends a little, so that receipts flow, until none of the messages is open; gives how many are when time is over. Those that are open
 * have to say why, each time that it is looked.
 */
export async function untilSettled(settling: Settling): Promise<number> {
  const { api, acknowledged, trickle, withinMs, log, breaches } = settling;
  const ours = new Set(acknowledged.values());
  let unsettled = ours.size;
  const end = performance.now() + withinMs;
  for (let second = 0; unsettled > 0 && performance.now() < end; second++) {
    if (second > 0) await sleep(second < 4 ? 250 : 1000);
    const open = await openOf((path) => api.ask(path), ours);
    if (open === null) continue;
    unsettled = open.length;
    if (unsettled === 0) break;
    log(
      `${unsettled} not settled: ${await compareCauses((path) => api.ask(path), open.slice(0, ASKED), HELD_BY, breaches)}`,
    );
    for (const message of trickle(second)) {
      await api.ask('/api/v1/messages', { method: 'POST', body: JSON.stringify(message) });
    }
  }
  return unsettled;
}

interface Explanation {
  state: string;
  cause: { code: string } | null;
}

/**
 * Asks messages why they have not left. What has left meanwhile needs no cause; what has not needs one that fits its state, and a queued
 * one must be held by one of these. Others are added to `breaches`. Gives how many said what.
 */
export async function compareCauses(
  get: (path: string) => Promise<{ status: number; body: unknown }>,
  ids: readonly string[],
  heldBy: readonly string[],
  breaches: string[],
): Promise<string> {
  const said = new Map<string, number>();
  for (const id of ids) {
    const { status, body } = await get(`/api/v1/messages/${id}/explain`);
    // Whoever asks just when an instance or the database is away asks again the next time.
    if (status === 503) continue;
    const { state, cause } = body as Explanation;
    const code = cause?.code ?? null;
    const fits = state === 'queued' ? heldBy.includes(code ?? '') : code === (isOpen(state) ? state : null);
    if (status !== 200) breaches.push(`explain of ${id} was answered ${status}: ${JSON.stringify(body)}`);
    else if (!fits) breaches.push(`${id} is ${state}, and explain says ${code ?? 'no cause'}`);
    const word = code ?? state;
    said.set(word, (said.get(word) ?? 0) + 1);
  }
  return [...said].map(([word, count]) => `${count} ${word}`).join(', ');
}

function isOpen(state: string): boolean {
  return state === 'sending' || state === 'unconfirmed';
}

interface Compared {
  api: LoadClient;
  simulator: Simulator;
  acknowledged: ReadonlyMap<string, string>;
}

/** Adds what is wrong to `breaches`; gives the figures. */
export async function compareWithLedger(
  { api, simulator, acknowledged }: Compared,
  breaches: string[],
): Promise<Record<string, number>> {
  const times = await timesSent(simulator, acknowledged, 5000);
  const lost = [...acknowledged.keys()].filter((text) => !times.has(text));
  const doubled = [...times].filter(([text, count]) => count > 1 && acknowledged.has(text)).map(([text]) => text);
  const unknown = [...times.keys()].filter((text) => !text.startsWith('trickle') && !acknowledged.has(text));
  tellTexts(breaches, { lost, doubled, unknown });
  const all = [...acknowledged.values()];
  await countStates(all, (path) => api.ask(path), breaches);
  return { acknowledged: all.length, lost: lost.length, doubled: doubled.length };
}

/** How often each text is at the provider. The last ones may still be on their way: that long they are waited for. */
export async function timesSent(
  simulator: Simulator,
  acknowledged: ReadonlyMap<string, string>,
  deadlineMs: number,
): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  await until(
    'the last message to be at the provider',
    async () => {
      times.clear();
      for (const { body } of await wholeLedger(simulator)) {
        const text = (body as { text?: { body?: string } }).text?.body ?? '';
        times.set(text, (times.get(text) ?? 0) + 1);
      }
      return [...acknowledged.keys()].every((text) => times.has(text)) || null;
    },
    { deadlineMs, everyMs: 500 },
  ).catch(() => {});
  return times;
}

/** Adds a breach for each kind of text that there should be none of. */
export function tellTexts(breaches: string[], texts: Record<'lost' | 'doubled' | 'unknown', readonly string[]>): void {
  const tell = (what: string, some: readonly string[]): void => {
    if (some.length > 0) breaches.push(`${some.length} ${what}, for example "${some[0]}"`);
  };
  tell('acknowledged messages never sent', texts.lost);
  tell('messages sent more than once', texts.doubled);
  tell('messages sent that nobody was told of', texts.unknown);
}

/** How many messages Aldis says are in each state; a breach for each that they should not end in. */
export async function countStates(
  ids: readonly string[],
  get: (path: string) => Promise<{ status: number; body: unknown }>,
  breaches: string[],
): Promise<Map<string, number>> {
  const states = new Map<string, number>();
  await pour(ids.length, 32, async (i) => {
    const { status, body } = await get(`/api/v1/messages/${ids[i]}`);
    const state = status === 200 ? (body as { state: string }).state : `answered ${status}`;
    states.set(state, (states.get(state) ?? 0) + 1);
  });
  for (const [state, count] of states) {
    if (!['sent', 'delivered', 'read'].includes(state)) breaches.push(`${count} messages are ${state}`);
  }
  return states;
}
