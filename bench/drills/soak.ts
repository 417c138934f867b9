import { temporaryFolder } from '../src/folder.ts';
import { type LoadClient, openLoad, pour } from '../src/load.ts';
import { startAldis } from '../src/product.ts';
import { newKey } from '../src/requests.ts';
import { type Simulator, startSimulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { seeded } from './random.ts';
import { FILES, type Incoming, incoming, type Known, type Outgoing, outgoing } from './soak-messages.ts';

/*
 * soak: messages of all types, both ways at once, with receipts that come twice, in another order or not at all, and calls that
 * are cut. In the end both sides' lists are equal: what the provider accepted is what is sent here, once, of the same type, to the
 * same person, in the state that its receipts say; what customers sent is here once, of the same type, with its file.
 */

const SENDERS = 20;
/** Requests at a time in each direction. */
const WIDTH = 16;
const BATCH = 25;
const PAGE = 100;

interface Message {
  id: string;
  state: string;
  type: string;
  to: string;
  whatsapp_message_id: string | null;
  content: { media?: { state?: string } } | null;
  metadata: { soak?: number } | null;
}

interface Stage {
  simulator: Simulator;
  load: LoadClient;
  breaches: string[];
}

export async function soak({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const half = (short ? 3000 : 100_000) / 2;
  using folder = temporaryFolder('aldis-soak');
  await using simulator = await startSimulator();
  await using aldis = await startAldis({
    folder: folder.path,
    simulatorUrl: simulator.url,
    env: { ALDIS_DEMO_SENDERS: String(SENDERS) },
  });
  const { url, api_key, sender_ids: senders = [], phone_number_ids: numbers = [] } = aldis.credentials;
  await using load = openLoad(url, 2 * WIDTH + 8, { authorization: `Bearer ${api_key}` });
  const stage: Stage = { simulator, load, breaches: [] };

  const received: string[] = [];
  const wamids = new Map<string, Incoming>();
  const said = async (one: Incoming): Promise<void> => {
    const wamid = await simulator.customerDoes(one.body);
    wamids.set(wamid, one);
    if (one.type === 'text') received.push(wamid);
  };
  const known: Known = { mediaId: await uploadPicture(url, api_key), received };
  // What others are about comes first.
  const random = seeded(seed);
  await pour(10, 1, () => said({ type: 'text', body: { from: '+628100000000', name: 'Ana', text: 'First' } }));
  const sent = Array.from({ length: half }, (_, n) => outgoing(n, random, known, senders));
  const acts = Array.from({ length: half - 10 }, (_, n) => incoming(n, random, known, numbers));

  const began = performance.now();
  await Promise.all([
    sendAll(stage, sent),
    pour(acts.length, WIDTH, async (i) => {
      await said(acts[i] as Incoming);
      if (i % 10_000 === 9999) log(`${i + 1} acts of customers`);
    }),
  ]);
  log(`${sent.length} messages accepted, ${wamids.size} from customers, after ${seconds(began)} s`);
  await untilQuiet(stage, sent, wamids.size, short ? 60_000 : 900_000);
  log(`all quiet after ${seconds(began)} s`);
  await compareSent(stage, sent);
  const files = await compareReceived(stage, wamids);
  const counts = { sent: sent.length, received: wamids.size, files, seconds: Number(seconds(began)) };
  return { drill: 'soak', seed, short, counts, breaches: stage.breaches.slice(0, 20) };
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

/** Half of them one by one, half in batches, in turns. */
async function sendAll({ load, breaches }: Stage, messages: readonly Outgoing[]): Promise<void> {
  const bundles: Outgoing[][] = [];
  for (let from = 0; from < messages.length; ) {
    const size = bundles.length % (BATCH + 1) === 0 ? BATCH : 1;
    bundles.push(messages.slice(from, from + size));
    from += size;
  }
  await pour(bundles.length, WIDTH, async (i) => {
    const bundle = bundles[i] ?? [];
    const batch = bundle.length > 1;
    const { status, body } = await load.ask(batch ? '/api/v1/messages/batch' : '/api/v1/messages', {
      method: 'POST',
      body: JSON.stringify(batch ? { messages: bundle.map((one) => one.body) } : bundle[0]?.body),
      headers: newKey(),
    });
    const { refused = 0, errors } = body as { refused?: number; errors?: unknown[] };
    if (status !== 202) breaches.push(`a message was answered ${status}: ${JSON.stringify(body)}`);
    else if (refused > 0) breaches.push(`${refused} of a batch were refused: ${JSON.stringify(errors?.[0])}`);
  });
}

/** Waits until the provider has nothing more to tell, and nothing here is open or still to be fetched. */
async function untilQuiet({ simulator, load }: Stage, sent: readonly Outgoing[], received: number, deadlineMs: number) {
  const accepted = sent.filter((one) => one.accepted).length;
  await until(
    `the provider to have ${accepted} messages and to have told everything of them`,
    async () => ((await simulator.quiet()) && (await simulator.accepted()) >= accepted ? true : null),
    { deadlineMs, everyMs: 250 },
  ).catch(() => null);
  const wanted = { read: 0, delivered: 0, failed: 0 };
  for (const { ends } of sent) wanted[ends]++;
  await until(
    'everything to be applied here',
    async () => {
      const { body } = await load.ask('/api/v1/messages/statistics');
      const { by_status, by_direction } = body as Record<string, Record<string, number>>;
      const done =
        by_direction?.['inbound'] === received &&
        by_status?.['read'] === wanted.read &&
        by_status['delivered'] === wanted.delivered + received &&
        by_status['failed'] === wanted.failed;
      return done ? true : null;
    },
    { deadlineMs: 30_000, everyMs: 250 },
  ).catch(() => null);
}

async function compareSent({ simulator, load, breaches }: Stage, sent: readonly Outgoing[]): Promise<void> {
  const list = await wholeList(load, 'outbound');
  const ledger = await wholeLedger(simulator);
  const atProvider = new Map(ledger.map((entry) => [entry.wamid, entry]));
  if (list.length !== sent.length) breaches.push(`${list.length} outbound messages are listed, not ${sent.length}`);
  const accepted = sent.filter((one) => one.accepted).length;
  if (ledger.length !== accepted) breaches.push(`the provider accepted ${ledger.length} messages, not ${accepted}`);
  const seen = new Set<number>();
  for (const message of list) {
    const n = message.metadata?.soak ?? -1;
    const asked = sent[n];
    const what = `message ${n} (${message.id})`;
    if (!asked || seen.has(n)) {
      breaches.push(`${what}: ${asked ? 'is listed twice' : 'nobody sent it'}`);
      continue;
    }
    seen.add(n);
    if (message.type !== asked.type) breaches.push(`${what}: type ${message.type}, not ${asked.type}`);
    if (message.state !== asked.ends) breaches.push(`${what} to ${message.to}: ${message.state}, not ${asked.ends}`);
    const entry = atProvider.get(message.whatsapp_message_id ?? '');
    if (!asked.accepted) {
      if (entry) breaches.push(`${what}: was refused, and the provider has it`);
      continue;
    }
    if (!entry) breaches.push(`${what}: the provider has nothing with its id ${message.whatsapp_message_id}`);
    else if (entry.type !== message.type || entry.to !== message.to) {
      breaches.push(`${what}: ${entry.type} to ${entry.to} there, ${message.type} to ${message.to} here`);
    }
    atProvider.delete(message.whatsapp_message_id ?? '');
  }
  for (const { wamid } of atProvider.values()) breaches.push(`the provider has ${wamid}, which is not listed here`);
}

/** @returns how many of them have a file here. */
async function compareReceived({ load, breaches }: Stage, wamids: ReadonlyMap<string, Incoming>): Promise<number> {
  const list = await until(
    'every file to be stored',
    async () => {
      const found = await wholeList(load, 'inbound');
      return found.some(({ content }) => content?.media?.state === 'pending') ? null : found;
    },
    { deadlineMs: 120_000, everyMs: 1000 },
  ).catch(() => wholeList(load, 'inbound'));
  if (list.length !== wamids.size) breaches.push(`${list.length} inbound messages are listed, not ${wamids.size}`);
  const seen = new Set<string>();
  let files = 0;
  for (const message of list) {
    const wamid = message.whatsapp_message_id ?? '';
    const act = wamids.get(wamid);
    const what = `inbound message ${message.id}`;
    if (!act) breaches.push(`${what}: nobody wrote it`);
    else if (seen.has(wamid)) breaches.push(`${what}: is listed twice`);
    else if (message.type !== act.type) breaches.push(`${what}: type ${message.type}, not ${act.type}`);
    else if (message.state !== 'delivered') breaches.push(`${what}: ${message.state}, not delivered`);
    else if (FILES.has(act.type) && message.content?.media?.state !== 'stored') {
      breaches.push(`${what}: its file is ${message.content?.media?.state ?? 'not there'}`);
    } else if (FILES.has(act.type)) files++;
    seen.add(wamid);
  }
  for (const wamid of wamids.keys()) if (!seen.has(wamid)) breaches.push(`${wamid} of a customer is not listed`);
  return files;
}

async function wholeList(load: LoadClient, direction: 'inbound' | 'outbound'): Promise<Message[]> {
  const all: Message[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = `direction=${direction}&limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const { status, body } = await load.ask(`/api/v1/messages?${query}`);
    if (status !== 200) throw new Error(`a list was answered ${status}: ${JSON.stringify(body)}`);
    const page = body as { messages: Message[]; next_cursor: string | null };
    all.push(...page.messages);
    cursor = page.next_cursor;
  }
  return all;
}

/** The smallest picture there is. */
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGAAAAEEAIG4GY0uAAAAAElFTkSuQmCC';

async function uploadPicture(url: string, key: string): Promise<string> {
  const form = new FormData();
  form.set('file', new Blob([Buffer.from(PICTURE, 'base64')]), 'dot.png');
  const response = await fetch(`${url}/api/v1/media`, { method: 'POST', headers: { 'x-api-key': key }, body: form });
  if (response.status !== 201) throw new Error(`an upload was answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
