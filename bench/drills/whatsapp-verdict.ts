import { pour } from '../src/load.ts';
import { type LedgerEntry, wholeLedger } from '../src/simulator.ts';
import type { Stage } from './whatsapp-acts.ts';

/*
 * What must hold at the end: each acknowledged message is at the provider once, or has failed for a reason; what customers sent is
 * here once, with its file; each template is there once and here once; an export has each message once; who opted out got nothing
 * after that was answered; numbers have one sender, blocks are told, and nothing is open.
 */

const PAGE = 100;
/** Milliseconds in which a call that had begun may still arrive after somebody opted out. */
const UNDER_WAY = 1000;
/** Of marketing nobody sends once more what is in doubt, whether he has opted out or not. */
const STOPPED: ReadonlySet<string> = new Set(['recipient_suppressed', 'outcome_unknown']);
const SENT: ReadonlySet<string> = new Set(['sent', 'delivered', 'read']);

interface Shown {
  id: string;
  state: string;
  whatsapp_message_id: string | null;
  content: { media_id?: string; media?: { state?: string; size?: number } } | null;
  error: { error: string; code: number } | null;
  history: { outcome?: string | null; at?: string }[];
}

interface Template {
  name: string;
  status: string;
  pending: string | null;
}

type Asking = Pick<Stage, 'client'>;

/** All items of a list. @param path with its query, but neither limit nor cursor. */
async function whole<T>({ client }: Asking, path: string, noun: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body } = await client.get(`${path}&limit=${PAGE}${cursor && `&cursor=${cursor}`}`);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    const page = body as Record<string, unknown> & { next_cursor: string | null };
    all.push(...(page[noun] as T[]));
    cursor = page.next_cursor;
  }
  return all;
}

/** Of these messages, by id, what is said of each. */
async function shown({ client }: Asking, ids: readonly string[]): Promise<Map<string, Shown>> {
  const all = new Map<string, Shown>();
  await pour(ids.length, 16, async (i) => {
    const id = ids[i] ?? '';
    const { status, body } = await client.get(`/api/v1/messages/${id}`);
    if (status === 200) all.set(id, body as Shown);
  });
  return all;
}

function isOpen(message: Shown | undefined, arrives: number): boolean {
  if (message === undefined) return false;
  if (message.state === 'failed') return false;
  // A fallback goes only when what came before it has failed.
  return !SENT.has(message.state) || (arrives > 1 && message.state === 'sent');
}

/** What is not done yet, in words. @param done messages that need not be asked for again. */
export async function openWork(stage: Stage, done: Set<string>): Promise<string[]> {
  const { book } = stage;
  const open: string[] = [];
  const asked = [...book.messages.keys()].filter((id) => !done.has(id));
  const messages = await shown(stage, asked);
  for (const id of asked) {
    const message = messages.get(id);
    if (isOpen(message, book.messages.get(id)?.arrives.length ?? 1)) open.push(`message ${id} is ${message?.state}`);
    else done.add(id);
  }
  const received = await whole<Shown>(stage, '/api/v1/messages?direction=inbound', 'messages');
  const known = new Set(received.map((one) => one.whatsapp_message_id ?? ''));
  for (const wamid of book.received.keys()) if (!known.has(wamid)) open.push(`${wamid} of a customer`);
  for (const { id, content } of received) {
    if (content?.media?.state === 'pending') open.push(`the file of message ${id}`);
  }
  for (const one of await whole<Template>(stage, '/api/v1/templates?', 'templates')) {
    if (one.pending !== null) open.push(`template ${one.name} (${one.pending})`);
    else if (book.templates.has(one.name) && one.status !== 'APPROVED')
      open.push(`template ${one.name}: ${one.status}`);
  }
  for (const one of await whole<{ id: string; state: string }>(stage, '/api/v1/exports?', 'exports')) {
    if (one.state === 'queued' || one.state === 'running') open.push(`export ${one.id} is ${one.state}`);
  }
  for (const number of await withoutSender(stage)) open.push(`the sender of number ${number}`);
  for (const one of await blocks(stage)) if (one.confirmed === null) open.push(`the block of ${one.phone}`);
  for (const phone of book.saidStop) {
    if ((await contactOf(stage, phone))?.marketing_consent !== 'out') open.push(`the opt-out of ${phone}`);
  }
  return open;
}

/** Everything against what was promised. */
export async function compareAll(stage: Stage): Promise<{ breaches: string[]; counts: Record<string, number> }> {
  const { book } = stage;
  const breaches = [...book.contradictions, ...stage.client.contradictions];
  const messages = await compareMessages(stage, breaches);
  await compareReceived(stage, breaches);
  await compareTemplates(stage, breaches);
  const rows = await compareExports(stage, breaches);
  await compareBlocks(stage, breaches);
  const senders = await whole<{ phone_number_id: string | null }>(stage, '/api/v1/senders?', 'senders');
  for (const number of book.numbers) {
    const found = senders.filter((sender) => sender.phone_number_id === number).length;
    if (found !== 1) breaches.push(`number ${number} has ${found} senders`);
  }
  const counts = {
    acknowledged: book.messages.size,
    ...messages,
    received: book.received.size,
    templates: book.templates.size,
    exports: book.exports.size,
    export_rows: rows,
    opted_out: book.optedOut.size + book.saidStop.size,
    blocked: book.blocked.size,
    accounts: book.numbers.size,
  };
  return { breaches, counts };
}

async function compareMessages(stage: Stage, breaches: string[]): Promise<Record<string, number>> {
  const { book } = stage;
  const lost: string[] = [];
  const doubled: string[] = [];
  const there = Map.groupBy(await wholeLedger(stage.simulator), ({ to }) => `+${to.replace('+', '')}`);
  const here = await shown(stage, [...book.messages.keys()]);
  const ofPeople = Map.groupBy(book.messages, ([, { to }]) => to);
  for (const [to, promised] of ofPeople) {
    const entries = there.get(to) ?? [];
    for (const [id, { ends }] of promised) {
      const message = here.get(id);
      const state = message?.state ?? 'not there';
      const reason = message?.error?.error ?? 'none';
      if (ends === 'sent' && !SENT.has(state)) breaches.push(`message ${id} to ${to} is ${state} (${reason})`);
      if (ends === 'failed' && state !== 'failed') breaches.push(`message ${id} to ${to} is ${state}`);
      if (ends === 'either' && !SENT.has(state) && !STOPPED.has(reason)) {
        breaches.push(`message ${id} to ${to}, who opted out, is ${state} (${reason})`);
      }
    }
    const optedOut = book.optedOut.get(to);
    if (optedOut !== undefined) {
      const late = entries.filter((entry) => Date.parse(entry.received_at) > optedOut + UNDER_WAY);
      if (late.length > 0) breaches.push(`${to} got ${late.length} messages after opting out`);
      if (entries.length > promised.length) doubled.push(`${to}: ${typesOf(entries)}; ${pathOf(here, promised)}`);
      continue;
    }
    const wanted = promised.flatMap(([, { arrives }]) => arrives);
    if (entries.length < wanted.length) lost.push(to);
    else if (entries.length > wanted.length) doubled.push(`${to}: ${typesOf(entries)}; ${pathOf(here, promised)}`);
    else if (typesOf(entries) !== wanted.join()) breaches.push(`${to} got ${typesOf(entries)}, not ${wanted.join()}`);
  }
  const tell = (what: string, people: readonly string[]): void => {
    if (people.length > 0) breaches.push(`${people.length} people ${what}, for example ${people[0]}`);
  };
  tell('did not get a message that was acknowledged', lost);
  tell('got a message more than once', doubled);
  tell(
    'got a message that nobody was told of',
    [...there.keys()].filter((to) => !ofPeople.has(to) && !book.trickle.has(to)),
  );
  return { lost: lost.length, doubled: doubled.length };
}

/** What came of each attempt. */
function pathOf(here: ReadonlyMap<string, Shown>, promised: readonly [string, unknown][]): string {
  const steps = promised.flatMap(([id]) => here.get(id)?.history ?? []);
  return steps.flatMap(({ outcome, at }) => (outcome ? [`${outcome} ${at}`] : [])).join(', ');
}

function typesOf(entries: readonly LedgerEntry[]): string {
  return entries.map(({ type }) => type).join();
}

async function compareReceived(stage: Stage, breaches: string[]): Promise<void> {
  const { book, client } = stage;
  const list = await whole<Shown>(stage, '/api/v1/messages?direction=inbound', 'messages');
  const byWamid = Map.groupBy(list, (one) => one.whatsapp_message_id ?? '');
  for (const [wamid, size] of book.received) {
    const found = byWamid.get(wamid) ?? [];
    const [first] = found;
    if (found.length !== 1) breaches.push(`${wamid} of a customer is listed ${found.length} times`);
    if (size === null || first === undefined) continue;
    const { media, media_id = '' } = first.content ?? {};
    const { status, body } = await client.get(`/api/v1/media/${media_id}`);
    const stored = status === 200 ? (body as { size: number; url: string }) : null;
    const bytes =
      stored === null ? 0 : (await (await fetch(new URL(stored.url, client.url()))).arrayBuffer()).byteLength;
    if (media?.state !== 'stored' || bytes !== size) {
      breaches.push(`the file of ${wamid} is ${media?.state}: ${bytes} bytes, not ${size}`);
    }
  }
  const strangers = list.filter((one) => !book.received.has(one.whatsapp_message_id ?? ''));
  if (strangers.length > 0) breaches.push(`${strangers.length} messages of customers are listed that nobody wrote`);
}

async function compareTemplates(stage: Stage, breaches: string[]): Promise<void> {
  const { book, simulator, main } = stage;
  const here = await whole<Template>(stage, '/api/v1/templates?', 'templates');
  const there = await graph<{ name: string }>(simulator.url, `${main.account}/message_templates?limit=1000`);
  for (const name of book.templates) {
    const ours = here.filter((one) => one.name === name);
    const theirs = there.filter((one) => one.name === name).length;
    const status = ours[0]?.status ?? 'none';
    if (ours.length === 1 && theirs === 1 && status === 'APPROVED') continue;
    breaches.push(`template ${name}: ${theirs} there, ${ours.length} here, ${status}`);
  }
}

/** @returns how many rows all exports have. */
async function compareExports(stage: Stage, breaches: string[]): Promise<number> {
  const { book, client } = stage;
  let sum = 0;
  for (const [id, before] of book.exports) {
    const { status, body } = await client.get(`/api/v1/exports/${id}/download`);
    if (status !== 200) {
      breaches.push(`export ${id} was answered ${status}: ${JSON.stringify(body)}`);
      continue;
    }
    const rows = String(body).trimEnd().split('\n');
    const ids = new Set(rows.map((row) => (JSON.parse(row) as { id: string }).id));
    const missing = [...before].filter((one) => !ids.has(one)).length;
    if (ids.size !== rows.length) breaches.push(`export ${id} has ${rows.length - ids.size} rows twice`);
    if (missing > 0) breaches.push(`export ${id} lacks ${missing} messages`);
    sum += rows.length;
  }
  return sum;
}

/** Numbers of added accounts that no sender has. */
async function withoutSender(stage: Stage): Promise<string[]> {
  const senders = await whole<{ phone_number_id: string | null }>(stage, '/api/v1/senders?', 'senders');
  const known = new Set(senders.map((sender) => sender.phone_number_id));
  return [...stage.book.numbers].filter((number) => !known.has(number));
}

interface Block {
  phone: string | null;
  confirmed: boolean | null;
}

function blocks(stage: Stage): Promise<Block[]> {
  return whole<Block>(stage, `/api/v1/blocked-users?sender_id=${stage.main.sender}`, 'blocked_users');
}

async function compareBlocks(stage: Stage, breaches: string[]): Promise<void> {
  const here = await blocks(stage);
  const there = await graph<{ wa_id?: string }>(stage.simulator.url, `${stage.main.number}/block_users?limit=1000`);
  for (const phone of stage.book.blocked) {
    const ours = here.filter((one) => one.phone === phone && one.confirmed === true).length;
    const theirs = there.filter((one) => `+${one.wa_id}` === phone).length;
    if (ours !== 1 || theirs !== 1) breaches.push(`the block of ${phone}: ${theirs} there, ${ours} here`);
  }
}

async function contactOf({ client }: Asking, phone: string): Promise<{ marketing_consent: string | null } | null> {
  const { status, body } = await client.get(`/api/v1/contacts/find?phone=${encodeURIComponent(phone)}`);
  return status === 200 ? (body as { marketing_consent: string | null }) : null;
}

async function graph<T>(url: string, path: string): Promise<T[]> {
  const response = await fetch(`${url}/v26.0/${path}`, { headers: { authorization: 'Bearer any' } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { data: T[] }).data;
}
