import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../src/folder.ts';
import { pour } from '../src/load.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { type Simulator, startSimulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { type CarefulClient, carefulClient } from './careful-client.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { FAILPOINT_ROUNDS, type FailpointRound } from './failpoint-rounds.ts';
import { type Random, seeded } from './random.ts';

/*
 * kill: Aldis dies again and again while its provider lives on.
 *
 * 1. Every failpoint is visited: armed with a kill at a seeded passage, under a small load of all kinds.
 * 2. 10,000 rows are imported at 500 a second, and `kill -9` comes at seeded times.
 * 3. Then a message a second on the same number, until nothing is open.
 *
 * The client repeats each request with its key until it is acknowledged. The verdict is the provider's own list against
 * what was acknowledged: each message there once, none missing, and none open 120 s after the last kill.
 */

const SETTLED_WITHIN_MS = 120_000;
const IMPORT_PER_SECOND = 500;

interface Scenario {
  simulator: Simulator;
  client: CarefulClient;
  random: Random;
  log(text: string): void;
  start(env?: Record<string, string>): Promise<Aldis>;
  /** A text that no other message of this drill has. */
  text(): string;
  kills: number;
}

export async function kill({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  using folder = temporaryFolder('aldis-kill');
  await using simulator = await startSimulator();
  const env: Record<string, string> = short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s' } : {};
  const start = (more: Record<string, string> = {}): Promise<Aldis> =>
    startAldis({ folder: folder.path, simulatorUrl: simulator.url, env: { ...env, ...more } });

  // The first start makes the tenant; its sender is the one number of the drill.
  const first = await start();
  const { sender_id } = first.credentials;
  await first.child.stop();
  await using client = carefulClient(sender_id);
  let n = 0;
  const scenario: Scenario = {
    simulator,
    client,
    random,
    log,
    start,
    text: () => `drill ${seed} message ${n++}`,
    kills: 0,
  };

  const breaches = await visitFailpoints(scenario, short ? 1 : 5);
  await using aldis = await importUnderKills(scenario, short ? 2000 : 10_000, short ? [1200, 2200] : [1500, 4000]);
  const lastKill = performance.now();
  const unsettled = await trickleUntilSettled(scenario, lastKill);
  const settledAfter = Math.round((performance.now() - lastKill) / 1000);
  const counts = await judge(scenario, aldis, breaches);
  if (unsettled > 0)
    breaches.push(`${unsettled} messages still open ${SETTLED_WITHIN_MS / 1000} s after the last kill`);
  return {
    drill: 'kill',
    seed,
    short,
    counts: { kills: scenario.kills, repeats: client.repeats, ...counts, unsettled, settled_after_s: settledAfter },
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

/** Starts with one failpoint armed and gives all kinds of work until Aldis dies of it; tells whether it did. */
async function visit(scenario: Scenario, round: FailpointRound, pending: Promise<void>[]): Promise<boolean> {
  const { client, random, log, simulator } = scenario;
  const { name, latest, withinMs = 20_000 } = round;
  const rule = `${name}=kill@${random.integer(1, latest)}`;
  const hit = `failpoint ${name} hit`;
  let aldis: Aldis;
  try {
    aldis = await scenario.start({ ALDIS_FAILPOINTS: rule });
  } catch (error) {
    // Some are passed before it is ready.
    if (!String(error).includes(hit)) throw error;
    scenario.kills++;
    log(`${rule}: killed while starting`);
    return true;
  }
  await client.connect(aldis.credentials);
  let dead = false;
  const died = aldis.child.exited.then(() => {
    dead = true;
  });
  const end = performance.now() + withinMs;
  for (let i = 0; !dead && performance.now() < end; i++) {
    // The first batch is of two chunks where a kill between chunks is wanted.
    const items = i === 0 && name.startsWith('batch.') ? 600 : 3;
    if (i % 8 === 0 && i < 80) pending.push(client.sendBatch(Array.from({ length: items }, scenario.text)));
    pending.push(client.send(scenario.text()));
    await simulator.customerWrites(`+62811000${String(i % 10).padStart(4, '0')}`, `answer ${i}`);
    await Promise.race([died, sleep(50)]);
  }
  if (!dead) {
    log(`${rule}: not reached`);
    await aldis.child.kill();
    return false;
  }
  if (!aldis.child.errors().includes(hit)) throw new Error(`Aldis died by itself:\n${aldis.child.errors()}`);
  log(`${rule}: killed`);
  scenario.kills++;
  return true;
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
async function trickleUntilSettled(scenario: Scenario, since: number): Promise<number> {
  const { client, log } = scenario;
  const ours = new Set(client.acknowledged.values());
  let unsettled = ours.size;
  while (performance.now() - since < SETTLED_WITHIN_MS) {
    await client.send(scenario.text());
    await sleep(1000);
    const { body } = await client.get('/api/v1/messages?status=queued&limit=100');
    const queued = (body as { messages: { id: string }[] }).messages.map(({ id }) => id);
    // A full page may hide more.
    if (queued.length < 100) unsettled = queued.filter((id) => ours.has(id)).length;
    log(`${unsettled} not settled`);
    if (unsettled === 0) break;
  }
  return unsettled;
}

/** The provider's list against the acknowledged messages, and what Aldis says of each. */
async function judge(scenario: Scenario, aldis: Aldis, breaches: string[]): Promise<Record<string, number>> {
  const { client, simulator } = scenario;
  const times = new Map<string, number>();
  // The last ones of the trickle may still be on their way.
  await until(
    'the last message to be at the provider',
    async () => {
      times.clear();
      for (const { body } of await wholeLedger(simulator)) {
        const text = (body as { text?: { body?: string } }).text?.body ?? '';
        times.set(text, (times.get(text) ?? 0) + 1);
      }
      return [...client.acknowledged.keys()].every((text) => times.has(text)) || null;
    },
    { deadlineMs: 10_000, everyMs: 500 },
  ).catch(() => {});
  const lost = [...client.acknowledged.keys()].filter((text) => !times.has(text));
  const doubled = [...times].filter(([, count]) => count > 1).map(([text]) => text);
  const unknown = [...times.keys()].filter((text) => !client.acknowledged.has(text));
  const tell = (what: string, texts: readonly string[]): void => {
    if (texts.length > 0) breaches.push(`${texts.length} ${what}, for example "${texts[0]}"`);
  };
  tell('acknowledged messages never sent', lost);
  tell('messages sent more than once', doubled);
  tell('messages sent that nobody was told of', unknown);
  breaches.push(...client.contradictions);

  const states = new Map<string, number>();
  const all = [...client.acknowledged.values()];
  await pour(all.length, 32, async (i) => {
    const { status, body } = await client.get(`/api/v1/messages/${all[i]}`);
    const state = status === 200 ? (body as { state: string }).state : `answered ${status}`;
    states.set(state, (states.get(state) ?? 0) + 1);
  });
  for (const [state, count] of states) {
    if (!['sent', 'delivered', 'read'].includes(state)) breaches.push(`${count} messages are ${state}`);
  }
  await aldis.child.stop();
  return {
    acknowledged: all.length,
    lost: lost.length,
    doubled: doubled.length,
    ...Object.fromEntries([...states].map(([state, count]) => [`state_${state}`, count])),
  };
}
