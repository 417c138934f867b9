import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../src/folder.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { type CarefulClient, carefulClient } from './careful-client.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { type Visitor, visitFailpoint } from './failpoint-visit.ts';
import { seeded } from './random.ts';
import { type ActName, createActs, type Place, type Stage } from './whatsapp-acts.ts';
import { newBook } from './whatsapp-book.ts';
import { WHATSAPP_ROUNDS, type WhatsAppRound } from './whatsapp-rounds.ts';
import { compareAll, openWork } from './whatsapp-verdict.ts';

/*
 * kill --what whatsapp: Aldis dies again and again while it does everything that is no plain sending.
 *
 * 1. Each failpoint of files, templates, consent, accounts, exports, fallbacks and secrets is armed with a kill at a seeded
 *    passage, while what leads there happens.
 * 2. Everything happens beside each other, and `kill -9` comes at seeded times.
 * 3. Then nothing but a message a second from each number, until nothing is open.
 *
 * The provider's lists and ours must then be what was promised (see `whatsapp-verdict.ts`).
 */

const SETTLED_WITHIN_MS = 120_000;
const REACHED_WITHIN_MS = 30_000;
/** Rows of an export: more than a part of a file has. */
const FILLER = 20_500;
/** What happens in the second part, each as often as it is named. */
const MIX: readonly ActName[] = [
  ...([
    'plain',
    'plain',
    'plain',
    'fileIn',
    'fileIn',
    'fileOut',
    'fileOut',
    'pausedTemplate',
    'template',
    'optOut',
  ] as const),
  ...([
    'optOut',
    'saysStop',
    'fallback',
    'fallback',
    'fallbackAtOnce',
    'block',
    'move',
    'account',
    'syncTemplates',
    'export',
  ] as const),
];
const MAIN_NUMBER = '106540352242922';
const MAIN_ACCOUNT = '102290129340398';
const OTHERS = { paused: '300000000000001', moving: '300000000000002' } as const;

interface Scene extends Stage, Visitor {
  acts: ReturnType<typeof createActs>;
  /** What waits for an acknowledgement. */
  pending: Set<Promise<void>>;
  failures: unknown[];
}

export async function killWhatsApp({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  using folder = temporaryFolder('aldis-kill-whatsapp');
  await using simulator = await startSimulator();
  await simulator.control('PUT', 'settings', { enforce: { window: true }, template_review_ms: 300 });
  const keys: string[] = [];
  // It begins anew at each start, and the provider tells again of what it could not tell at most 5 s later.
  const grace: Record<string, string> = short ? { ALDIS_ENGINE_DOUBT_GRACE: '10s' } : {};
  const newKey = (): void => {
    keys.push(`${keys.length + 1}:${randomBytes(32).toString('base64')}`);
  };
  let operatorKey = '';
  const start = async (env: Record<string, string> = {}): Promise<Aldis> => {
    const common = { ...grace, ALDIS_SECRETS_ENCRYPTION_KEYS: keys.join(',') };
    const aldis = await startAldis({ folder: folder.path, simulatorUrl: simulator.url, env: { ...common, ...env } });
    operatorKey = aldis.credentials.operator_key;
    return aldis;
  };

  newKey();
  const first = await start();
  await using client = carefulClient(first.credentials.sender_id);
  await client.connect(first.credentials);
  const main = { sender: first.credentials.sender_id, number: MAIN_NUMBER, account: MAIN_ACCOUNT };
  const stage: Stage = {
    client,
    simulator,
    random,
    seed,
    book: newBook(),
    main,
    paused: await addPlace(client, simulator, OTHERS.paused),
    moving: await addPlace(client, simulator, OTHERS.moving),
    mostExports: short ? 4 : 30,
    operatorKey: () => operatorKey,
  };
  const acts = createActs(stage);
  const scene: Scene = { ...stage, acts, log, start, pending: new Set(), failures: [], kills: 0 };
  await acts.fill(FILLER);
  await first.child.stop();

  const breaches: string[] = [];
  for (let time = 0; time < (short ? 1 : 2); time++) {
    for (const round of WHATSAPP_ROUNDS) {
      if (round.name.startsWith('reseal.')) newKey();
      if (!(await visit(scene, round))) breaches.push(`failpoint ${round.name} was not reached`);
    }
  }
  const living = await mixUnderKills(scene, short ? 3 : 20);
  // What the newest key has sealed needs no other.
  await acts.reseal();
  await living.child.stop();
  keys.splice(0, keys.length - 1);
  await using last = await start();
  await client.connect(last.credentials);
  const began = performance.now();
  while (scene.pending.size > 0) await Promise.all(scene.pending);
  const unsettled = await settle(scene);
  const settledAfter = Math.round((performance.now() - began) / 1000);
  for (const failure of scene.failures) breaches.push(`an act failed: ${String(failure)}`);
  if (unsettled.length > 0) {
    breaches.push(`open after ${SETTLED_WITHIN_MS / 1000} s: ${unsettled.slice(0, 5).join(', ')}`);
  }
  const compared = await compareAll(stage);
  breaches.push(...compared.breaches);
  await last.child.stop();
  const counts = { kills: scene.kills, repeats: client.repeats, ...compared.counts };
  return {
    drill: 'kill whatsapp',
    seed,
    short,
    counts: { ...counts, unsettled: unsettled.length, settled_after_s: settledAfter },
    breaches: breaches.slice(0, 30),
  };
}

/** Adds an account with one number of its own. */
async function addPlace(client: CarefulClient, simulator: Simulator, id: string): Promise<Place> {
  await simulator.control('POST', 'numbers', { phone_number_id: id, waba_id: id, portfolio_id: id });
  await client.ask('/api/v1/accounts', { method: 'POST', body: JSON.stringify({ id, access_token: 'any' }) });
  return until(`a sender of number ${id}`, async () => {
    const { body } = await client.get('/api/v1/senders?limit=100');
    const { senders } = body as { senders: { id: string; phone_number_id: string | null }[] };
    const found = senders.find((sender) => sender.phone_number_id === id);
    return found ? { sender: found.id, number: id, account: id } : null;
  });
}

/** Lets something happen that is acknowledged some time. */
function begin(scene: Scene, name: ActName): void {
  const act = scene.acts[name]()
    .catch((error: unknown) => void scene.failures.push(`${name}: ${error instanceof Error ? error.message : error}`))
    .finally(() => scene.pending.delete(act));
  scene.pending.add(act);
}

/** Kills at one failpoint, while what leads there happens; tells whether it was reached. */
function visit(scene: Scene, { name, acts, latest }: WhatsAppRound): Promise<boolean> {
  return visitFailpoint(scene, {
    name,
    passage: scene.random.integer(1, latest),
    withinMs: REACHED_WITHIN_MS,
    every: 200,
    work(turn) {
      // Some lead there, and some more when these did not. One export passes each place once for each of its parts.
      const some = acts.includes('export') ? 1 : latest;
      if (turn < some || turn % 25 === 24) for (const act of acts) begin(scene, act);
    },
    afterwards: scene.acts.calm,
  });
}

/** Everything at once, and kills at seeded times; gives the one that lives. Some of it is not acknowledged yet. */
async function mixUnderKills(scene: Scene, kills: number): Promise<Aldis> {
  const { client, random, log, start } = scene;
  let aldis = await start();
  await client.connect(aldis.credentials);
  for (let i = 0; i < kills; i++) {
    const end = performance.now() + random.integer(500, 2000);
    while (performance.now() < end) {
      begin(scene, random.pick(MIX));
      await sleep(random.integer(10, 60));
    }
    await aldis.child.kill();
    scene.kills++;
    log(`kill -9 with ${scene.book.messages.size} acknowledged, ${scene.pending.size} acts under way`);
    aldis = await start();
    await client.connect(aldis.credentials);
  }
  return aldis;
}

/** A message a second from each number, so that receipts flow, until nothing is open; gives what still is. */
async function settle(scene: Scene): Promise<string[]> {
  const end = performance.now() + SETTLED_WITHIN_MS;
  const done = new Set<string>();
  for (;;) {
    const open = await openWork(scene, done);
    scene.log(`${open.length} open${open.length > 0 ? `: ${open.slice(0, 3).join(', ')}` : ''}`);
    if (open.length === 0 || performance.now() > end) return open;
    await scene.acts.trickle();
    await sleep(1000);
  }
}
