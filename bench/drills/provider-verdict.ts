import { type LoadClient, pour } from '../src/load.ts';
import { type Simulator, wholeLedger } from '../src/simulator.ts';
import { KINDS, type Kind, type TroubleClass } from './provider-classes.ts';

/*
 * What must hold of each message of the provider drill: it is at the provider once; twice only where nobody could know of the first
 * time and the policy of its category is to send it once more; failed only where that policy is to tell. Both stand in its history.
 */

/** A message that was acknowledged. */
export interface Promised {
  id: string;
  to: string;
  kind: Kind;
  /** null: its number had no trouble, or all had the same. */
  trouble: TroubleClass | null;
}

interface Shown {
  state: string;
  category: string | null;
  created_at: string;
  sent_at: string | null;
  error: { error: string } | null;
  history: { step: string; outcome: string | null }[];
}

const GONE: ReadonlySet<string> = new Set(['sent', 'delivered', 'read']);

/** Ends of messages, counted. */
export interface Judged {
  counts: Record<string, number>;
  /** Of messages whose number had no trouble: milliseconds from accepted to sent. */
  latencies: number[];
}

export async function judgeAll(
  api: LoadClient,
  simulator: Simulator,
  promised: readonly Promised[],
  breaches: string[],
): Promise<Judged> {
  const times = new Map<string, number>();
  for (const { to } of await wholeLedger(simulator)) {
    const key = `+${to.replace('+', '')}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  const counts = { acknowledged: promised.length, lost: 0, doubled: 0, doubled_by_policy: 0, told: 0 };
  const latencies: number[] = [];
  const complaints = new Map<string, number>();
  await pour(promised.length, 16, async (i) => {
    const one = promised[i] as Promised;
    const { status, body } = await api.ask(`/api/v1/messages/${one.id}`);
    const shown = status === 200 ? (body as Shown) : null;
    const found = shown === null ? `answered ${status}` : wrongWith(one, shown, times.get(one.to) ?? 0, counts);
    if (found !== null) {
      const what = `${one.trouble?.name ?? 'no trouble'}, ${one.kind.category}: ${found}`;
      complaints.set(what, (complaints.get(what) ?? 0) + 1);
    }
    if (shown?.sent_at && one.trouble === null)
      latencies.push(Date.parse(shown.sent_at) - Date.parse(shown.created_at));
  });
  for (const [what, count] of complaints) breaches.push(`${count} × ${what}`);
  return { counts, latencies };
}

type Counts = Record<'lost' | 'doubled' | 'doubled_by_policy' | 'told', number>;

/** What of a message is not as it must be, in words; null: nothing. Counts its end. */
function wrongWith({ kind, trouble }: Promised, shown: Shown, times: number, counts: Counts): string | null {
  const { state, category, error } = shown;
  const decisions = shown.history.filter(({ step }) => step === 'decision').map(({ outcome }) => outcome);
  const untold = trouble?.doubt === 'untold';
  if (category !== kind.category) return `its category is ${category}`;
  if (state === 'failed') {
    counts.told++;
    if (error?.error !== 'outcome_unknown') return `failed with ${error?.error}`;
    if (!untold || kind.policy !== 'tell') return 'failed, though it was to be sent';
    if (!decisions.includes('tell')) return 'failed, and no decision is in its history';
    return times === (trouble?.taken ? 1 : 0) ? null : `failed, and the provider has it ${times} times`;
  }
  if (!GONE.has(state)) return `is ${state}`;
  if (times === 0) {
    counts.lost++;
    return `is ${state}, and the provider does not have it`;
  }
  if (times === 1) return null;
  const byPolicy = untold && trouble?.taken === true && kind.policy === 'resend' && decisions.includes('resend');
  if (byPolicy && times === 2) {
    counts.doubled_by_policy++;
    return null;
  }
  counts.doubled++;
  return `the provider has it ${times} times, and its history says ${decisions.join() || 'no decision'}`;
}

/** Sends one message of a kind. @returns null: it was not accepted. */
export async function promise(
  api: LoadClient,
  sender: string,
  to: string,
  n: number,
  trouble: TroubleClass | null,
): Promise<Promised | string> {
  const kind = KINDS[n % KINDS.length] as Kind;
  const body = JSON.stringify({ recipient_phone: to, sender_id: sender, ...kind.body });
  const answer = await api.ask('/api/v1/messages', { method: 'POST', body });
  if (answer.status !== 202) return `a message was answered ${answer.status}: ${JSON.stringify(answer.body)}`;
  return { id: (answer.body as { id: string }).id, to, kind, trouble };
}
