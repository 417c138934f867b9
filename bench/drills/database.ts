import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from '../src/fault-proxy.ts';
import { quantile } from '../src/figures.ts';
import { temporaryFolder } from '../src/folder.ts';
import { openLoad } from '../src/load.ts';
import { type Postgres, startPostgres } from '../src/postgres.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { compareWithLedger, untilSettled } from './acknowledged.ts';
import { allowed, type DrillOptions, type Verdict } from './drill.ts';
import { type Random, seeded } from './random.ts';
import { plainMessage, type SteadyLoad, steadyLoad } from './steady-load.ts';

/*
 * database: two instances send and hear of receipts, and their PostgreSQL fails under them: restarted fast and at once, its
 * main process killed, its connections cut, and half-open, so that nobody is told anything.
 *
 * What is acknowledged is at the provider once. While the database is away requests are answered 503 within seconds. When it
 * is back, messages leave again within 10 s.
 */

const INSTANCES = 2;
const PER_SECOND = 25;
/** Sending again within that, as the 95th percentile. */
const BACK_WITHIN_MS = 10_000;
const SETTLED_WITHIN_MS = 120_000;
/** What breaks it. The order of a run is the seed's; each comes once before any comes again. */
const FAULTS = ['fast', 'immediate', 'kill', 'cut', 'strand', 'silence'] as const;
type Fault = (typeof FAULTS)[number];

interface Stage {
  postgres: Postgres;
  proxy: FaultProxy;
  simulator: Simulator;
  random: Random;
  /** Milliseconds that it stays away: the shortest and the longest. */
  away: readonly [number, number];
}

export async function database({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  using folder = temporaryFolder('aldis-database');
  await using postgres = await startPostgres({ folder: join(folder.path, 'postgres') });
  await using proxy = await startFaultProxy(postgres.port);
  await using simulator = await startSimulator();
  const stage: Stage = { postgres, proxy, simulator, random, away: short ? [300, 1500] : [300, 9000] };

  const shared = {
    ALDIS_DATABASE_URL: proxy.through(postgres.url),
    ALDIS_API_KEY: randomBytes(24).toString('hex'),
    ALDIS_SECRETS_ENCRYPTION_KEYS: `1:${randomBytes(32).toString('base64')}`,
    ALDIS_DEMO_SENDERS: '4',
    ...(short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s' } : {}),
  };
  await using running = new AsyncDisposableStack();
  const instances: Aldis[] = [];
  for (let i = 0; i < INSTANCES; i++) {
    const own = { folder: join(folder.path, `instance${i}`), simulatorUrl: simulator.url, env: shared };
    instances.push(running.use(await startAldis(own)));
  }
  const senders = instances[0]?.credentials.sender_ids ?? [];
  const loads = instances.map(({ credentials }, i) =>
    steadyLoad({
      url: credentials.url,
      apiKey: credentials.api_key,
      perSecond: PER_SECOND,
      body: (n) => plainMessage(`drill ${i} ${n}`, senders[n % senders.length]),
    }),
  );
  await flows(simulator, loads, senders.length);

  const breaches: string[] = [];
  const back: number[] = [];
  for (const fault of plan(random, short ? FAULTS.length : 50)) {
    const away = await strike(stage, fault);
    const took = await flows(simulator, loads, senders.length).catch(() => null);
    if (took === null) {
      breaches.push(`after ${fault} messages did not leave again: ${await whyNot(instances)}`);
      for (const { child } of instances) log(child.errors().slice(-4000));
      break;
    }
    back.push(took);
    log(`${fault}: away for ${Math.round(away)} ms, messages left again after ${Math.round(took)} ms`);
    await sleep(random.integer(200, 600));
  }
  await Promise.all(loads.map((load) => load.stop()));
  const last = performance.now();
  const counts = await judge({ simulator, instances, loads, since: last, log }, breaches);
  const p95 = quantile(back, 0.95);
  if (p95 > allowed(BACK_WITHIN_MS, { short }))
    breaches.push(`messages left again only after ${Math.round(p95)} ms (p95)`);
  for (const [i, { child }] of instances.entries()) {
    const how = await Promise.race([child.exited, sleep(0, null)]);
    if (how !== null) breaches.push(`instance ${i} ended by itself (${how}): ${child.errors().slice(-1000)}`);
  }
  return {
    drill: 'database',
    seed,
    short,
    counts: { faults: back.length, back_p50_ms: ms(quantile(back, 0.5)), back_p95_ms: ms(p95), ...counts },
    breaches,
  };
}

const ms = Math.round;

/** Every fault in a seeded order, again and again. */
function plan(random: Random, count: number): Fault[] {
  const all: Fault[] = [];
  while (all.length < count) {
    const left: Fault[] = [...FAULTS];
    while (left.length > 0) all.push(...left.splice(random.integer(0, left.length - 1), 1));
  }
  return all.slice(0, count);
}

/** Breaks it and mends it; gives how long it was away. It is back when this resolves. */
async function strike({ postgres, proxy, random, away }: Stage, fault: Fault): Promise<number> {
  const pause = random.integer(...away);
  const began = performance.now();
  switch (fault) {
    case 'cut':
      proxy.cut();
      return 0;
    case 'strand':
      proxy.strand();
      return 0;
    case 'silence':
      // Long enough for what hangs to be noticed.
      proxy.silence();
      await sleep(pause + 2500);
      await proxy.heal();
      break;
    default:
      await postgres.stop(fault);
      await sleep(pause);
      await postgres.start();
  }
  return performance.now() - began;
}

/**
 * Waits until the provider has, by each number and through each instance, a message that was not begun yet; gives how long that
 * took.
 */
async function flows(simulator: Simulator, loads: readonly SteadyLoad[], numbers: number): Promise<number> {
  const began = performance.now();
  const first = loads.map((load) => load.begun);
  const seen = new Set<string>();
  let after = (await simulator.ledger(0)).total;
  const look = async (): Promise<true | null> => {
    const { messages, next } = await simulator.ledger(after);
    for (const { body, phone_number_id: number } of messages) {
      const [, load, n] = /^drill (\d+) (\d+)$/.exec((body as { text?: { body?: string } }).text?.body ?? '') ?? [];
      if (Number(n) >= (first[Number(load)] ?? Number.POSITIVE_INFINITY)) seen.add(`${load} ${number}`);
    }
    after = next ?? after;
    return seen.size === loads.length * numbers || null;
  };
  await until('messages to leave again', look, { deadlineMs: 60_000, everyMs: 20 });
  return performance.now() - began;
}

/** What the instances say of themselves, and of a few messages that have not left. */
async function whyNot(instances: readonly Aldis[]): Promise<string> {
  const said: string[] = [];
  for (const { credentials } of instances) {
    await using api = openLoad(credentials.url, 4, { authorization: `Bearer ${credentials.operator_key}` });
    for (const path of ['/ready', '/health']) {
      const { status, body } = await api.ask(path);
      said.push(`${path} ${status} ${JSON.stringify(body)}`);
    }
    const { body } = await api.ask('/api/v1/messages?status=queued&limit=3');
    for (const { id } of (body as { messages?: { id: string }[] }).messages ?? []) {
      said.push(JSON.stringify((await api.ask(`/api/v1/messages/${id}/explain`)).body));
    }
  }
  return said.join('\n');
}

interface Judged {
  simulator: Simulator;
  instances: readonly Aldis[];
  loads: readonly SteadyLoad[];
  since: number;
  log: (text: string) => void;
}

/** What each load noted, and the provider's list against what was acknowledged. */
async function judge(judged: Judged, breaches: string[]): Promise<Record<string, number>> {
  const { simulator, instances, loads, since, log } = judged;
  const [first] = instances;
  if (!first) throw new Error('no instance was started');
  const acknowledged = new Map(loads.flatMap((load) => [...load.acknowledged]));
  await using api = openLoad(first.credentials.url, 32, { authorization: `Bearer ${first.credentials.api_key}` });
  const trickle = (n: number) =>
    first.credentials.sender_ids?.map((sender) => plainMessage(`trickle ${n} ${sender}`, sender).body) ?? [];
  const settling = { api, acknowledged, trickle, withinMs: SETTLED_WITHIN_MS, log, breaches };
  const unsettled = await untilSettled(settling);
  const settledAfter = ms((performance.now() - since) / 1000);
  if (unsettled > 0) breaches.push(`${unsettled} messages are still open after ${SETTLED_WITHIN_MS / 1000} s`);
  const compared = await compareWithLedger({ api, simulator, acknowledged }, breaches);
  for (const load of loads) breaches.push(...load.breaches);
  const sum = (pick: (load: SteadyLoad) => number): number => loads.reduce((total, load) => total + pick(load), 0);
  return {
    ...compared,
    unsettled,
    settled_after_s: settledAfter,
    answered_503: sum(({ counts }) => counts.refused),
    unanswered: sum(({ counts }) => counts.unanswered),
    slowest_request_ms: ms(Math.max(...loads.map(({ slowest }) => slowest))),
  };
}
