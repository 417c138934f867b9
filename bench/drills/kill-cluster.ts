import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../src/figures.ts';
import { wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { type Cluster, type Member, numbersOf, startCluster } from './cluster.ts';
import { judgeCluster } from './cluster-verdict.ts';
import { allowed, type DrillOptions, type Verdict } from './drill.ts';
import { seeded } from './random.ts';
import { plainMessage, steadyLoad } from './steady-load.ts';

/*
 * kill --what cluster: four instances share the lanes of one PostgreSQL under a steady load, and `kill -9` hits a random one
 * again and again, which starts again a moment later. At least two live at any time.
 *
 * What is acknowledged is at the provider once. After a kill each of the dead instance's numbers sends again within 10 s (p95):
 * whoever takes its lane sends what was queued there, in its order.
 */

const INSTANCES = 4;
const SENDERS = 8;
const BACK_WITHIN_MS = 10_000;
/** What had left a process before its death may arrive so much later. Milliseconds. */
const ON_THE_WIRE_MS = 250;

interface Kill {
  at: number;
  numbers: readonly string[];
}

export async function killCluster({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  const plan = short
    ? { kills: 12, messages: 1000, perSecond: 60, pause: [500, 1100] }
    : { kills: 200, messages: 100_000, perSecond: 300, pause: [900, 2200] };
  await using cluster = await startCluster({
    instances: INSTANCES,
    senders: SENDERS,
    env: short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s' } : {},
  });
  const { members, db, senders, credentials } = cluster;
  log(`${members.length} instances run`);
  const load = steadyLoad({
    url: credentials.url,
    apiKey: credentials.api_key,
    perSecond: plan.perSecond,
    body: (n) => plainMessage(`drill ${n}`, senders[n % senders.length]),
  });
  const kills: Kill[] = [];
  const restarts = new Set<Promise<void>>();
  while (kills.length < plan.kills) {
    await sleep(random.integer(plan.pause[0] ?? 0, plan.pause[1] ?? 0));
    while (members.filter(({ up }) => up).length <= 2) await Promise.race(restarts);
    const one = random.pick(members.filter(({ up }) => up));
    const numbers = await numbersOf(db, one.child?.pid ?? 0);
    await one.kill();
    kills.push({ at: Date.now(), numbers });
    log(`kill -9 of ${one.name} with ${numbers.length} lanes, ${load.acknowledged.size} acknowledged`);
    const restart = startAgain(one, random.integer(100, 1500)).finally(() => restarts.delete(restart));
    restarts.add(restart);
  }
  await Promise.all(restarts);
  log(`${kills.length} kills, ${load.acknowledged.size} acknowledged`);
  await until('enough messages', () => load.acknowledged.size >= plan.messages || null, { deadlineMs: 900_000 });
  await sent(cluster, kills.at(-1)?.at ?? 0);
  await load.stop();
  const last = performance.now();
  const breaches: string[] = [];
  const judged = await judgeCluster(cluster, load, last, log, breaches);
  const back = backAfter(kills, await wholeLedger(cluster.simulator));
  const p95 = Math.round(quantile(back, 0.95));
  log(`numbers sent again after ${back.map((ms) => (ms / 1000).toFixed(1)).join(' ')} s`);
  if (back.length === 0) breaches.push('no killed instance owned a lane');
  if (p95 > allowed(BACK_WITHIN_MS, { short }))
    breaches.push(`a dead instance's numbers send again only after ${p95} ms (p95)`);
  const [epochs] = await db.query<{ n: number }>({
    name: 'drill_epochs',
    text: 'select sum(epoch)::int as n from lanes',
  });
  return {
    drill: 'kill cluster',
    seed,
    short,
    counts: {
      kills: kills.length,
      takeovers: epochs?.n ?? 0,
      back_p50_ms: Math.round(quantile(back, 0.5)),
      back_p95_ms: p95,
      back_max_ms: Math.round(Math.max(...back)),
      ...judged,
    },
    breaches,
  };
}

async function startAgain(member: Member, afterMs: number): Promise<void> {
  await sleep(afterMs);
  await member.start();
}

/** Waits until each number has sent something that came after a time, so that its lane has an owner who works. */
async function sent({ simulator, senders }: Cluster, after: number): Promise<void> {
  await until(
    'every number to send after the last kill',
    async () => {
      const numbers = (await wholeLedger(simulator))
        .filter(({ received_at }) => Date.parse(received_at) > after + ON_THE_WIRE_MS)
        .map(({ phone_number_id }) => phone_number_id);
      return new Set(numbers).size === senders.length || null;
    },
    { deadlineMs: 60_000, everyMs: 500 },
  );
}

/**
 * For each number of each kill the milliseconds until it sent again. Where whoever took its lane was killed in its turn before it
 * sent anything, that kill counts.
 */
function backAfter(
  kills: readonly Kill[],
  ledger: readonly { phone_number_id: string; received_at: string }[],
): number[] {
  const times = new Map<string, number[]>();
  for (const { phone_number_id: number, received_at } of ledger) {
    const all = times.get(number);
    if (all) all.push(Date.parse(received_at));
    else times.set(number, [Date.parse(received_at)]);
  }
  return kills.flatMap(({ at, numbers }, i) =>
    numbers.flatMap((number) => {
      const next = times.get(number)?.find((time) => time > at + ON_THE_WIRE_MS) ?? Number.POSITIVE_INFINITY;
      const again = kills.slice(i + 1).some((later) => later.at < next && later.numbers.includes(number));
      return again ? [] : [next - at];
    }),
  );
}
