import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { userOf } from '../devices.ts';
import { median, round } from '../figures.ts';
import { openLoad } from '../load.ts';
import { type Measure, plainMeasure } from '../measure.ts';
import { type Connected, frameTimes } from '../talk.ts';

/*
 * Clients that misbehave, beside those that talk: one sends a thousand frames a second, and comes back whenever it is shut out; one
 * reads nothing of what is said to it, more than a megabyte a second, and comes back too. The others must hardly notice.
 */

const TIMES_WORSE = 2;
const PER_SECOND = 1000;
/** Frames that the flood sends in a second, so many at a time. */
const FLOOD_PER_SECOND = 1000;
const FLOOD_AT_ONCE = 20;
/** What is said to the deaf one: so many bytes, so many times a second. */
const SHOUT = { content: 'x'.repeat(4000), metadata: { filling: 'y'.repeat(12_000) } };
const SHOUT_BYTES = 16_000;
const SHOUTS_PER_SECOND = 100;
const SHOUTING = 8;
/** So many before it looks whether it was shut out: 8 MB. */
const SHOUTED = 500;
const SEEN_WITHIN = 2000;
const TOO_SLOW = 4001;
/** Talks that belong to those who misbehave. */
const THEIRS = 2;

/** The 99 % of the others with them, beside that without, in turns. */
export async function abuse(connected: Connected): Promise<Measure> {
  const { quick, log, talks, ear } = connected;
  const rounds = quick ? 1 : 3;
  const load = { count: quick ? 2000 : 10_000, perSecond: PER_SECOND, skip: THEIRS };
  const without: number[] = [];
  const beside: number[] = [];
  const done = { frames: 0, shouts: 0, floods: 0, deafs: 0 };
  for (let n = 0; n < rounds; n++) {
    without.push((await frameTimes(talks, ear, load)).p99);
    const end = new AbortController();
    const misbehaving = [flood(connected, done, end.signal), deaf(connected, done, end.signal)];
    try {
      beside.push((await frameTimes(talks, ear, load)).p99);
    } finally {
      end.abort();
      await Promise.all(misbehaving);
    }
  }
  const [floor, product] = [median(without), median(beside)];
  log(`frames, 99 %: ${round(floor)} ms; beside clients that misbehave ${round(product)} ms`);
  return {
    ...plainMeasure(`${PER_SECOND} a second beside clients that misbehave: from answer to frame, 99 %`, 'ms', product),
    floor,
    ratio: product / floor,
    gate: `at most ${TIMES_WORSE} times that without them`,
    // Without anybody shut out nothing was tried.
    pass: product / floor <= TIMES_WORSE && (quick || (done.floods > 0 && done.deafs > 0)),
    runs: { product: beside.map((value) => ({ value })), floor: without.map((value) => ({ value })) },
    notes: [
      `${done.frames} frames were sent at ${FLOOD_PER_SECOND} a second by one client, which was shut out ${done.floods} times`,
      `${done.shouts} messages of ${SHOUT_BYTES} bytes were said to one that reads nothing, which was shut out ${done.deafs} times`,
    ],
  };
}

type Done = { frames: number; shouts: number; floods: number; deafs: number };

/** Sends until it is told to end. What it is answered is read. */
async function flood({ url, headers, talks }: Connected, done: Done, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(url, headers, userOf(0));
    if (!(await opened(socket))) {
      await sleep(100);
      continue;
    }
    while (!signal.aborted && socket.readyState === WebSocket.OPEN) {
      for (let n = 0; n < FLOOD_AT_ONCE; n++) {
        const payload = { client_id: `flood-${done.frames++}`, conversation_id: talks.ids[0], content: 'flood' };
        socket.send(JSON.stringify({ type: 'send', payload }));
      }
      await sleep((1000 * FLOOD_AT_ONCE) / FLOOD_PER_SECOND);
    }
    if (!signal.aborted) done.floods++;
    socket.terminate();
  }
}

/** Is spoken to, and reads nothing, until it is told to end. */
async function deaf({ url, headers, talks }: Connected, done: Done, signal: AbortSignal): Promise<void> {
  // By connections of its own: those of the others may be waited for.
  await using load = openLoad(url.replace(/\/ws$/, ''), SHOUTING, headers);
  const body = JSON.stringify({ conversation_id: talks.ids[1], ...SHOUT });
  const shouting = Array.from({ length: SHOUTING }, async () => {
    while (!signal.aborted) {
      const said = load.post('/api/v1/messages', body, { 'x-user-id': userOf(2) });
      const [status] = await Promise.all([said, sleep((1000 * SHOUTING) / SHOUTS_PER_SECOND)]);
      if (status !== 202) throw new Error(`a message was answered ${status}`);
      done.shouts++;
    }
  });
  while (!signal.aborted) {
    const socket = connect(url, headers, userOf(3));
    if (await opened(socket)) {
      const closed = once(socket, 'close', { signal }).catch(() => []);
      socket.pause();
      const before = done.shouts;
      // What the two systems hold for it has to be full first.
      while (!signal.aborted && done.shouts - before < SHOUTED) await sleep(50);
      // Who reads nothing does not see its end either.
      socket.resume();
      const [code] = await Promise.race([closed, sleep(SEEN_WITHIN, [], { signal }).catch(() => [])]);
      if (code === TOO_SLOW) done.deafs++;
    } else await sleep(100);
    socket.terminate();
  }
  await Promise.all(shouting);
}

function connect(url: string, headers: Record<string, string>, user: string): WebSocket {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    headers: { ...headers, 'x-user-id': user },
    perMessageDeflate: false,
  });
  socket.on('error', () => {});
  return socket;
}

async function opened(socket: WebSocket): Promise<boolean> {
  return await once(socket, 'open').then(
    () => true,
    () => false,
  );
}
