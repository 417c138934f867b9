import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadClient, pour } from '../src/load.ts';
import { readCount } from '../src/product.ts';
import { newCustomer, type Sent, type Status, signature, statusWebhook } from '../src/requests.ts';
import { type Simulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import { type Random, seeded } from './random.ts';

/*
 * The second part of the receipts drill: a flood. Of many messages each receipt comes three times, all of them shuffled, one in
 * twenty never, and one webhook in a hundred is forged and says better news than is true. Meanwhile messages are read again and
 * again: no state may ever go back. In the end each is in the state, with the times, that the receipts say that did come.
 */

const WORDS = ['sent', 'delivered', 'read'] as const;
const COPIES = 3;
const NEVER = 0.05;
const FORGED = 0.01;
/** Statuses in a webhook; WhatsApp sends at most 1,000 in one. */
const TOGETHER = 25;
const BATCH = 100;
const WIDTH = 16;
/** How late the latest of a message's receipts was, in seconds after its first. */
const SPREAD = 600;
const RANKS = ['queued', 'sending', 'unconfirmed', 'sent', 'delivered', 'read', 'played'];
const rank = (state: string): number => RANKS.indexOf(state);

interface FloodOptions {
  simulator: Simulator;
  load: LoadClient;
  /** Signs webhooks. */
  secret: string;
  seed: number;
  /** Receipts that come about, before some are lost and all are tripled. */
  receipts: number;
  /** Receipts that were posted before. */
  applied: number;
  log: (text: string) => void;
}

export interface Flood {
  counts: {
    flood_messages: number;
    flood_receipts: number;
    flood_never: number;
    forged: number;
    forged_accepted: number;
  };
  /** States seen to go back. */
  regressions: number;
  breaches: string[];
}

/** A message with the times of the receipts that come, in seconds since 1970; null: it never does. */
interface Subject extends Sent {
  id: string;
  told: Record<(typeof WORDS)[number], number | null>;
}

export async function flood(options: FloodOptions): Promise<Flood> {
  const { load, secret, log } = options;
  const random = seeded(options.seed);
  const subjects = await send(options, random);
  log(`flood: ${subjects.length} messages have left`);
  const posts = webhooks(subjects, secret, random);
  const genuine = posts.filter(({ forged }) => !forged);
  const receipts = genuine.reduce((sum, { statuses }) => sum + statuses, 0);
  const breaches: string[] = [];
  const counts = {
    flood_messages: subjects.length,
    flood_receipts: receipts,
    flood_never: subjects.length * WORDS.length - receipts / COPIES,
    forged: posts.length - genuine.length,
    forged_accepted: 0,
  };
  const watching = watch(load, subjects, random);
  await pour(posts.length, WIDTH, async (i) => {
    const { body, header, forged } = posts[i] as Post;
    const status = await load.post('/webhooks/whatsapp', body, header);
    if (forged && (status < 400 || status >= 500)) counts.forged_accepted++;
    if (!forged && status !== 200) breaches.push(`a signed webhook was answered ${status}`);
  });
  await until(
    'every receipt to be applied',
    async () => {
      const { body } = await load.ask('/metrics');
      return readCount(String(body), 'aldis_receipts_applied_total') >= options.applied + receipts || null;
    },
    { deadlineMs: 300_000 },
  );
  const regressions = await watching.stop();
  log(`flood: ${receipts} receipts applied`);
  const wrong = await compare(load, subjects);
  if (wrong.length > 0)
    breaches.push(`${wrong.length} messages are not as their receipts say, for example ${wrong[0]}`);
  return { counts, regressions, breaches: breaches.slice(0, 10) };
}

/** Lets the messages leave, with a provider that tells nothing of them, and draws what is told of each. */
async function send({ simulator, load, receipts }: FloodOptions, random: Random): Promise<Subject[]> {
  await simulator.change({ silent: true });
  const before = await simulator.accepted();
  const ids = new Map<string, string>();
  const size = Math.ceil(receipts / WORDS.length);
  await pour(Math.ceil(size / BATCH), 8, async (n) => {
    const texts = Array.from({ length: Math.min(BATCH, size - n * BATCH) }, (_, i) => `flood ${n * BATCH + i}`);
    const messages = texts.map((text) => ({ recipient_phone: newCustomer(), content: { text } }));
    const answer = await load.ask('/api/v1/messages/batch', { method: 'POST', body: JSON.stringify({ messages }) });
    if (answer.status !== 202) throw new Error(`a batch was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    for (const { index, id } of (answer.body as { messages: { index: number; id: string }[] }).messages) {
      ids.set(texts[index] ?? '', id);
    }
  });
  await until(
    'every message to be at the provider',
    async () => (await simulator.accepted()) >= before + size || null,
    {
      deadlineMs: 600_000,
      everyMs: 250,
    },
  );
  const base = Math.ceil(Date.now() / 1000);
  return (await wholeLedger(simulator, before)).flatMap(({ wamid, opaque, to, phone_number_id: number, body }) => {
    const id = ids.get((body as { text: { body: string } }).text.body);
    if (id === undefined) return [];
    const times = [0, 0, 0].map(() => base + random.integer(0, SPREAD)).sort((a, b) => a - b);
    const at = (i: number): number | null => (random.next() < NEVER ? null : (times[i] ?? base));
    return [{ id, wamid, opaque: opaque ?? '', to, number, told: { sent: at(0), delivered: at(1), read: at(2) } }];
  });
}

interface Post {
  body: string;
  header: Record<string, string>;
  forged: boolean;
  statuses: number;
}

/** All receipts three times, shuffled, in webhooks, with forged ones among them. */
function webhooks(subjects: readonly Subject[], secret: string, random: Random): Post[] {
  const all: Status[] = [];
  for (const sent of subjects) {
    for (const status of WORDS) {
      const at = sent.told[status];
      if (at === null) continue;
      for (let copy = 0; copy < COPIES; copy++) all.push({ sent, status, at });
    }
  }
  shuffle(all, random);
  const posts: Post[] = [];
  for (let from = 0; from < all.length; from += TOGETHER) {
    const statuses = all.slice(from, from + TOGETHER);
    const body = statusWebhook(statuses[0]?.sent.number ?? '', statuses);
    posts.push({ body, header: signature(secret, body), forged: false, statuses: statuses.length });
    if (random.next() < FORGED) posts.push(forge(statuses, secret, random));
  }
  return posts;
}

function forge(statuses: readonly Status[], secret: string, random: Random): Post {
  const number = statuses[0]?.sent.number ?? '';
  const body = statusWebhook(
    number,
    statuses.map((one) => ({ ...one, status: 'played' })),
  );
  const right = signature(secret, body)['x-hub-signature-256'];
  const header = random.pick<Record<string, string>>([
    {},
    signature('another secret', body),
    { 'x-hub-signature-256': right.slice(0, -1) },
    signature(secret, `${body} `),
  ]);
  return { body, header, forged: true, statuses: statuses.length };
}

function shuffle<T>(list: T[], random: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
}

/** Reads messages again and again; counts how often one was seen in a lower state than before. */
function watch(load: LoadClient, subjects: readonly Subject[], random: Random): { stop(): Promise<number> } {
  const seen = new Map<string, number>();
  const some = Array.from({ length: 50 }, () => random.pick(subjects).id);
  let regressions = 0;
  let stopping = false;
  const watching = (async () => {
    while (!stopping) {
      for (const id of some) {
        const { status, body } = await load.ask(`/api/v1/messages/${id}`);
        const now = status === 200 ? rank((body as { state: string }).state) : -1;
        if (now < (seen.get(id) ?? 0)) regressions++;
        seen.set(id, now);
      }
      await sleep(10);
    }
  })();
  return {
    async stop() {
      stopping = true;
      await watching;
      return regressions;
    },
  };
}

interface Row {
  state: string;
  delivered_at: string | null;
  read_at: string | null;
}

/** Who is not in the state, or has not the times, that its receipts say. */
async function compare(load: LoadClient, subjects: readonly Subject[]): Promise<string[]> {
  const wrong: string[] = [];
  await pour(subjects.length, WIDTH, async (i) => {
    const { id, told } = subjects[i] as Subject;
    const { body } = await load.ask(`/api/v1/messages/${id}`);
    const row = body as Row;
    // Who has read it has got it, at the latest then.
    const wanted = {
      state: told.read !== null ? 'read' : told.delivered !== null ? 'delivered' : 'sent',
      delivered_at: told.delivered ?? told.read,
      read_at: told.read,
    };
    const found = { state: row.state, delivered_at: secondsOf(row.delivered_at), read_at: secondsOf(row.read_at) };
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      wrong.push(`${id}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
    }
  });
  return wrong;
}

function secondsOf(time: string | null): number | null {
  return time === null ? null : Math.floor(Date.parse(time) / 1000);
}
