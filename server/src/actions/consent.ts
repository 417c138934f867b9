import { randomInt } from 'node:crypto';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { Consent } from '../domain/consent.ts';
import { type ContactId, type EventId, type MessageId, newId, type TenantId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { findRecentConsents, type RecentConsent } from '../store/consents.read.ts';
import { insertConsents, type SettledConsent, settleConsents, suppressQueued } from '../store/consents.write.ts';

/** What a change of consent led to. */
export interface GivenConsent {
  /** What holds now of each contact whose history grew. */
  settled: SettledConsent[];
  /** Messages that were waiting and are not sent any more. */
  stopped: number;
}

interface Deps {
  db: Db;
  signals: Signals;
}

/** People's changes share slots that nobody else adds to; see change-message.ts. */
const PEOPLES_SLOTS = 32;
/** Messages that one statement ends. */
const MOST_STOPPED = 500;
/** Contacts of one transaction. */
export const MOST_CONTACTS = 500;

/**
 * Keeps what contacts said, makes it hold for all their addresses, and ends the waiting messages they get none of any more: in
 * one transaction. What a message or a webhook said counts once, however often it comes. At most `MOST_CONTACTS` consents.
 */
export async function giveConsents({ db, signals }: Deps, consents: readonly Consent[]): Promise<GivenConsent> {
  await failpoint('consent.before_commit');
  const { settled, stopped } = await retryingOnConflict(() => db.transaction((tx) => writeConsents(tx, consents)));
  await failpoint('consent.after_commit');
  tell(signals, stopped);
  return { settled, stopped: stopped.length };
}

export type StoppedMessage = { tenant_id: TenantId; message_id: MessageId };

/** The same within a transaction of its caller, who tells of the messages that were stopped. */
export async function writeConsents(
  tx: Queryable,
  consents: readonly Consent[],
): Promise<{ settled: SettledConsent[]; stopped: StoppedMessage[] }> {
  const grown = await insertConsents(
    tx,
    consents.map((consent) => ({ ...consent, id: newId() })),
  );
  if (grown.length === 0) return { settled: [], stopped: [] };
  const settled = await settleConsents(tx, grown);
  return { settled, stopped: await stopQueued(tx, settled) };
}

/** Tells whoever waits for events, and for the messages. */
export function tell(signals: Signals, stopped: readonly StoppedMessage[]): void {
  for (const tenant of new Set(stopped.map((row) => row.tenant_id))) signals.notify(`events:${tenant}`);
  for (const { message_id } of stopped) signals.notify(`message:${message_id}`);
}

async function stopQueued(
  tx: Queryable,
  contacts: readonly { tenant_id: TenantId; contact_id: ContactId; mask: number }[],
): Promise<StoppedMessage[]> {
  const suppressed = contacts.filter(({ mask }) => mask !== 0);
  if (suppressed.length === 0) return [];
  const stopped: StoppedMessage[] = [];
  for (;;) {
    const events = Array.from({ length: MOST_STOPPED }, () => newId<EventId>());
    const some = await suppressQueued(tx, suppressed, events, -randomInt(1, PEOPLES_SLOTS + 1));
    stopped.push(...some);
    if (some.length < MOST_STOPPED) return stopped;
  }
}

/**
 * Ends the waiting messages of those of whom consent was written between two ids: a message that was being accepted when its
 * recipient opted out was not there yet. Looks at `MOST_CONTACTS` consents at most.
 * @returns up to which id it looked (`before` when that was all), and how many messages were stopped.
 */
export async function stopLateMessages(
  { db, signals }: Deps,
  after: string,
  before: string,
): Promise<{ through: string; stopped: number }> {
  const recent = await findRecentConsents(db, after, before, MOST_CONTACTS);
  const through = lastOf(recent, before);
  const suppressed = recent.filter(({ mask }) => mask !== 0);
  if (suppressed.length === 0) return { through, stopped: 0 };
  const stopped = await retryingOnConflict(() => db.transaction((tx) => stopQueued(tx, suppressed)));
  tell(signals, stopped);
  return { through, stopped: stopped.length };
}

function lastOf(recent: readonly RecentConsent[], before: string): string {
  // Each contact stands for one consent at least: with fewer, the look came to its end.
  if (recent.length === 0) return before;
  return recent.reduce((last, row) => (row.last > last ? row.last : last), '');
}
