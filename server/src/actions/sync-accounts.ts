import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import {
  type AccountAnswer,
  type AccountFacts,
  LEAST_BETWEEN_SYNCS,
  type NumberFacts,
  nextSync,
  RATE_OF,
} from '../domain/account.ts';
import { newId, type SenderId } from '../domain/ids.ts';
import { MESSAGING_LIMIT } from '../domain/messaging-limit.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { doubtNumbers, findKnownNumbers, findLanesLeft, writeNumbers } from '../store/account-numbers.write.ts';
import {
  type AccountToSync,
  claimDueAccounts,
  writeAccountFacts,
  writeAccountTrouble,
} from '../store/accounts.write.ts';
import { mergeReached } from '../store/reached-users.write.ts';
import { findDefaultSender } from '../store/senders.read.ts';
import { ensureLane, insertSenderValues } from '../store/senders.write.ts';
import { place } from './sealed-places.ts';

export type { AccountToSync };

/** Takes accounts that are due to be looked at, so that no other instance looks at them too. */
export function takeDueAccounts(db: Db, limit: number, takenFor: number): Promise<AccountToSync[]> {
  return retryingOnConflict(() => claimDueAccounts(db, limit, takenFor));
}

export interface SyncDeps {
  db: Db;
  signals: Signals;
  sealer: Sealer;
  /** Milliseconds between two looks at an account that is well. */
  every: number;
  random?: () => number;
}

/**
 * Milliseconds in which a statement that began before a move may still put work into the lane before: no statement takes
 * longer than the database lets it.
 */
const MOVING = 60_000;

/** Records what the provider said of an account: its facts, its numbers' facts, and a sender for each number that has none. */
export async function recordAccountSync(
  { db, signals, sealer, every, random = Math.random }: SyncDeps,
  account: AccountToSync,
  answer: AccountAnswer,
): Promise<void> {
  const tries = answer.kind === 'read' ? 0 : account.sync_tries + 1;
  const next = Math.min(nextSync(answer.kind, tries, every, random()), untilExpiry(answer));
  if (answer.kind === 'read') {
    const { facts } = answer;
    const changed = await retryingOnConflict(() =>
      db.transaction(async (tx) => {
        if (!(await writeAccountFacts(tx, account, facts, next))) return false;
        return writeSenders(tx, sealer, account, facts);
      }),
    );
    if (changed) signals.notify('senders');
  } else {
    const trouble = { detail: answer.detail, refused: answer.kind === 'refused' };
    const news = trouble.refused && account.token_valid !== false;
    const doubted = await retryingOnConflict(() =>
      db.transaction(async (tx) => {
        await writeAccountTrouble(tx, account, trouble, next);
        return news && (await doubtNumbers(tx, account.tenant_id, account.id, account.app_id));
      }),
    );
    if (doubted) signals.notify('senders');
  }
  signals.notify(`account:${account.id}`);
}

/** Milliseconds until the token will have ended: then it is looked at again, so that its end is known at once. */
function untilExpiry(answer: AccountAnswer): number {
  const at = answer.kind === 'read' ? answer.facts.token_expires_at : null;
  if (!(at instanceof Date)) return Number.POSITIVE_INFINITY;
  return Math.max(at.getTime() - Date.now(), 0) + LEAST_BETWEEN_SYNCS;
}

/** @returns whether a sender was made or changed. */
async function writeSenders(
  tx: Queryable,
  sealer: Sealer,
  account: AccountToSync,
  { portfolio_id, numbers }: AccountFacts,
): Promise<boolean> {
  if (numbers.length === 0) return false;
  const { app_id: app, id } = account;
  const ids = numbers.map(({ phone_number_id }) => phone_number_id);
  const known = await findKnownNumbers(tx, app, ids);
  const fresh = account.add_numbers ? numbers.filter((n) => !n.gone && !known.has(n.phone_number_id)) : [];
  // A lane that nobody would be in is not made.
  const wanted = known.size + fresh.length > 0;
  const lane = portfolio_id !== null && wanted ? await ensureLane(tx, portfolio_id) : null;
  if (lane !== null && known.size > 0) {
    const left = await findLanesLeft(tx, app, ids, lane);
    // WhatsApp counts whom the portfolio reaches: those whom the number has reached come with it.
    if (left.length > 0) await mergeReached(tx, left, lane, MESSAGING_LIMIT.span);
  }
  const rows = numbers.map((n) => ({ ...n, rate: rateOf(n) }));
  const changed = known.size > 0 ? await writeNumbers(tx, { app, account: id, lane, tend: MOVING }, rows) : 0;
  if (fresh.length > 0) await addSenders(tx, sealer, account, lane ?? (await ensureLane(tx, id)), fresh);
  return changed + fresh.length > 0;
}

async function addSenders(
  tx: Queryable,
  sealer: Sealer,
  { tenant_id: tenant, id: account, app_id: app, access_token_sealed }: AccountToSync,
  lane: number,
  numbers: readonly NumberFacts[],
): Promise<void> {
  const token = sealer.open(access_token_sealed, place.accountToken(tenant, account));
  let isDefault = (await findDefaultSender(tx, tenant)) === null;
  for (const number of numbers) {
    const id = newId<SenderId>();
    await insertSenderValues(
      tx,
      tenant,
      id,
      { lane, app },
      {
        channel: 'whatsapp',
        phone: number.phone,
        phone_number_id: number.phone_number_id,
        account_id: account,
        webhook_url: null,
        webhook_header: null,
        external_id: null,
        name: number.verified_name ?? number.phone ?? number.phone_number_id,
        messages_per_second: rateOf(number) ?? RATE_OF.STANDARD,
        per_minute: null,
        per_day: null,
        batch_size: null,
        processing_interval_ms: null,
        is_default: isDefault,
        enabled: true,
        outside_window: 'refuse',
        own_rate: false,
        access_token_sealed: sealer.seal(token, place.accessToken(tenant, id)),
        webhook_key_sealed: null,
      },
    );
    isDefault = false;
  }
  // What else is known of them.
  await writeNumbers(
    tx,
    { app, account, lane: null, tend: 0 },
    numbers.map((n) => ({ ...n, rate: null })),
  );
}

function rateOf({ throughput }: NumberFacts): number | null {
  return throughput === null ? null : RATE_OF[throughput];
}
