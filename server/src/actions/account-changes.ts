import { hash } from 'node:crypto';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { LEAST_BETWEEN_SYNCS, RATE_OF, type Throughput } from '../domain/account.ts';
import type { AccountChange, ApplyAccountChanges } from '../domain/account-change.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Signals } from '../signals/signals.ts';
import { type NumberNews, writeNumberNews } from '../store/account-numbers.write.ts';
import { findAccountTenants } from '../store/accounts.read.ts';
import { askAccountSyncs, keepAlert, writeMessagingLimit, writeReviewStatus } from '../store/accounts.write.ts';

/**
 * What webhooks tell of accounts and their numbers, by field (Meta: webhooks/reference, 2026-09). What they say outright is written;
 * the whole of it is read from the provider soon after, for they come late, twice and in any order. Those that a person should
 * know of are kept as alerts.
 */
export interface AccountChangeDeps {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn'>;
}

/** Alerts that are kept of an account: the newest. */
const MOST_ALERTS = 1000;

/** What a field does. */
interface Handling {
  /** Whether it is kept for people to read. */
  alert: boolean;
  /** Writes what it says; null, or why it could not be read. */
  write?: (tx: Queryable, tenant: TenantId, change: AccountChange) => Promise<string | null>;
  /** Whether a person should be told at once. */
  warns?: (value: AccountChange['value']) => boolean;
}

const FIELDS: Readonly<Record<string, Handling>> = {
  phone_number_quality_update: { alert: false, write: writeQuality },
  phone_number_name_update: { alert: true, write: writeName, warns: ({ decision }) => decision === 'REJECTED' },
  business_capability_update: { alert: false, write: writeCapability },
  account_review_update: { alert: true, write: writeReview, warns: ({ decision }) => decision === 'REJECTED' },
  account_update: { alert: true, warns: ({ event }) => SERIOUS.test(String(event)) },
  account_alerts: { alert: true, warns: () => true },
  security: { alert: true, warns: () => true },
  business_username_update: { alert: true },
  // As the heading of the same page has it.
  business_username_updates: { alert: true },
  payment_configuration_update: { alert: true },
  partner_solutions: { alert: true },
};

/** Events of account_update after which less can be sent, or nothing. */
const SERIOUS = /DISABLED|RESTRICT|VIOLATION|DELETED|BANNED|REMOVED|OFFBOARDED|DISCONNECT/;

/** The actions for `applyChanges`, one a field. */
export function createAccountChanges(deps: AccountChangeDeps): Readonly<Record<string, ApplyAccountChanges>> {
  return Object.fromEntries(
    Object.entries(FIELDS).map(([field, handling]) => [field, (changes) => apply(deps, handling, changes)]),
  );
}

async function apply(
  { db, signals, logger }: AccountChangeDeps,
  handling: Handling,
  changes: readonly AccountChange[],
): Promise<string[]> {
  const asked = changes.map(({ app, account_id }) => ({ app, account: account_id }));
  const tenants = new Map(
    (await findAccountTenants(db, asked)).map((row) => [`${row.app} ${row.account}`, row.tenant_id]),
  );
  const troubles: string[] = [];
  const syncs = new Map<string, { tenant: TenantId; account: string; gap: number }>();
  for (const change of changes) {
    const { app, account_id: account, field, value } = change;
    const tenant = tenants.get(`${app} ${account}`);
    if (tenant === undefined) {
      troubles.push(`${field}: nobody has the account ${account}`);
      continue;
    }
    const trouble = await retryingOnConflict(() =>
      db.transaction(async (tx) => {
        const found = (await handling.write?.(tx, tenant, change)) ?? null;
        if (handling.alert || found !== null) {
          await keepAlert(tx, tenant, account, { id: alertId(change), field, payload: value }, MOST_ALERTS);
        }
        return found;
      }),
    );
    if (trouble !== null) troubles.push(`${field} of ${account}: ${trouble}`);
    if (handling.warns?.(value)) {
      logger.warn(
        { tenant_id: tenant, account_id: account, field, told: gistOf(value) },
        'WhatsApp told of an account',
      );
    }
    syncs.set(`${tenant} ${account}`, { tenant, account, gap: LEAST_BETWEEN_SYNCS });
  }
  if (syncs.size > 0) {
    await retryingOnConflict(() => askAccountSyncs(db, [...syncs.values()], false));
    // A rate may have changed with it.
    signals.notify('senders');
    signals.notify('accounts');
  }
  return troubles;
}

/** What a change is about, in a word: the rest is in the alert. */
function gistOf({ event, decision, alert_info }: AccountChange['value']): string | null {
  const alert =
    typeof alert_info === 'object' && alert_info !== null && 'alert_type' in alert_info ? alert_info.alert_type : null;
  return wordOf(event) ?? wordOf(decision) ?? wordOf(alert);
}

const NOTHING: NumberNews = { quality: null, throughput: null, rate: null, verified_name: null, name_status: null };

/**
 * {display_phone_number, event: ONBOARDING | UPGRADE | DOWNGRADE | FLAGGED | UNFLAGGED | THROUGHPUT_UPGRADE, old_limit,
 * current_limit}. The limit is the portfolio's.
 */
async function writeQuality(tx: Queryable, tenant: TenantId, change: AccountChange): Promise<string | null> {
  const { app, account_id: account, value } = change;
  const event = wordOf(value['event']);
  // With an upgrade of the throughput it is that of messages a second which has no limit.
  const limit =
    limitOf(value['max_daily_conversations_per_business']) ??
    (event === 'THROUGHPUT_UPGRADE' ? null : limitOf(value['current_limit']));
  if (limit !== null && TIER.test(limit)) await writeMessagingLimit(tx, tenant, account, limit);
  const phone = phoneOf(value['display_phone_number']);
  if (phone === null) return 'it names no phone number';
  const throughput: Throughput | null = event === 'THROUGHPUT_UPGRADE' ? 'HIGH' : null;
  const news = { ...NOTHING, throughput, rate: throughput === null ? null : RATE_OF[throughput] };
  const known = await writeNumberNews(tx, { app, account, phone }, news);
  return known || throughput === null ? null : `there is no sender of ${phone}`;
}

/** {display_phone_number, decision: APPROVED | REJECTED | …, requested_verified_name, rejection_reason} */
async function writeName(tx: Queryable, _tenant: TenantId, change: AccountChange): Promise<string | null> {
  const { app, account_id: account, value } = change;
  const phone = phoneOf(value['display_phone_number']);
  if (phone === null) return 'it names no phone number';
  const decision = wordOf(value['decision']);
  const name = decision === 'APPROVED' ? textOf(value['requested_verified_name']) : null;
  await writeNumberNews(tx, { app, account, phone }, { ...NOTHING, verified_name: name, name_status: decision });
  return null;
}

/** {max_daily_conversations_per_business: TIER_… or a number, max_daily_conversation_per_phone: a number, -1: no limit} */
async function writeCapability(tx: Queryable, tenant: TenantId, change: AccountChange): Promise<string | null> {
  const { account_id: account, value } = change;
  const told = value['max_daily_conversations_per_business'] ?? value['max_daily_conversation_per_phone'];
  const limit = limitOf(told);
  // Without one it tells of something else, such as how many numbers there may be.
  if (limit === null) return null;
  if (!TIER.test(limit)) return 'its limit is none that is known';
  await writeMessagingLimit(tx, tenant, account, limit);
  return null;
}

/** {decision: APPROVED | REJECTED | PENDING | DEFERRED} */
async function writeReview(tx: Queryable, tenant: TenantId, change: AccountChange): Promise<string | null> {
  const decision = wordOf(change.value['decision']);
  if (decision === null) return 'it names no decision';
  await writeReviewStatus(tx, tenant, change.account_id, decision);
  return null;
}

const TIER = /^TIER_\w{1,32}$/;
const TIERS: ReadonlyMap<number, string> = new Map([
  [-1, 'TIER_UNLIMITED'],
  [50, 'TIER_50'],
  [250, 'TIER_250'],
  [1000, 'TIER_1K'],
  [2000, 'TIER_2K'],
  [10_000, 'TIER_10K'],
  [100_000, 'TIER_100K'],
]);

/** A limit as the API has it now, whether it is told as a word or as a number of people. */
function limitOf(told: unknown): string | null {
  if (typeof told !== 'number') return wordOf(told);
  return TIERS.get(told) ?? (Number.isSafeInteger(told) && told > 0 ? `TIER_${told}` : null);
}

/** Meta's digits, with or without +, as E.164. */
function phoneOf(value: unknown): string | null {
  const phone = typeof value === 'string' ? `+${value.replace(/\D/g, '')}` : '';
  return /^\+[1-9]\d{6,14}$/.test(phone) ? phone : null;
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value) ? value : null;
}

function textOf(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.slice(0, 512).toWellFormed().replaceAll('\0', '\ufffd');
}

/** The same change, stored again or applied again, is the same alert: an id of its time and of what it says, a UUIDv7 by shape. */
function alertId({ app, account_id, field, value, at }: AccountChange): string {
  const digest = hash('sha256', JSON.stringify([app, account_id, field, value]), 'hex');
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`;
}
