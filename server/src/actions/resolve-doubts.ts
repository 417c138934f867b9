import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { decideDoubt, lookAgainIn } from '../domain/doubt.ts';
import { type EventId, newId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { type Doubtful, findDoubtful, postponeDoubtful } from '../store/doubt.write.ts';
import { settleFailedAttempts, settleForAnother } from '../store/sending.write.ts';

/** What was decided of doubtful attempts. */
export interface Resolved {
  resent: number;
  told: number;
  /** Left unconfirmed: no evidence yet. */
  waiting: number;
  /** The longest that one of those has waited, in milliseconds. */
  longest: number;
}

const MOST_TOGETHER = 500;

export interface DoubtRules {
  /** What the database's clock is trusted to show, in milliseconds since 1970: a grace is over by that too. null: it is trusted. */
  databaseTime?: number | null;
  /** Milliseconds from when it may leave after which a message is not sent any more. null: for ever. */
  validity?: number | null;
}

/**
 * Decides what to do about attempts of which nobody knows the outcome, for those whose grace period is over: once more,
 * tell, or leave them, by evidence and policy (domain/doubt.ts).
 */
export function resolveDoubts(db: Db, signals: Signals, owner: LaneClaim, rules: DoubtRules = {}): Promise<Resolved> {
  return retryingOnConflict(() => resolveOnce(db, signals, owner, rules));
}

async function resolveOnce(
  db: Db,
  signals: Signals,
  owner: LaneClaim,
  { databaseTime = null, validity = null }: DoubtRules,
): Promise<Resolved> {
  const doubtful = await findDoubtful(db, owner.lanes, MOST_TOGETHER, databaseTime, validity);
  const resend: Doubtful[] = [];
  const tell: Doubtful[] = [];
  const wait: Doubtful[] = [];
  // Whoever has opted out since is not written to once more.
  const stop: Doubtful[] = [];
  // What says something out of date neither, and it is not merely expired: it may have arrived.
  const late: Doubtful[] = [];
  for (const one of doubtful) {
    // A webhook is told at least once, and no receipt will ever say how it went.
    const decision = one.channel === 'webhook' ? 'resend' : decideDoubt(one, one.doubt_policy);
    if (decision === 'resend' && one.suppressed) stop.push(one);
    else if (decision === 'resend' && one.over) late.push(one);
    else (decision === 'resend' ? resend : decision === 'tell' ? tell : wait).push(one);
  }
  let resent = 0;
  let told = 0;
  await failpoint('doubt.before_commit');
  if (resend.length > 0) {
    const rows = resend.map((one) => ({
      ...keyOf(one),
      delay: 0,
      outcome: 'resend' as const,
      code: null,
      cause: null,
      detail:
        one.channel === 'webhook'
          ? 'nobody knows whether it arrived: sent once more'
          : 'no receipt came though later ones did: sent once more',
    }));
    resent = (await settleForAnother(db, owner, rows)).length;
    for (const lane of new Set(resend.map((one) => one.lane_id))) signals.notify(`due:${lane}`);
  }
  if (tell.length + stop.length + late.length > 0) {
    const common = { code: 0, source: 'policy', outcome: 'tell' } as const;
    const toldOf = (one: Doubtful, detail: string) => ({
      ...keyOf(one),
      ...common,
      word: 'outcome_unknown',
      title: 'nobody knows whether it was sent',
      detail,
    });
    const unknown = [
      ...tell.map((one) =>
        toldOf(one, 'the connection broke and no receipt came though later ones did; it was not sent again'),
      ),
      ...late.map((one) => toldOf(one, 'the connection broke, and its time is over; it was not sent again')),
    ];
    const suppressed = stop.map((one) => ({
      ...keyOf(one),
      ...common,
      word: 'recipient_suppressed',
      title: 'the recipient has opted out',
      detail: 'nobody knows whether it was sent before; it was not sent again',
    }));
    told = (await settleFailedAttempts(db, owner, [...unknown, ...suppressed], 0)).length;
  }
  if (wait.length > 0) {
    const postponed = wait.map((one) => ({
      ...keyOf(one),
      delay: lookAgainIn(one.age, one.evident),
      evident: one.evident,
    }));
    await postponeDoubtful(db, owner, postponed);
  }
  await failpoint('doubt.after_commit');
  for (const tenant of new Set(doubtful.map((one) => one.tenant_id))) signals.notify(`events:${tenant}`);
  return {
    resent,
    told,
    waiting: wait.length,
    longest: wait.reduce((longest, one) => Math.max(longest, one.age), 0),
  };
}

function keyOf(one: Doubtful) {
  return { tenant: one.tenant_id, message: one.message_id, attempt: one.attempt, event: newId<EventId>() };
}
