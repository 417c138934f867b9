import type { Db } from '../db/pool.ts';
import { type AccountChange, type ApplyAccountChanges, phoneNumberIdOf } from '../domain/account-change.ts';
import type { TenantId } from '../domain/ids.ts';
import { BSUID, E164 } from '../domain/phone.ts';
import type { Signals } from '../signals/signals.ts';
import type { Address } from '../store/contacts.write.ts';
import { findSenderByNumber } from '../store/routes.read.ts';
import { giveConsentsByAddress, type SaidBy } from './consent-lists.ts';

/**
 * Applies webhooks of the field `user_preferences`: customers who stopped or resumed marketing messages in WhatsApp itself
 * (Meta: webhooks/reference/user_preferences). The number that is named tells the tenant.
 */
export function applyUserPreferences({ db, signals }: { db: Db; signals: Signals }): ApplyAccountChanges {
  return async (changes) => {
    const troubles: string[] = [];
    const said = new Map<TenantId, SaidBy[]>();
    for (const change of changes) {
      const number = phoneNumberIdOf(change);
      const route = number === null ? undefined : await findSenderByNumber(db, change.app, number);
      if (!route) {
        troubles.push('user_preferences of a number that is not known here');
        continue;
      }
      const { preferences, unread } = readPreferences(change);
      if (unread > 0) troubles.push(`user_preferences: ${unread} that cannot be read`);
      said.set(route.tenant_id, [...(said.get(route.tenant_id) ?? []), ...preferences]);
    }
    for (const [tenant, ofTenant] of said) await giveConsentsByAddress({ db, signals }, tenant, ofTenant);
    return troubles;
  };
}

function readPreferences({ value, at }: AccountChange): { preferences: SaidBy[]; unread: number } {
  const items: unknown[] = Array.isArray(value['user_preferences']) ? value['user_preferences'] : [];
  const preferences: SaidBy[] = [];
  let unread = items.length === 0 ? 1 : 0;
  for (const item of items) {
    const preference = isRecord(item) ? readPreference(item, at) : null;
    if (preference === null) unread++;
    else preferences.push(preference);
  }
  return { preferences, unread };
}

/** What one preference says, or null: it cannot be read. @param at when the webhook came. */
function readPreference(item: Record<string, unknown>, at: number): SaidBy | null {
  const { wa_id, user_id, category, value, detail, timestamp } = item;
  const addresses: Address[] = [];
  if (typeof user_id === 'string' && BSUID.test(user_id)) addresses.push({ kind: 'bsuid', value: user_id });
  const phone = `+${String(wa_id).replace(/^\+/, '')}`;
  if (E164.test(phone)) addresses.push({ kind: 'phone', value: phone });
  if (addresses.length === 0 || category !== 'marketing_messages' || (value !== 'stop' && value !== 'resume'))
    return null;
  // Seconds, as a number or, as all other webhooks have it, in digits: the end of that second, for what he wrote in it he wrote
  // before. But nothing is said later than it is heard of.
  const seconds = Number(timestamp);
  return {
    person: { addresses, name: null },
    scope: 'marketing',
    state: value === 'stop' ? 'out' : 'in',
    source: 'whatsapp',
    detail: typeof detail === 'string' ? detail.slice(0, 200).toWellFormed().replaceAll('\0', '\ufffd') : null,
    message: null,
    at: seconds > 0 ? Math.min(seconds * 1000 + 999, at) : at,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
