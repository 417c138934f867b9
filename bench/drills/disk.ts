import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadClient, openLoad } from '../src/load.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { compareWithLedger, untilSettled } from './acknowledged.ts';
import { allowed, type DrillOptions, type Verdict } from './drill.ts';
import { type LoopDisk, loopDisk } from './loop-disk.ts';
import { seeded } from './random.ts';
import { plainMessage, type SteadyLoad, steadyLoad } from './steady-load.ts';

/*
 * disk: the disk of the embedded store fills up under load, first down to what is kept in reserve, then wholly, and is emptied again.
 *
 * While it is full, requests are answered 503 `storage_full`, messages can be read, and what was accepted before goes on
 * leaving as long as there is reserve. When there is room it goes on by itself. Nothing that was acknowledged is lost, and no message
 * of a customer, for what cannot be stored is refused and the provider tells it again.
 */

const PER_SECOND = 40;
const DISK = '700M';
const MIB = 2 ** 20;
/** What the server keeps in reserve, and a little less. */
const BELOW_RESERVE = 150 * MIB;
/** Milliseconds after which a full disk is told, and a disk with room is noticed. */
const NOTICED_MS = 5000;
const SETTLED_WITHIN_MS = 120_000;

interface Stage {
  short: boolean;
  disk: LoopDisk;
  simulator: Simulator;
  aldis: Aldis;
  api: LoadClient;
  load: SteadyLoad;
  breaches: string[];
}

export async function disk({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  const breaches: string[] = [];
  await using simulator = await startSimulator();
  await using loop = await loopDisk(DISK);
  const folder = join(loop.path, 'data');
  mkdirSync(folder, { mode: 0o755 });
  await using aldis = await startAldis({
    folder,
    simulatorUrl: simulator.url,
    env: short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s' } : {},
  });
  const { url, api_key: apiKey } = aldis.credentials;
  await using api = openLoad(url, 16, { authorization: `Bearer ${apiKey}` });
  const load = steadyLoad({
    url,
    apiKey,
    perSecond: PER_SECOND,
    body: (n) => plainMessage(`drill ${seed} message ${n}`),
    reasons: ['storage_full', 'unavailable', 'overloaded'],
  });
  const stage: Stage = { short, disk: loop, simulator, aldis, api, load, breaches };
  const wrote = customersWrite(simulator);
  await until('some messages to be acknowledged', () => load.acknowledged.size > PER_SECOND || null);

  const noticed: number[] = [];
  const back: number[] = [];
  for (let time = 0; time < (short ? 1 : 20); time++) {
    loop.fill(BELOW_RESERVE);
    noticed.push(await untilRefused(stage));
    await compareReading(stage, 'reserve');
    await leaving(stage);
    loop.fill(0);
    await sleep(short ? 1500 : random.integer(1000, 15_000));
    await compareReading(stage, 'full');
    loop.empty();
    back.push(await untilAccepted(stage));
    log(`refused after ${ms(noticed.at(-1))} ms, accepted again after ${ms(back.at(-1))} ms`);
    await sleep(random.integer(300, 1000));
  }
  await load.stop();
  const customers = await wrote.stop();

  const trickle = (n: number) => [plainMessage(`trickle ${n}`).body];
  const settling = { api, acknowledged: load.acknowledged, trickle, withinMs: SETTLED_WITHIN_MS, log, breaches };
  const unsettled = await untilSettled(settling);
  if (unsettled > 0) breaches.push(`${unsettled} messages are still open after ${SETTLED_WITHIN_MS / 1000} s`);
  const compared = await compareWithLedger({ api, simulator, acknowledged: load.acknowledged }, breaches);
  await compareReceived(stage, customers);
  breaches.push(...load.breaches);
  const how = await Promise.race([aldis.child.exited, sleep(0, null)]);
  if (how !== null) breaches.push(`Aldis ended by itself (${how}): ${aldis.child.errors().slice(-1000)}`);
  await aldis.child.stop();
  return {
    drill: 'disk',
    seed,
    short,
    counts: {
      times: back.length,
      noticed_ms: ms(Math.max(...noticed)),
      back_ms: ms(Math.max(...back)),
      received: customers,
      ...compared,
      unsettled,
      answered_503: load.counts.refused,
      slowest_request_ms: ms(load.slowest),
    },
    breaches,
  };
}

function ms(value = Number.NaN): number {
  return Math.round(value);
}

/** Asks until a message is refused because the disk is full; gives the milliseconds. */
async function untilRefused({ short, api, breaches }: Stage): Promise<number> {
  const began = performance.now();
  const body = (): string => JSON.stringify(plainMessage('trickle while it fills').body);
  const refused = await until(
    'a message to be refused',
    async () => {
      const answer = await api.ask('/api/v1/messages', { method: 'POST', body: body() });
      return answer.status === 202 ? null : answer;
    },
    { deadlineMs: 30_000, everyMs: 100 },
  );
  const took = performance.now() - began;
  const { error, message } = refused.body as { error: string; message: string };
  if (refused.status !== 503 || error !== 'storage_full' || !message.includes('disk')) {
    breaches.push(`a full disk was told as ${refused.status} ${error}: ${message}`);
  }
  if (took > allowed(NOTICED_MS, { short })) breaches.push(`a full disk was noticed after ${ms(took)} ms`);
  const ready = await api.ask('/ready');
  if (ready.status !== 503) breaches.push(`/ready answered ${ready.status} with a full disk`);
  return took;
}

/** Messages and lists can be read. */
async function compareReading({ api, load, breaches }: Stage, when: string): Promise<void> {
  const ids = [...load.acknowledged.values()].slice(0, 5);
  for (const path of ['/api/v1/messages?limit=10', ...ids.map((id) => `/api/v1/messages/${id}`)]) {
    const { status, body } = await api.ask(path);
    if (status !== 200) breaches.push(`${when}: ${path} was answered ${status}: ${JSON.stringify(body)}`);
  }
}

/** What is accepted leaves, although the disk is nearly full. */
async function leaving({ api, load, breaches }: Stage): Promise<void> {
  const ids = new Set(load.acknowledged.values());
  const open = await until(
    'what was accepted to leave',
    async () => {
      const { body } = await api.ask('/api/v1/messages?status=queued&limit=100');
      const left = (body as { messages: { id: string }[] }).messages.filter(({ id }) => ids.has(id));
      return left.length === 0 ? [] : null;
    },
    { deadlineMs: 30_000 },
  ).catch(() => null);
  if (open === null) breaches.push('what was accepted does not leave while the disk is nearly full');
}

async function untilAccepted({ short, load, breaches }: Stage): Promise<number> {
  const began = performance.now();
  const before = load.acknowledged.size;
  await until('messages to be accepted again', () => load.acknowledged.size > before || null, { everyMs: 20 });
  const took = performance.now() - began;
  if (took > allowed(NOTICED_MS, { short }))
    breaches.push(`messages were accepted again only ${ms(took)} ms after there was room`);
  return took;
}

/** Customers write all the time. */
function customersWrite(simulator: Simulator): { stop(): Promise<number> } {
  let written = 0;
  let stopping = false;
  const writing = (async () => {
    while (!stopping) {
      await simulator.customerWrites(`+6281100${String(written % 100).padStart(5, '0')}`, `customer ${written}`);
      written++;
      await sleep(50);
    }
  })();
  return {
    async stop() {
      stopping = true;
      await writing;
      return written;
    },
  };
}

/** Each message of a customer is here once, however often the provider had to tell it. */
async function compareReceived({ api, breaches }: Stage, written: number): Promise<void> {
  const count = async (): Promise<number> => {
    const { body } = await api.ask('/api/v1/messages/statistics');
    return (body as { by_direction: Record<string, number> }).by_direction['inbound'] ?? 0;
  };
  const all = async (): Promise<true | null> => ((await count()) >= written ? true : null);
  await until('every message of a customer', all, { deadlineMs: 30_000, everyMs: 200 }).catch(() => null);
  const here = await count();
  if (here !== written) breaches.push(`customers wrote ${written} messages, and ${here} are here`);
}
