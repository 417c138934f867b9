import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type AccountChange, type ApplyAccountChanges, phoneNumberIdOf } from '../domain/account-change.ts';
import type { ReceivedMessage } from '../domain/inbound-message.ts';
import { E164 } from '../domain/phone.ts';
import { findKnownCustomers, type KnownCustomer } from '../store/customers.read.ts';
import { addNames } from '../store/customers.write.ts';
import { findSenderByNumber, type Route } from '../store/routes.read.ts';
import { openCustomerBook, settleNames } from './customer-book.ts';

/** Customers of one transaction. */
const MOST_TOGETHER = 200;

/**
 * Applies webhooks of the field `user_id_update`: customers whose business-scoped user id is another one now (Meta:
 * business-scoped-user-ids, 2026-03). It does what a system message does, and there is no message: who is known by the old id or by
 * his number gets the new one; of others nothing is noted.
 */
export function applyUserIdUpdates({ db }: { db: Db }): ApplyAccountChanges {
  return async (changes) => {
    const troubles: string[] = [];
    const renamings: ReceivedMessage[] = [];
    for (const change of changes) {
      const number = phoneNumberIdOf(change);
      const route = number === null ? undefined : await findSenderByNumber(db, change.app, number);
      if (!route) {
        troubles.push('user_id_update of a number that is not known here');
        continue;
      }
      const { updates, unread } = readUpdates(change, route);
      if (unread > 0) troubles.push(`user_id_update: ${unread} that cannot be read`);
      renamings.push(...updates);
    }
    for (let start = 0; start < renamings.length; start += MOST_TOGETHER) {
      const part = renamings.slice(start, start + MOST_TOGETHER);
      await retryingOnConflict(() => rename(db, part));
    }
    return troubles;
  };
}

function rename(db: Db, renamings: readonly ReceivedMessage[]): Promise<void> {
  return db.transaction(async (tx) => {
    const known = await findKnownCustomers(tx, renamings);
    const book = await openCustomerBook(tx, renamings, known);
    for (const [i, renaming] of renamings.entries()) {
      if (book.knows(renaming)) book.enter(renaming, known[i] as KnownCustomer);
    }
    if (book.newNames.length > 0 || book.movesNames) await addNames(tx, book.newNames, book.takenNames);
    if (book.movesNames) await settleNames(tx, book);
  });
}

function readUpdates(
  { value, at }: AccountChange,
  { tenant_id, sender_id }: Route,
): { updates: ReceivedMessage[]; unread: number } {
  const items: unknown[] = Array.isArray(value['user_id_update']) ? value['user_id_update'] : [];
  const updates: ReceivedMessage[] = [];
  let unread = items.length === 0 ? 1 : 0;
  for (const item of items) {
    const { wa_id, user_id, timestamp } = recordOf(item);
    const { previous, current } = recordOf(user_id);
    if (!isUserId(previous) || !isUserId(current)) {
      unread++;
      continue;
    }
    const phone = `+${String(wa_id).replace(/^\+/, '')}`;
    const seconds = Number(timestamp);
    updates.push({
      ...{ tenant: tenant_id, sender: sender_id, type: 'system', wamid: '', content: null, replyTo: null, name: null },
      phone: E164.test(phone) ? phone : null,
      userId: current,
      formerly: previous === current ? null : { phone: null, userId: previous },
      // Nothing happened later than it is heard of.
      at: seconds > 0 ? Math.min(seconds * 1000, at) : at,
    });
  }
  return { updates, unread };
}

/** As in messages, the documented form is not insisted on. */
function isUserId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,160}$/.test(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
