import Type, { type Static } from 'typebox';
import type { Message } from '../domain/message.ts';
import type { AttemptRow, MessageTrail } from '../store/messages.read.ts';
import { NullableString, NullableTime, Time, words } from './schemas.ts';

/** What happened to a message, one step each, in the order in which it happened. */
export const HistoryStep = Type.Object(
  {
    at: Time,
    step: words([
      'accepted',
      'received',
      'attempt',
      'postponed',
      'evidence',
      'decision',
      'failure',
      'sent',
      'delivered',
      'read',
      'played',
      'cancelled',
      'expired',
      'edited',
      'deleted',
    ]),
    attempt: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'Which attempt it is about.' }),
    ended_at: NullableTime,
    outcome: Type.Unsafe<AttemptRow['outcome'] | 'open' | 'unconfirmed' | null>({
      type: ['string', 'null'],
      description:
        'What came of an attempt: sent, retry, refused, receipt (a receipt settled it), resend or tell (a policy did), open, unconfirmed.',
    }),
    source: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description:
        "Who told of it: answer (the call's), receipt, policy (of messages in doubt), request (it was recorded, not sent here).",
    }),
    code: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: "The provider's error code." }),
    detail: NullableString,
  },
  { $id: 'HistoryStep' },
);
export type HistoryStep = Static<typeof HistoryStep>;

/** The history of a message, from its row and its trail. A failure stays in it even when a receipt proved it wrong. */
export function historyView(message: Message & MessageTrail): HistoryStep[] {
  const inbound = message.direction === 'inbound';
  const steps = [step(message.created_at, inbound ? 'received' : 'accepted')];
  for (const { started_at, ended_at, attempt, outcome, code, detail } of message.attempts) {
    const end = new Date(ended_at);
    steps.push(step(new Date(started_at), 'attempt', { attempt, ended_at: end, outcome, code, detail }));
    const decided = outcome === 'resend' || outcome === 'tell';
    if (decided) steps.push(step(end, 'decision', { attempt, outcome, source: 'policy', detail }));
  }
  const { state, sending_at } = message;
  if (sending_at && (state === 'sending' || state === 'unconfirmed')) {
    const outcome = state === 'sending' ? 'open' : 'unconfirmed';
    steps.push(step(sending_at, 'attempt', { attempt: message.attempt, outcome }));
  }
  for (const { at, attempt, source, code, title, detail } of message.failures) {
    const said = detail === null || detail === title ? title : `${title}: ${detail}`;
    steps.push(step(new Date(at), 'failure', { attempt, source, code, detail: said }));
  }
  for (const { attempt, waiting_since, evident_at } of message.doubts) {
    steps.push(step(new Date(waiting_since), 'postponed', { attempt, source: 'policy', detail: SILENT }));
    if (evident_at) steps.push(step(new Date(evident_at), 'evidence', { attempt, source: 'receipt', detail: PROVEN }));
  }
  if (!inbound) addTime(steps, message.sent_at, 'sent', sentSource(message));
  if (!inbound) addTime(steps, message.delivered_at, 'delivered', 'receipt');
  addTime(steps, message.read_at, 'read', inbound ? null : 'receipt');
  addTime(steps, message.played_at, 'played', inbound ? null : 'receipt');
  if (state === 'cancelled' || state === 'expired') addTime(steps, message.ended_at, state);
  addTime(steps, message.edited_at, 'edited');
  addTime(steps, message.deleted_at, 'deleted');
  // Stable: steps of one moment stay in the order above, which is that of a message's life.
  return steps.sort((a, b) => a.at.getTime() - b.at.getTime());
}

const SILENT = 'its grace was over, and nothing proved that receipts flow: nothing was decided';
const PROVEN = 'receipts of later messages of the number had come, its own had not';

function addTime(
  steps: HistoryStep[],
  at: Date | null,
  name: HistoryStep['step'],
  source: HistoryStep['source'] = null,
): void {
  if (at) steps.push(step(at, name, { source }));
}

/** Who told that a message was sent: the answer to an attempt, else a receipt; or whoever had it recorded. */
function sentSource({ attempts }: MessageTrail): string {
  if (attempts.length === 0) return 'request';
  return attempts.some(({ outcome }) => outcome === 'sent') ? 'answer' : 'receipt';
}

function step(at: Date, name: HistoryStep['step'], more: Partial<HistoryStep> = {}): HistoryStep {
  return {
    at,
    step: name,
    attempt: null,
    ended_at: null,
    outcome: null,
    source: null,
    code: null,
    detail: null,
    ...more,
  };
}
