import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../src/folder.ts';
import { openLoad } from '../src/load.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { newCustomer } from '../src/requests.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { ASKED, compareCauses, countStates, HELD_BY, tellTexts, timesSent } from './acknowledged.ts';
import { carefulClient } from './careful-client.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { FAILPOINT_ROUNDS, type FailpointRound } from './failpoint-rounds.ts';
import { type Visitor, visitFailpoint } from './failpoint-visit.ts';
import { type Random, seeded } from './random.ts';
import { openOf } from './read-all.ts';
import { addWebhook, compareWithLog, startWebhookSink, type WebhookSink } from './webhook-sink.ts';

/*
 * kill: Aldis dies again and again while its provider lives on.
 *
 * 1. Every failpoint is visited: armed with a kill at a seeded passage, under a small load of all kinds.
 * 2. 10,000 rows are imported at 500 a second, and `kill -9` comes at seeded times.
 * 3. Then a message a second on the same number, until nothing is open.
 *
 * The client repeats each request with its key until it is acknowledged. The verdict is the provider's own list against
 * what was acknowledged: each message there once, none missing, and none open 120 s after the last kill. A customer's server, which
 * dies at random during the import, ends with exactly the events of the log, each at least once.
 */

const SETTLED_WITHIN_MS = 120_000;
const IMPORT_PER_SECOND = 500;
/** Messages that one sender may send one recipient at once (whatsapp: the pair rate). */
const PAIR_BURST = 45;
/** What trips a breaker, which looks again after 5 s. */
const OVERLOAD = { kind: 'error', code: 131_016 };

interface Scenario extends Visitor {
  simulator: Simulator;
  /** Has the events of the tenant posted to it. */
  sink: WebhookSink;
  random: Random;
  /** A text that no other message of this drill has. */
  text(): string;
}

export async function kill({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  using folder = temporaryFolder('aldis-kill');
  await using simulator = await startSimulator();
  await using sink = await startWebhookSink();
  const env: Record<string, string> = {
    ALDIS_WEBHOOKS_OUT_ALLOW_PRIVATE: 'true',
    ...(short && { ALDIS_ENGINE_DOUBT_GRACE: '8s' }),
  };
  const start = (more: Record<string, string> = {}): Promise<Aldis> =>
    startAldis({ folder: folder.path, simulatorUrl: simulator.url, env: { ...env, ...more } });

  // The first start makes the tenant; its sender is the one number of the drill.
  const first = await start();
  const { sender_id, url, api_key } = first.credentials;
  await using api = openLoad(url, 1, { authorization: `Bearer ${api_key}` });
  await addWebhook(api, sink);
  await first.child.stop();
  await using client = carefulClient(sender_id);
  let n = 0;
  const scenario: Scenario = {
    simulator,
    sink,
    client,
    random,
    log,
    start,
    text: () => `drill ${seed} message ${n++}`,
    kills: 0,
  };

  const breaches = await visitFailpoints(scenario, short ? 1 : 5);
  // The customer's server dies as well, by choices of its own.
  const suffering = sink.suffer(seeded(seed + 1));
  await using aldis = await importUnderKills(scenario, short ? 2000 : 10_000, short ? [1200, 2200] : [1500, 4000]);
  const receiverKills = await suffering.live();
  const lastKill = performance.now();
  const unsettled = await trickleUntilSettled(scenario, lastKill, breaches);
  const settledAfter = Math.round((performance.now() - lastKill) / 1000);
  const counts = await judge(scenario, aldis, breaches);
  if (unsettled > 0)
    breaches.push(`${unsettled} messages still open ${SETTLED_WITHIN_MS / 1000} s after the last kill`);
  return {
    drill: 'kill',
    seed,
    short,
    counts: {
      kills: scenario.kills,
      receiver_kills: receiverKills,
      repeats: client.repeats,
      ...counts,
      unsettled,
      settled_after_s: settledAfter,
    },
    breaches,
  };
}

/** Kills at each failpoint, `times` times; gives those that were never passed. */
async function visitFailpoints(scenario: Scenario, times: number): Promise<string[]> {
  const missed: string[] = [];
  const pending: Promise<void>[] = [];
  for (let time = 0; time < times; time++) {
    for (const round of FAILPOINT_ROUNDS) {
      for (const name of round.after ?? []) await visit(scenario, { ...round, name }, pending);
      if (!(await visit(scenario, round, pending))) missed.push(`failpoint ${round.name} was not reached`);
    }
    // Whatever still waits for an acknowledgement gets it from a start that lives.
    await using aldis = await scenario.start();
    await scenario.client.connect(aldis.credentials);
    await Promise.all(pending.splice(0));
  }
  return missed;
}

/** Kills at one failpoint, under work of all kinds; tells whether it was reached. */
function visit(scenario: Scenario, round: FailpointRound, pending: Promise<void>[]): Promise<boolean> {
  const { client, random, simulator } = scenario;
  const { name, latest, withinMs = 20_000, env = {} } = round;
  return visitFailpoint(scenario, {
    name,
    passage: random.integer(1, latest),
    withinMs,
    every: 50,
    env,
    async work(turn, aldis) {
      if (turn === 5 && name.startsWith('handover.')) void aldis.child.stop();
      if (turn === 0 && name.startsWith('pause.')) await simulator.control('PUT', 'faults', { rules: [OVERLOAD] });
      // The first batch is of two chunks where a kill between chunks is wanted.
      const items = turn === 0 && name.startsWith('batch.') ? 600 : 3;
      if (turn % 8 === 0 && turn < 80) pending.push(client.sendBatch(Array.from({ length: items }, scenario.text)));
      pending.push(client.send(scenario.text()));
      // More at once than one recipient may have: the rest is put off.
      if (turn === 0 && name.startsWith('put_off.')) {
        const to = newCustomer();
        for (let i = 0; i < PAIR_BURST + 2; i++) pending.push(client.send(scenario.text(), to));
      }
      await simulator.customerWrites(`+62811000${String(turn % 10).padStart(4, '0')}`, `answer ${turn}`);
    },
    afterwards: () => simulator.control('DELETE', 'faults'),
  });
}

/** Imports rows at a steady pace while Aldis is killed at seeded times; gives the one that lives at the end. */
async function importUnderKills(
  scenario: Scenario,
  rows: number,
  [soonest, latest]: readonly [number, number],
): Promise<Aldis> {
  const { client, random, log } = scenario;
  let aldis = await scenario.start();
  await client.connect(aldis.credentials);
  let imported = false;
  const killing = (async () => {
    while (!imported) {
      await sleep(random.integer(soonest, latest));
      await aldis.child.kill();
      scenario.kills++;
      log(`kill -9 with ${client.acknowledged.size} acknowledged`);
      aldis = await scenario.start();
      await client.connect(aldis.credentials);
    }
  })();
  const began = performance.now();
  const importing = Array.from({ length: rows }, (_, row) => row);
  const sends: Promise<void>[] = [];
  for (const row of importing) {
    const wait = began + (row * 1000) / IMPORT_PER_SECOND - performance.now();
    if (wait > 1) await sleep(wait);
    // Every twentieth group of hundred goes as a batch under one key, the others one by one.
    if (row % 2000 < 1900) sends.push(client.send(scenario.text()));
    else if (row % 100 === 0) sends.push(client.sendBatch(Array.from({ length: 100 }, scenario.text)));
  }
  await Promise.all(sends);
  imported = true;
  await killing;
  return aldis;
}

/** A message a second, so that receipts flow, until the import's messages are settled; gives how many are not in time. */
async function trickleUntilSettled(scenario: Scenario, since: number, breaches: string[]): Promise<number> {
  const { client, log } = scenario;
  const ours = new Set(client.acknowledged.values());
  let unsettled = ours.size;
  while (performance.now() - since < SETTLED_WITHIN_MS) {
    await client.send(scenario.text());
    await sleep(1000);
    const open = await openOf(client.get, ours);
    if (open === null) continue;
    unsettled = open.length;
    const why = await compareCauses(
      (path) => client.get(path),
      open.slice(0, ASKED),
      [...HELD_BY, 'pair_rate'],
      breaches,
    );
    log(`${unsettled} not settled${why && `: ${why}`}`);
    if (unsettled === 0) break;
  }
  return unsettled;
}

/** The provider's list against the acknowledged messages, and what Aldis says of each. */
async function judge(scenario: Scenario, aldis: Aldis, breaches: string[]): Promise<Record<string, number>> {
  const { client, simulator } = scenario;
  const times = await timesSent(simulator, client.acknowledged, 10_000);
  const lost = [...client.acknowledged.keys()].filter((text) => !times.has(text));
  const doubled = [...times].filter(([, count]) => count > 1).map(([text]) => text);
  const unknown = [...times.keys()].filter((text) => !client.acknowledged.has(text));
  tellTexts(breaches, { lost, doubled, unknown });
  breaches.push(...client.contradictions);
  const all = [...client.acknowledged.values()];
  const states = await countStates(all, (path) => client.get(path), breaches);
  const posted = await compareWithLog((path) => client.get(path), scenario.sink, breaches);
  await aldis.child.stop();
  return {
    ...posted,
    acknowledged: all.length,
    lost: lost.length,
    doubled: doubled.length,
    ...Object.fromEntries([...states].map(([state, count]) => [`state_${state}`, count])),
  };
}
