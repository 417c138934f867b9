import fc from 'fast-check';
import { temporaryFolder } from '../src/folder.ts';
import { type LoadClient, openLoad, pour } from '../src/load.ts';
import { readCount, startAldis } from '../src/product.ts';
import { newCustomer, type Sent, type Status, signature, statusWebhook } from '../src/requests.ts';
import { type Simulator, startSimulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { flood } from './receipts-flood.ts';

/*
 * receipts: what the provider says comes doubled, shuffled, with gaps, before the send's own answer, and beside forgeries.
 *
 * Each case is a pair of messages that get the same receipts, the second in another order and some of them twice. The rows
 * of a pair must end equal, and as the receipts' set alone says. Forged webhooks say "played" of every message meanwhile.
 * Then many receipts come at once: see `receipts-flood.ts`.
 */

const WORDS = ['sent', 'delivered', 'read', 'played', 'failed'] as const;
type Word = (typeof WORDS)[number];

/** "Recipient is not on WhatsApp": a code nobody tries again after. */
const UNDELIVERABLE = 131026;
/** How late the send's own answer is, where receipts shall come before it. */
const LATE_MS = 3000;

interface Case {
  first: Word[];
  /** The same receipts in another order, some of them again. */
  second: Word[];
  /** They come before the send's own answer. */
  early: boolean;
}

const cases: fc.Arbitrary<Case> = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 }).chain((first) =>
  fc.record({
    first: fc.constant(first),
    second: fc
      .subarray(first)
      .chain((again) => fc.shuffledSubarray([...first, ...again], { minLength: first.length + again.length })),
    early: fc.boolean(),
  }),
);
/** Many cases at once, and in how many webhooks each round of their receipts travels. */
const rounds = fc.record({
  cases: fc.array(cases, { minLength: 20, maxLength: 40 }),
  webhooks: fc.integer({ min: 1, max: 8 }),
});

/** One of a pair. */
interface Subject extends Sent {
  id: string;
  words: Word[];
}

interface Row {
  state: string;
  delivered_at: string | null;
  read_at: string | null;
  played_at: string | null;
  failed_at: string | null;
  error: { code: number } | null;
  history: { step: string; code: number | null }[];
}

interface Stage {
  simulator: Simulator;
  load: LoadClient;
  secret: string;
  counts: { messages: number; receipts: number; forged: number; forged_accepted: number };
}

export async function receipts({ seed, short, log }: DrillOptions): Promise<Verdict> {
  using folder = temporaryFolder('aldis-receipts');
  await using simulator = await startSimulator();
  await using aldis = await startAldis({ folder: folder.path, simulatorUrl: simulator.url });
  const { url, api_key, whatsapp_app_secret: secret } = aldis.credentials;
  await using load = openLoad(url, 64, { authorization: `Bearer ${api_key}` });
  const counts = { messages: 0, receipts: 0, forged: 0, forged_accepted: 0 };
  const stage: Stage = { simulator, load, secret, counts };

  const property = fc.asyncProperty(rounds, async ({ cases, webhooks }) => {
    const found = await play(stage, cases, webhooks);
    log(`${counts.messages} messages, ${counts.receipts} receipts`);
    if (found.length > 0) throw new Error(found.join('\n'));
  });
  const numRuns = short ? 8 : 100;
  // No shrinking: a round names its failing cases itself, each as small as it was made.
  const limits = { numRuns, endOnFailure: true, interruptAfterTimeLimit: short ? 60_000 : 1_200_000 };
  const result = await fc.check(property, { seed, ...limits });
  const breaches = result.failed ? [String(result.errorInstance)] : [];
  if (!result.failed && result.numRuns < numRuns) breaches.push(`only ${result.numRuns} of ${numRuns} rounds in time`);
  const applied = counts.receipts;
  const flooded = await flood({ simulator, load, secret, seed, receipts: short ? 3000 : 200_000, applied, log });
  breaches.push(...flooded.breaches);
  const { regressions } = flooded;
  const { forged, forged_accepted, ...floodCounts } = flooded.counts;
  counts.forged += forged;
  counts.forged_accepted += forged_accepted;
  if (regressions > 0) breaches.push(`${regressions} states were seen to go back`);
  if (counts.forged_accepted > 0) breaches.push(`${counts.forged_accepted} forged webhooks were taken`);
  const all = { rounds: result.numRuns, ...counts, ...floodCounts, regressions };
  return { drill: 'receipts', seed, short, counts: all, breaches };
}

/** Plays some cases and gives what was wrong with them. */
async function play(stage: Stage, cases: readonly Case[], webhooks: number): Promise<string[]> {
  const pairs = await send(stage, cases);
  const subjects = pairs.flat();
  // All share one time line, which begins when the last of them was made.
  const base = Math.ceil(Date.now() / 1000);
  const longest = Math.max(...subjects.map(({ words }) => words.length));
  for (let round = 0; round < longest; round++) {
    const groups = Array.from({ length: webhooks }, (): Subject[] => []);
    for (const [i, subject] of subjects.entries())
      if (round < subject.words.length) groups[i % webhooks]?.push(subject);
    await Promise.all([
      ...groups.filter((group) => group.length > 0).map((group) => tell(stage, group, round, base)),
      forge(stage, subjects, round, base),
    ]);
  }
  // Counted as they are applied; the backlog is counted in the database every few seconds only, so its zero may be old.
  await until('every receipt to be applied', async () => {
    const { body } = await stage.load.ask('/metrics');
    return readCount(String(body), 'aldis_receipts_applied_total') >= stage.counts.receipts || null;
  });
  const rows = new Map<string, Row>();
  await pour(subjects.length, 16, async (i) => {
    const id = subjects[i]?.id ?? '';
    rows.set(
      id,
      await until(`message ${id} to have its answer`, () => settled(stage.load, id), { deadlineMs: 15_000 }),
    );
  });
  return pairs.flatMap(([one, other], i) => {
    const { early = false } = cases[i] ?? {};
    const what = `${early ? 'early ' : ''}[${one.words}] and [${other.words}]`;
    const [left, right] = [outcome(rows.get(one.id)), outcome(rows.get(other.id))];
    if (left !== right) return [`${what} end differently: ${left} and ${right}`];
    const expected = stateOf(one.words);
    const failure = one.words.includes('failed') ? `failure ${UNDELIVERABLE} in history` : 'no failure in history';
    return left.startsWith(`${expected},`) && left.endsWith(failure)
      ? []
      : [`${what} end as ${left}; ${expected}, ${failure} expected`];
  });
}

/** Lets each case's two messages leave, and finds them at the provider. */
async function send(
  { simulator, load, counts }: Stage,
  cases: readonly Case[],
): Promise<(readonly [Subject, Subject])[]> {
  const total = await simulator.accepted();
  const ids = new Map<string, string>();
  const texts: string[] = [];
  for (const early of [false, true]) {
    await simulator.change({ silent: true, slowMs: early ? LATE_MS : 0 });
    const wave = cases.flatMap((one, i) =>
      one.early === early ? [`${total} case ${i} first`, `${total} case ${i} second`] : [],
    );
    await pour(wave.length, 16, async (n) => {
      const text = wave[n] ?? '';
      const body = JSON.stringify({ recipient_phone: newCustomer(), content: { text } });
      const answer = await load.ask('/api/v1/messages', { method: 'POST', body });
      if (answer.status !== 202)
        throw new Error(`a message was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      ids.set(text, (answer.body as { id: string }).id);
    });
    texts.push(...wave);
    await until(
      'every message to be at the provider',
      async () => (await simulator.accepted()) >= total + texts.length || null,
    );
  }
  counts.messages += texts.length;
  const ledger = await wholeLedger(simulator, total);
  const sent = new Map<string, Sent>();
  for (const { wamid, opaque, to, phone_number_id: number, body } of ledger) {
    sent.set((body as { text: { body: string } }).text.body, { wamid, opaque: opaque ?? '', to, number });
  }
  const subject = (text: string, words: Word[]): Subject => {
    const at = sent.get(text);
    const id = ids.get(text);
    if (!at || !id) throw new Error(`"${text}" is not at the provider`);
    return { ...at, id, words };
  };
  return cases.map(({ first, second }, i) => [
    subject(`${total} case ${i} first`, first),
    subject(`${total} case ${i} second`, second),
  ]);
}

/** Posts the receipts of one round as one webhook. */
async function tell(
  { load, secret, counts }: Stage,
  subjects: readonly Subject[],
  round: number,
  base: number,
): Promise<void> {
  const statuses = subjects.map((sent): Status => {
    const status = sent.words[round] ?? 'sent';
    const at = base + WORDS.indexOf(status);
    return { sent, status, at, ...(status === 'failed' ? { error: UNDELIVERABLE } : {}) };
  });
  const body = statusWebhook(subjects[0]?.number ?? '', statuses);
  const status = await load.post('/webhooks/whatsapp', body, signature(secret, body));
  if (status !== 200) throw new Error(`a signed webhook was answered ${status}`);
  counts.receipts += statuses.length;
}

/** Posts what nobody signed, another signed, or was changed after signing: each says "played" of everything. */
async function forge(
  { load, secret, counts }: Stage,
  subjects: readonly Subject[],
  round: number,
  base: number,
): Promise<void> {
  const body = statusWebhook(
    subjects[0]?.number ?? '',
    subjects.map((sent): Status => ({ sent, status: 'played', at: base })),
  );
  const right = signature(secret, body)['x-hub-signature-256'];
  const headers: Record<string, string>[] = [
    {},
    signature('another secret', body),
    { 'x-hub-signature-256': right.slice(0, -1) },
    { 'x-hub-signature-256': right.replace('sha256=', 'sha1=') },
    signature(secret, `${body} `),
  ];
  const status = await load.post('/webhooks/whatsapp', body, headers[round % headers.length] ?? {});
  counts.forged++;
  if (status < 400 || status >= 500) counts.forged_accepted++;
}

/** A message's row, once no attempt of it is open. */
async function settled(load: LoadClient, id: string): Promise<Row | null> {
  const { status, body } = await load.ask(`/api/v1/messages/${id}`);
  if (status !== 200) throw new Error(`message ${id} was answered ${status}`);
  const row = body as Row;
  return ['queued', 'sending', 'unconfirmed'].includes(row.state) ? null : row;
}

/** What of a row must not depend on the order. When it was sent is the send's own answer to tell, so it is left out. */
function outcome(row: Row | undefined): string {
  if (!row) return 'no row';
  const failures = row.history.filter(({ step }) => step === 'failure').map(({ code }) => code);
  const said = failures.length === 0 ? 'no failure in history' : `failure ${failures.join(' ')} in history`;
  const { state, delivered_at, read_at, played_at, failed_at, error } = row;
  return `${state}, ${[delivered_at, read_at, played_at, failed_at, error?.code ?? null].join(' ')}, ${said}`;
}

/** The rule, told once more: the highest good news; bad news counts only while there is nothing better than "sent". */
function stateOf(words: readonly Word[]): Word {
  const best = (['played', 'read', 'delivered'] as const).find((word) => words.includes(word));
  return best ?? (words.includes('failed') ? 'failed' : 'sent');
}
