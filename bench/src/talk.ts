import { setTimeout as sleep } from 'node:timers/promises';
import { type Device, type Frame, userOf } from './devices.ts';
import { quantile } from './figures.ts';
import { type LoadClient, pour } from './load.ts';
import { until } from './wait.ts';

/** Direct conversations of the users of devices: the first with the second, the third with the fourth, and so on. */
export interface Talks {
  readonly ids: readonly string[];
  /** Says something in one of them, by a request. @param by 0 or 1: which of the two. @returns the status. */
  say(talk: number, by: 0 | 1, content: string): Promise<number>;
}

/** What devices hear is told to whoever listens now. */
export interface Ear {
  hear: (user: string, frame: Frame) => void;
}

/** A server with devices that are connected and talk, as what is measured with them needs it. */
export interface Connected {
  quick: boolean;
  log(text: string): void;
  /** Of the server's sockets. */
  url: string;
  headers: Record<string, string>;
  devices: Device[];
  talks: Talks;
  ear: Ear;
}

/** @param load asks in the name of users. */
export async function makeTalks(load: LoadClient, count: number): Promise<Talks> {
  const ids = new Array<string>(count);
  await pour(count, 32, async (i) => {
    const participants = [{ user_id: userOf(2 * i) }, { user_id: userOf(2 * i + 1) }];
    const body = JSON.stringify({ type: 'direct', participants });
    const { status, body: made } = await load.ask('/api/v1/conversations', { method: 'POST', body });
    if (status !== 201) throw new Error(`a conversation was answered ${status}: ${JSON.stringify(made)}`);
    ids[i] = (made as { id: string }).id;
  });
  return {
    ids,
    say: (talk, by, content) =>
      load.post('/api/v1/messages', JSON.stringify({ conversation_id: ids[talk], content }), {
        'x-user-id': userOf(2 * talk + by),
      }),
  };
}

/** How long frames took, in milliseconds. */
export interface FrameTimes {
  p50: number;
  p99: number;
  /** Messages a second that were answered. */
  rate: number;
}

/**
 * Says `count` messages at a fixed rate, whatever the answers: from the answer to the frame on the other's device.
 * @param skip so many talks at the beginning are left alone
 */
export async function frameTimes(
  { ids, say }: Talks,
  ear: Ear,
  { count, perSecond, skip = 0 }: { count: number; perSecond: number; skip?: number },
): Promise<FrameTimes> {
  const answered = new Float64Array(count);
  const framed = new Float64Array(count);
  let left = count;
  const run = `t${performance.now()} `;
  ear.hear = (user, { type, payload }) => {
    if (type !== 'new_message' || user === payload?.message?.user_id) return;
    const { content } = payload?.message ?? {};
    if (!content?.startsWith(run)) return;
    const at = Number(content.slice(run.length));
    if (framed[at] !== 0) return;
    framed[at] = performance.now();
    left--;
  };
  const began = performance.now();
  const asked: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const wait = began + (i * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    const talk = skip + (i % (ids.length - skip));
    asked.push(
      say(talk, i % 2 === 0 ? 0 : 1, `${run}${i}`).then((status) => {
        if (status !== 202) throw new Error(`a message was answered ${status}`);
        answered[i] = performance.now();
      }),
    );
  }
  await Promise.all(asked);
  const rate = count / ((performance.now() - began) / 1000);
  await until('every frame', () => left === 0 || null, { deadlineMs: 60_000 });
  ear.hear = () => {};
  // Before its answer, at best.
  const took = Array.from(framed, (at, i) => Math.max(0, at - (answered[i] ?? 0)));
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99), rate };
}
