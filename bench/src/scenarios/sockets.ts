import { setTimeout as sleep } from 'node:timers/promises';
import { cutDevices, openDevices, userOf } from '../devices.ts';
import { round } from '../figures.ts';
import { openLoad, pour } from '../load.ts';
import { type Measure, plainMeasure } from '../measure.ts';
import { pssMb, quiet, tree } from '../procfs.ts';
import type { Aldis } from '../product.ts';
import { type Connected, type Ear, frameTimes, makeTalks } from '../talk.ts';
import { until } from '../wait.ts';
import { abuse } from './sockets-abuse.ts';

/*
 * Sockets: what ten thousand that are idle take beside `ws` alone; from the answer of a message to the frame on the other device, alone
 * and beside clients that misbehave; how many messages of conversations a second are accepted, stored and framed; how long it takes until
 * all are back that were cut at once.
 */

const MEMORY_OF_WS = 1.6;
const P50_MS = 5;
const P99_MS = 50;
const STORM_S = 20;
const PER_SECOND = 1000;

export interface SocketsOptions {
  quick: boolean;
  log(text: string): void;
  aldis: Aldis;
  /** `ws` alone. */
  bare: { url: string; pid: number };
  /** Plain code that stores and frames what is said. */
  chat: { url: string };
}

export async function sockets({ quick, log, aldis, bare, chat }: SocketsOptions): Promise<Measure[]> {
  const count = quick ? 1000 : 10_000;
  const { url, api_key: key } = aldis.credentials;
  const headers = { authorization: `Bearer ${key}` };
  const server = [tree(aldis.child.pid)[0] ?? aldis.child.pid];

  const alone = await openDevices(count, { url: () => bare.url, headers: () => ({}), hear: () => {} });
  const floorMb = await memoryOf([bare.pid]);
  cutDevices(alone);
  const ear: Ear = { hear: () => {} };
  const devices = await openDevices(count, {
    url: () => `${url}/ws`,
    headers: (user) => ({ ...headers, 'x-user-id': user }),
    hear: (user, frame) => ear.hear(user, frame),
  });
  const productMb = await memoryOf(server);
  log(`${count} idle sockets: ${round(productMb)} MB, ws alone ${round(floorMb)} MB`);
  const memory: Measure = {
    ...plainMeasure(`${count} idle sockets: memory of the server`, 'MB', productMb),
    floor: floorMb,
    ratio: productMb / floorMb,
    gate: `at most ${MEMORY_OF_WS} of ws alone`,
    pass: productMb / floorMb <= MEMORY_OF_WS,
  };

  await using load = openLoad(url, 256, headers);
  const talks = await makeTalks(load, count / 2);
  log(`${talks.ids.length} conversations made`);
  await quiet(() => server);
  const connected: Connected = { quick, log, url: `${url}/ws`, headers, devices, talks, ear };
  const measures = [memory, ...(await latencies(connected)), await abuse(connected)];
  const product = await highest(connected);
  measures.push(await storm(connected));
  cutDevices(devices);
  const floor = await highestOfFloor(connected, chat.url);
  const framed = plainMeasure('messages accepted, stored and framed', 'messages/s', product);
  measures.push({ ...framed, floor, ratio: product / floor });
  return measures;
}

/** The same of the floor, with as many devices and conversations. */
async function highestOfFloor({ quick, log, devices }: Connected, url: string): Promise<number> {
  const ear: Ear = { hear: () => {} };
  const connected = await openDevices(devices.length, {
    url: () => url,
    headers: (user) => ({ 'x-user-id': user }),
    hear: (user, frame) => ear.hear(user, frame),
  });
  await using load = openLoad(url, 256);
  const talks = await makeTalks(load, devices.length / 2);
  const rate = await highest({ quick, log: (text) => log(`the floor: ${text}`), ear, talks });
  cutDevices(connected);
  return rate;
}

async function latencies({ quick, log, talks, ear }: Connected): Promise<Measure[]> {
  const count = quick ? 2000 : 30_000;
  const { p50, p99, rate } = await frameTimes(talks, ear, { count, perSecond: PER_SECOND });
  log(`${round(rate)} messages a second: frames ${round(p50)} ms (50 %), ${round(p99)} ms (99 %) after the answer`);
  return [
    {
      ...plainMeasure(`${PER_SECOND} direct messages a second: from answer to frame, 50 %`, 'ms', p50),
      gate: `${P50_MS} ms`,
      pass: p50 < P50_MS,
    },
    { ...plainMeasure('the same, 99 %', 'ms', p99), gate: `${P99_MS} ms`, pass: p99 < P99_MS },
  ];
}

/** As many as can be, 256 at a time, until the last is framed. @returns messages a second */
async function highest({
  quick,
  log,
  talks,
  ear,
}: Pick<Connected, 'quick' | 'log' | 'talks' | 'ear'>): Promise<number> {
  const n = quick ? 5000 : 60_000;
  let left = n;
  ear.hear = (user, { type, payload }) => {
    if (type === 'new_message' && user !== payload?.message?.user_id && payload?.message?.content?.startsWith('h '))
      left--;
  };
  const began = performance.now();
  await pour(n, 256, async (i) => {
    const status = await talks.say(i % talks.ids.length, 0, `h ${i}`);
    if (status !== 202) throw new Error(`a message was answered ${status}`);
  });
  const accepted = n / ((performance.now() - began) / 1000);
  await until('every frame', () => left <= 0 || null, { deadlineMs: 60_000 });
  const rate = n / ((performance.now() - began) / 1000);
  log(`accepted ${round(accepted)}/s, framed ${round(rate)}/s`);
  return rate;
}

/**
 * All are cut at once, and told something meanwhile; each comes back to its cursor, and has to get what it missed: once, in an unbroken
 * chain, and to be told that this was all.
 */
async function storm({ url, headers, devices, log, talks }: Connected): Promise<Measure> {
  const cursors = new Map(devices.map(({ user, cursor }) => [user, cursor]));
  cutDevices(devices);
  await pour(talks.ids.length, 64, async (i) => {
    const status = await talks.say(i, 0, 'storm');
    if (status !== 202) throw new Error(`a message was answered ${status}`);
  });
  const missed = new Set(devices.map((_, n) => userOf(n)));
  const waiting = new Set(missed);
  const flaws: string[] = [];
  const began = performance.now();
  const back = await openDevices(devices.length, {
    url: (user) => `${url}?after=${encodeURIComponent(cursors.get(user) ?? '')}`,
    headers: (user) => ({ ...headers, 'x-user-id': user }),
    hear(user, { type, payload }) {
      if (type === 'resumed') waiting.delete(user);
      if (type !== 'new_message' || payload?.message?.content !== 'storm') return;
      if (!missed.delete(user)) flaws.push(`${user} got it twice`);
    },
  });
  const settled = () => (missed.size === 0 && waiting.size === 0) || null;
  await until('everybody to have what he missed', settled, { deadlineMs: 180_000 });
  const took = (performance.now() - began) / 1000;
  for (const { user, broken } of back) if (broken > 0) flaws.push(`the chain of ${user} is broken`);
  devices.splice(0, devices.length, ...back);
  log(`${devices.length} were back after ${round(took)} s`);
  return {
    ...plainMeasure(`${devices.length} sockets cut at once: until all are back and have what they missed`, 's', took),
    gate: `${STORM_S} s, nothing lost`,
    pass: took < STORM_S && flaws.length === 0,
    ...(flaws.length > 0 && { notes: flaws.slice(0, 5) }),
  };
}

/**
 * The memory that a program has with what is done, its own included: what is added cannot be told from what its start had left to the
 * garbage collector.
 */
async function memoryOf(pids: readonly number[]): Promise<number> {
  await sleep(3000);
  await quiet(() => pids);
  return pssMb(pids);
}
