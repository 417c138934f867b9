import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../src/figures.ts';
import { temporaryFolder } from '../src/folder.ts';
import { newCustomer } from '../src/requests.ts';
import { wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { type Cluster, lanesByProcess, startCluster } from './cluster.ts';
import { judgeCluster } from './cluster-verdict.ts';
import { allowed, type DrillOptions, type Verdict } from './drill.ts';
import { CLOCK_FAILPOINTS } from './failpoint-rounds.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { seeded } from './random.ts';
import { plainMessage, type SteadyLoad, steadyLoad } from './steady-load.ts';

/*
 * clock: under a steady load an instance's clock is set three days on and three days back, and right again; then the database's
 * own is set three days back, and right again, which is three days on. libfaketime does it (Debian: `libfaketime`).
 *
 * Nothing scheduled leaves early, nothing is lost or doubled, and after each jump all lanes have living owners and every number
 * sends again within seconds: what was accepted "in the future" too.
 */

const INSTANCES = 2;
const SENDERS = 4;
const THREE_DAYS = 3 * 86_400;
const BACK_WITHIN_MS = 10_000;
/** Most milliseconds until every instance has seen a jump, and every lane an owner again: a renewal or two of a busy machine. */
const NOTICED_WITHIN_MS = 30_000;
const SOME_SECONDS_BACK = -20;
/** What the clocks of the drill and the provider may differ by, and what a time loses when it is written. Milliseconds. */
const SLACK_MS = 100;

export async function clock({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  using folder = temporaryFolder('aldis-clock');
  const ofInstance = fakeClock(join(folder.path, 'instance'));
  const ofDatabase = fakeClock(join(folder.path, 'database'));
  await using cluster = await startCluster({
    instances: INSTANCES,
    senders: SENDERS,
    env: short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s' } : {},
    memberEnv: (i) => (i === 1 ? ofInstance.env : {}),
    postgresEnv: () => ofDatabase.env,
  });
  const { credentials, senders } = cluster;
  const load = steadyLoad({
    url: credentials.url,
    apiKey: credentials.api_key,
    perSecond: short ? 40 : 100,
    body: (n) => plainMessage(`drill ${n}`, senders[n % senders.length]),
  });
  const breaches: string[] = [];
  const scheduled = new Map<string, number>();
  const back: number[] = [];
  for (const name of CLOCK_FAILPOINTS) {
    await killAt(cluster, name, ofDatabase, breaches);
    await flows(cluster, load);
    log(`killed at ${name}`);
  }
  const jumps = short ? 1 : 5;
  for (let jump = 0; jump < jumps; jump++) {
    for (const [name, fake, seconds] of [
      ["an instance's clock three days on", ofInstance, THREE_DAYS],
      ["an instance's clock three days back", ofInstance, -THREE_DAYS],
      ["an instance's clock right again", ofInstance, 0],
      ["the database's clock three days back", ofDatabase, -THREE_DAYS],
      ["the database's clock right again", ofDatabase, 0],
    ] as const) {
      await schedule(cluster, scheduled, 3000 + random.integer(0, 3000));
      await flows(cluster, load);
      const before = await steps(cluster);
      fake.set(seconds);
      const took = await flows(cluster, load);
      back.push(took);
      log(`${name}: every number sends again after ${Math.round(took)} ms`);
      if (fake === ofDatabase) await noticed(cluster, before, name, breaches);
      await sleep(short ? 500 : 5000);
      await until(
        'all lanes to have living owners',
        async () => (await lanesByProcess(cluster.db)).orphaned === 0 || null,
        {
          deadlineMs: NOTICED_WITHIN_MS,
        },
      ).catch((error: unknown) => breaches.push(`${name}: ${error}`));
    }
  }
  await load.stop();
  const last = performance.now();
  const acknowledged = new Map(load.acknowledged);
  for (const [text] of scheduled) acknowledged.set(text, ids.get(text) ?? '');
  const judged = await judgeCluster(cluster, { ...pick(load), acknowledged }, last, log, breaches);
  const early = await leftEarly(cluster, scheduled);
  if (early.length > 0) breaches.push(`${early.length} messages left before their time, for example ${early[0]}`);
  const p95 = Math.round(quantile(back, 0.95));
  if (p95 > allowed(BACK_WITHIN_MS, { short }))
    breaches.push(`after a jump the numbers send again only after ${p95} ms (p95)`);
  return {
    drill: 'clock',
    seed,
    short,
    counts: {
      jumps: back.length,
      back_p95_ms: p95,
      scheduled: scheduled.size,
      early: early.length,
      ...judged,
    },
    breaches,
  };
}

function steps({ members }: Cluster): Promise<number[]> {
  return Promise.all(members.map((one) => one.metric('aldis_clock_steps_total')));
}

/** Waits until every instance has noticed that the database's clock jumped: two jumps between two looks would be none. */
async function noticed(cluster: Cluster, before: readonly number[], name: string, breaches: string[]): Promise<void> {
  const all = async () => (await steps(cluster)).every((n, i) => n > (before[i] ?? 0)) || null;
  await until('every instance to notice', all, { deadlineMs: NOTICED_WITHIN_MS }).catch(() =>
    breaches.push(`${name} was not noticed by every instance`),
  );
}

/** Sets the database's clock back while an instance is to die when it follows; then the instance starts again, and the clock is right. */
async function killAt({ members }: Cluster, name: string, database: FakeClock, breaches: string[]): Promise<void> {
  const [one] = members;
  if (!one) throw new RangeError('a cluster has an instance');
  await one.kill();
  await one.start({ ALDIS_FAILPOINTS: `${name}=kill@1` });
  const { child } = one;
  database.set(SOME_SECONDS_BACK);
  await Promise.race([child?.exited, sleep(NOTICED_WITHIN_MS)]);
  if (!child?.errors().includes(`failpoint ${name} hit`)) breaches.push(`failpoint ${name} was not reached`);
  await one.kill();
  await one.start();
  database.set(0);
}

const ids = new Map<string, string>();

function pick({ acknowledged, breaches, counts }: SteadyLoad) {
  return { acknowledged, breaches, counts };
}

/** A message for later by each number, through each instance. */
async function schedule({ members, senders, credentials }: Cluster, scheduled: Map<string, number>, inMs: number) {
  for (const { url } of members) {
    for (const sender of senders) {
      const at = Date.now() + inMs;
      const text = `scheduled ${scheduled.size}`;
      const answer = await fetch(`${url}/api/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${credentials.api_key}` },
        body: JSON.stringify({
          recipient_phone: newCustomer(),
          sender_id: sender,
          content: { text },
          scheduled_at: new Date(at).toISOString(),
        }),
      });
      const body = (await answer.json()) as { id: string };
      if (answer.status !== 202)
        throw new Error(`a scheduled message was answered ${answer.status}: ${JSON.stringify(body)}`);
      scheduled.set(text, at);
      ids.set(text, body.id);
    }
  }
}

/** Waits until each number has sent a message that was not begun yet; gives how long that took. */
async function flows({ simulator, senders }: Cluster, load: SteadyLoad): Promise<number> {
  const began = performance.now();
  const first = load.begun;
  const seen = new Set<string>();
  let after = (await simulator.ledger(0)).total;
  await until(
    'every number to send',
    async () => {
      const { messages, next } = await simulator.ledger(after);
      for (const { body, phone_number_id: number } of messages) {
        const [, n] = /^drill (\d+)$/.exec((body as { text?: { body?: string } }).text?.body ?? '') ?? [];
        if (Number(n) >= first) seen.add(number);
      }
      after = next ?? after;
      return seen.size === senders.length || null;
    },
    { deadlineMs: 60_000, everyMs: 20 },
  );
  return performance.now() - began;
}

/** What the provider had before it was to leave, in words. */
async function leftEarly({ simulator }: Cluster, scheduled: ReadonlyMap<string, number>): Promise<string[]> {
  return (await wholeLedger(simulator)).flatMap(({ body, received_at }) => {
    const text = (body as { text?: { body?: string } }).text?.body ?? '';
    const at = scheduled.get(text);
    const early = at === undefined ? 0 : at - Date.parse(received_at);
    return early > SLACK_MS ? [`"${text}" ${early} ms`] : [];
  });
}
