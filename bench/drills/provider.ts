import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from '../src/fault-proxy.ts';
import { quantile } from '../src/figures.ts';
import { temporaryFolder } from '../src/folder.ts';
import { type LoadClient, openLoad, pour } from '../src/load.ts';
import { startAldis } from '../src/product.ts';
import { newCustomer } from '../src/requests.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { untilSettled } from './acknowledged.ts';
import { allowed, type DrillOptions, type Verdict } from './drill.ts';
import { KINDS, TROUBLES } from './provider-classes.ts';
import { judgeAll, type Promised, promise } from './provider-verdict.ts';
import { type Random, seeded } from './random.ts';

/*
 * provider: WhatsApp is slow, too busy, failing, cuts connections before or after it took a message, answers garbage, or is not there.
 *
 * 1. Each kind of trouble is put to a number of its own, all at once, while two other numbers have none. Messages of all categories are
 *    sent. The queues of the troubled numbers are shut, and no other; held messages say why; the other numbers send as ever.
 * 2. The trouble ends, and everything leaves, or is told as the policy of its category says.
 * 3. Nobody answers at the provider's address. Then somebody does, and everything leaves.
 */

const CALM = 2;
const EACH = 40;
const SETTLED_WITHIN_MS = 120_000;
/** Messages of numbers without trouble have left within that, as the 95th percentile. */
const CALM_WITHIN_MS = 2000;
/** Of each class so many messages are asked why they have not left. */
const ASKED = 8;

interface Stage {
  short: boolean;
  api: LoadClient;
  simulator: Simulator;
  proxy: FaultProxy;
  /** The nth number has the nth trouble; those behind have none. */
  senders: readonly string[];
  numbers: readonly string[];
  random: Random;
  promised: Promised[];
  breaches: string[];
  log: (text: string) => void;
}

export async function provider({ seed, short, log }: DrillOptions): Promise<Verdict> {
  using folder = temporaryFolder('aldis-provider');
  await using simulator = await startSimulator();
  await using proxy = await startFaultProxy(Number(new URL(simulator.url).port));
  await using aldis = await startAldis({
    folder: folder.path,
    simulatorUrl: new URL(proxy.through(simulator.url)).origin,
    env: {
      ALDIS_DEMO_SENDERS: String(TROUBLES.length + CALM),
      ALDIS_WHATSAPP_REQUEST_TIMEOUT: '1500ms',
      ...(short ? { ALDIS_ENGINE_DOUBT_GRACE: '5s' } : {}),
    },
  });
  const { url, api_key, sender_ids: senders = [], phone_number_ids: numbers = [] } = aldis.credentials;
  await using api = openLoad(url, 32, { authorization: `Bearer ${api_key}` });
  const breaches: string[] = [];
  const random = seeded(seed);
  const stage: Stage = { short, api, simulator, proxy, senders, numbers, random, promised: [], breaches, log };
  await templatesRead(stage);

  const settled: number[] = [];
  for (let round = 0; round < (short ? 1 : 25); round++) {
    await trouble(stage, round);
    settled.push(await leave(stage, `round ${round}`));
    if (breaches.length > 0) break;
  }
  await down(stage);
  settled.push(await leave(stage, 'after it was down'));

  const met = ((await simulator.control('GET', 'stats')) as { faults: Record<string, number> }).faults;
  for (const { name, rules } of TROUBLES) {
    const [kind] = rules.map((rule) => String(rule['kind']));
    if (kind !== undefined && !met[kind]) breaches.push(`no message met "${name}"`);
  }
  const judged = await judgeAll(api, simulator, stage.promised, breaches);
  return {
    drill: 'provider',
    seed,
    short,
    counts: { classes: TROUBLES.length + 1, ...judged.counts, settled_s: seconds(Math.max(...settled)) },
    breaches: breaches.slice(0, 30),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** Waits until the templates of all accounts are known here: by them messages have their category. */
async function templatesRead({ api, senders }: Stage): Promise<void> {
  const names = ['hello_world', 'welcome_message', 'otp'];
  await until('the templates of all accounts', async () => {
    for (const name of names) {
      const { body } = await api.ask(`/api/v1/templates?name=${name}&limit=100`);
      if ((body as { templates: unknown[] }).templates.length < senders.length) return null;
    }
    return true;
  });
}

/** One round of trouble; it is over when this resolves. */
async function trouble(stage: Stage, round: number): Promise<void> {
  const { api, simulator, senders, numbers, random, promised, breaches } = stage;
  const rules = TROUBLES.flatMap((one, i) => one.rules.map((rule) => ({ ...rule, phone_number_id: numbers[i] })));
  await simulator.control('PUT', 'faults', { seed: round, rules });
  const calm: Promised[] = [];
  const mine: Promised[] = [];
  const ending = new AbortController();
  const calmly = sendCalmly(stage, calm, ending.signal);
  try {
    const wanted = TROUBLES.flatMap((one, i) => Array.from({ length: EACH }, (_, n) => ({ one, i, n })));
    await pour(wanted.length, 16, async (at) => {
      const { one, i, n } = wanted[at] as (typeof wanted)[number];
      const made = await promise(api, senders[i] ?? '', newCustomer(), n, one);
      if (typeof made === 'string') breaches.push(made);
      else mine.push(made);
    });
    // By then the slow calls have been given up, and are in doubt.
    await sleep(random.integer(1600, 1900));
    await comparePauses(stage);
    await compareCauses(stage, mine);
  } finally {
    ending.abort();
    await calmly;
  }
  await simulator.control('DELETE', 'faults');
  await compareCalm(stage, calm);
  promised.push(...mine, ...calm);
}

/** Ten messages a second on each number that has no trouble. */
async function sendCalmly({ api, senders, breaches }: Stage, calm: Promised[], signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    for (const sender of senders.slice(TROUBLES.length)) {
      const made = await promise(api, sender, newCustomer(), n, null);
      if (typeof made === 'string') breaches.push(made);
      else calm.push(made);
    }
    await sleep(100, undefined, { signal }).catch(() => {});
  }
}

interface Pause {
  scope: string;
  sender_id: string | null;
  cause: string;
}

async function pauses({ api }: Stage): Promise<Pause[]> {
  const { status, body } = await api.ask('/api/v1/pauses?limit=100');
  if (status !== 200) throw new Error(`pauses were answered ${status}: ${JSON.stringify(body)}`);
  return (body as { pauses: Pause[] }).pauses;
}

/** Exactly the queues of the numbers in trouble are shut. */
async function comparePauses(stage: Stage): Promise<void> {
  const { senders, breaches } = stage;
  const wanted = TROUBLES.flatMap((one, i) => (one.paused ? [`${senders[i]} provider_trouble`] : [])).sort();
  let found: string[] = [];
  const same = async (): Promise<true | null> => {
    const all = await pauses(stage);
    found = all.map(({ sender_id, scope, cause }) => `${sender_id ?? scope} ${cause}`).sort();
    return found.join() === wanted.join() || null;
  };
  await until('the queues in trouble to be shut', same, { deadlineMs: 10_000 }).catch(() => {
    const name = (line: string): string => {
      const at = senders.findIndex((sender) => line.startsWith(sender));
      return at < 0 ? line : (TROUBLES[at]?.name ?? 'a number without trouble');
    };
    for (const line of wanted) if (!found.includes(line)) breaches.push(`the queue of "${name(line)}" is not shut`);
    for (const line of found) if (!wanted.includes(line)) breaches.push(`shut for no reason: ${name(line)} (${line})`);
  });
}

interface Explanation {
  state: string;
  cause: { code: string } | null;
}

/** Each message that has not left says why. */
async function compareCauses({ api, breaches }: Stage, mine: readonly Promised[]): Promise<void> {
  const byClass = Map.groupBy(mine, (one) => one.trouble);
  for (const [one, all] of byClass) {
    const causes = new Map<string, number>();
    for (const { id } of all.slice(-ASKED)) {
      const { status, body } = await api.ask(`/api/v1/messages/${id}/explain`);
      if (status !== 200) breaches.push(`explain was answered ${status}: ${JSON.stringify(body)}`);
      else {
        const { state, cause } = body as Explanation;
        const said = `${state} ${cause?.code ?? 'without a cause'}`;
        causes.set(said, (causes.get(said) ?? 0) + 1);
      }
    }
    const right = new Set(['sending sending', 'unconfirmed unconfirmed']);
    // What has left, it or its receipt was quicker than the trouble.
    for (const state of ['sent', 'delivered', 'read']) right.add(`${state} without a cause`);
    if (one?.paused) right.add('queued provider_trouble');
    if (one?.doubt === 'certain') right.add('queued retry_wait');
    if (one?.paused === false) for (const cause of ['pace', 'ahead']) right.add(`queued ${cause}`);
    for (const [said, count] of causes) {
      if (!right.has(said)) breaches.push(`${count} messages of "${one?.name}" are ${said}`);
    }
  }
}

/** Numbers without trouble have sent as ever. */
async function compareCalm({ short, api, breaches, log }: Stage, calm: readonly Promised[]): Promise<void> {
  const latencies: number[] = [];
  let open = 0;
  await pour(calm.length, 16, async (i) => {
    const { body } = await api.ask(`/api/v1/messages/${calm[i]?.id}`);
    const { sent_at, created_at } = body as { sent_at: string | null; created_at: string };
    if (sent_at === null) open++;
    else latencies.push(Date.parse(sent_at) - Date.parse(created_at));
  });
  const p95 = quantile(latencies, 0.95);
  log(`numbers without trouble: ${latencies.length} messages sent, p95 ${Math.round(p95)} ms, ${open} not yet`);
  if (!(p95 <= allowed(CALM_WITHIN_MS, { short })))
    breaches.push(`numbers without trouble sent after ${Math.round(p95)} ms (p95)`);
}

/** Nobody listens at the provider's address for a while, and messages come for all numbers. */
async function down(stage: Stage): Promise<void> {
  const { api, proxy, senders, random, promised, breaches } = stage;
  await proxy.refuse();
  proxy.cut();
  const mine: Promised[] = [];
  await pour(senders.length * KINDS.length, 16, async (n) => {
    const made = await promise(
      api,
      senders[n % senders.length] ?? '',
      newCustomer(),
      Math.floor(n / senders.length),
      null,
    );
    if (typeof made === 'string') breaches.push(made);
    else mine.push(made);
  });
  await sleep(random.integer(800, 1500));
  for (const { id } of mine.slice(-ASKED)) {
    const { body } = await api.ask(`/api/v1/messages/${id}/explain`);
    const { state, cause } = body as Explanation;
    const said = cause?.code ?? 'no cause';
    const right = state === 'sending' || (state === 'queued' && ['provider_trouble', 'retry_wait'].includes(said));
    if (!right) breaches.push(`while it is down, a message is ${state}: ${said}`);
  }
  await proxy.heal();
  promised.push(...mine);
}

/** Waits until everything has left or ended, with a message a second on each number so that receipts flow; gives how long it took. */
async function leave({ api, senders, promised, breaches, log }: Stage, when: string): Promise<number> {
  const began = performance.now();
  const unsettled = await untilSettled({
    api,
    acknowledged: new Map(promised.map(({ id }) => [id, id])),
    trickle: () =>
      senders.map((sender_id) => ({ recipient_phone: newCustomer(), sender_id, content: { text: 'trickle' } })),
    withinMs: SETTLED_WITHIN_MS,
    log,
    breaches,
  });
  const took = performance.now() - began;
  log(`${when}: everything has left after ${seconds(took)} s`);
  if (unsettled > 0) breaches.push(`${when}: ${unsettled} messages are open after ${SETTLED_WITHIN_MS / 1000} s`);
  return took;
}
