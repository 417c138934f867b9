import { cutDevices, openDevices } from '../devices.ts';
import { round } from '../figures.ts';
import { openLoad } from '../load.ts';
import { type Measure, plainMeasure } from '../measure.ts';
import { quiet, tree } from '../procfs.ts';
import type { Aldis } from '../product.ts';
import { type Ear, frameTimes, makeTalks } from '../talk.ts';

/*
 * Two instances on one database: messages are accepted by the one, and framed by the other.
 */

const P99_MS = 100;
const PER_SECOND = 1000;

export interface PairOptions {
  quick: boolean;
  log(text: string): void;
  /** Takes the messages. */
  door: Aldis;
  /** Has the sockets. */
  hall: Aldis;
  /** By what they tell each other that something happened, in words. */
  by: string;
}

export async function socketsPair({ quick, log, door, hall, by }: PairOptions): Promise<Measure[]> {
  const devices = quick ? 1000 : 10_000;
  const count = quick ? 2000 : 30_000;
  const headers = { authorization: `Bearer ${door.credentials.api_key}` };
  const ear: Ear = { hear: () => {} };
  const open = await openDevices(devices, {
    url: () => `${hall.credentials.url}/ws`,
    headers: (user) => ({ ...headers, 'x-user-id': user }),
    hear: (user, frame) => ear.hear(user, frame),
  });
  await using load = openLoad(door.credentials.url, 256, headers);
  const talks = await makeTalks(load, devices / 2);
  await quiet(() => [door, hall].map(({ child }) => tree(child.pid)[0] ?? child.pid));
  const { p50, p99, rate } = await frameTimes(talks, ear, { count, perSecond: PER_SECOND });
  log(`two instances, ${by}: ${round(rate)} a second, ${round(p50)} ms (50 %), ${round(p99)} ms (99 %)`);
  cutDevices(open);
  const name = `two instances by ${by}, ${PER_SECOND} messages a second: from answer to frame`;
  return [
    plainMeasure(`${name}, 50 %`, 'ms', p50),
    { ...plainMeasure('the same, 99 %', 'ms', p99), gate: `${P99_MS} ms`, pass: p99 < P99_MS },
  ];
}
