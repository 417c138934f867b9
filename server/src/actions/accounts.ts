import { type Db, isUniqueViolation, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { AldisError } from '../domain/errors.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { findAccountSenders, findOrphanNumbers, renewSenderTokens } from '../store/account-numbers.write.ts';
import { type AccountRecord, findAccount } from '../store/accounts.read.ts';
import {
  askAccountSyncs,
  deleteUnusedAccount,
  dropUnprovedAccount,
  insertAccount,
  updateAccount,
} from '../store/accounts.write.ts';
import { findAppRecord } from '../store/apps.read.ts';
import { ensureAccount, TEND } from './ensure-account.ts';
import { DEFAULT_APP, place } from './sealed-places.ts';

export interface NewAccount {
  id: string;
  access_token: string;
  /** The app whose webhooks tell of it. `default` if absent. */
  app?: string;
  portfolio_id?: string;
  /** Whether each of its numbers becomes a sender. true if absent. */
  add_numbers?: boolean;
  /** Whether its webhooks are to come to the app. true if absent. */
  subscribe?: boolean;
}

/** What can be changed of an account; what is absent stays. */
export interface AccountChange {
  /** For the account and all its senders. */
  access_token?: string;
  add_numbers?: boolean;
  subscribe?: boolean;
}

export interface AccountActions {
  /**
   * Adds an account, to be looked at next. `taken`: another tenant has it.
   * @throws {AldisError} `invalid_field`: there is no such app.
   */
  create(tenant: TenantId, account: NewAccount): Promise<AccountRecord | 'exists' | 'taken'>;
  /** Changes an account, and has it looked at next. A new token goes to all its senders, and what waited for one goes on. */
  change(tenant: TenantId, id: string, change: AccountChange): Promise<AccountRecord | 'not_found'>;
  /** Deletes an account with its senders and templates, when none of the senders has ever sent or received. */
  remove(tenant: TenantId, id: string): Promise<AccountRecord | 'not_found' | 'in_use'>;
  /** Has an account looked at, at once unless that was done in the last seconds. */
  sync(tenant: TenantId, id: string): Promise<AccountRecord | 'not_found'>;
}

export interface AccountDeps {
  db: Db;
  signals: Signals;
  sealer: Sealer;
}

/** Milliseconds between two looks that people ask for. */
const ASKED_GAP = 5_000;

export function createAccounts({ db, signals, sealer }: AccountDeps): AccountActions {
  const told = <T>(result: T): T => {
    if (typeof result === 'object') {
      signals.notify('senders');
      signals.notify('accounts');
      // Those of an account that is gone are gone with it.
      signals.notify('templates');
    }
    return result;
  };

  return {
    async create(tenant, { id, access_token, app = DEFAULT_APP, portfolio_id = null, add_numbers, subscribe }) {
      const row = {
        id,
        app,
        portfolio_id,
        add_numbers: add_numbers ?? true,
        subscribe_wanted: subscribe ?? true,
        sealed: sealer.seal(access_token, place.accountToken(tenant, id)),
      };
      const work = async (tx: Queryable) => {
        if ((await findAppRecord(tx, app)) === null) {
          throw new AldisError('invalid_field', 'There is no such app.', { field: 'app' });
        }
        await dropUnprovedAccount(tx, tenant, app, id);
        await insertAccount(tx, tenant, row);
        await renewSenders(tx, sealer, tenant, id, access_token);
        return written(await findAccount(tx, tenant, id));
      };
      return told(await retryingOnConflict(() => orTaken(db.transaction(work))));
    },
    async change(tenant, id, { access_token, add_numbers, subscribe }) {
      const work = async (tx: Queryable) => {
        const sealed = access_token === undefined ? null : sealer.seal(access_token, place.accountToken(tenant, id));
        const values = { sealed, add_numbers: add_numbers ?? null, subscribe_wanted: subscribe ?? null };
        if (!(await updateAccount(tx, tenant, id, values))) return 'not_found' as const;
        if (access_token !== undefined) await renewSenders(tx, sealer, tenant, id, access_token);
        return written(await findAccount(tx, tenant, id));
      };
      return told(await retryingOnConflict(() => db.transaction(work)));
    },
    async remove(tenant, id) {
      const work = async (tx: Queryable) => {
        const before = await findAccount(tx, tenant, id);
        if (before === null) return 'not_found' as const;
        return (await deleteUnusedAccount(tx, tenant, id)) ? before : ('in_use' as const);
      };
      return told(await retryingOnConflict(() => db.transaction(work)));
    },
    async sync(tenant, id) {
      const asked = await retryingOnConflict(() =>
        askAccountSyncs(db, [{ tenant, account: id, gap: ASKED_GAP }], true),
      );
      if (asked.length === 0) return 'not_found';
      signals.notify('accounts');
      return (await findAccount(db, tenant, id)) ?? 'not_found';
    },
  };
}

async function renewSenders(
  tx: Queryable,
  sealer: Sealer,
  tenant: TenantId,
  account: string,
  token: string,
): Promise<void> {
  const senders = await findAccountSenders(tx, tenant, account);
  if (senders.length === 0) return;
  const sealed = senders.map((id) => ({ id, sealed: sealer.seal(token, place.accessToken(tenant, id)) }));
  await renewSenderTokens(tx, tenant, sealed, TEND);
}

/** Accounts that are made at once. */
const TOGETHER = 50;

/**
 * Makes the accounts of senders from before there were any. A sender whose token no key opens has none made.
 * @returns how many there may be more: 0 when all are seen to.
 */
export async function adoptAccounts(db: Db, sealer: Sealer): Promise<number> {
  const orphans = await findOrphanNumbers(db, TOGETHER);
  let made = 0;
  for (const { tenant_id, id, app_id, account_id, access_token_sealed } of orphans) {
    const token = opened(sealer, access_token_sealed, tenant_id, id);
    if (token === null) continue;
    const number = { account: account_id, app: app_id, access_token: token };
    await retryingOnConflict(() => ensureAccount(db, sealer, tenant_id, number));
    made++;
  }
  return made;
}

function opened(sealer: Sealer, sealed: Buffer, tenant: TenantId, id: SenderId): string | null {
  try {
    return sealer.open(sealed, place.accessToken(tenant, id));
  } catch {
    return null;
  }
}

async function orTaken<T>(work: Promise<T>): Promise<T | 'exists' | 'taken'> {
  try {
    return await work;
  } catch (error) {
    if (isUniqueViolation(error, 'accounts_pkey')) return 'exists';
    if (isUniqueViolation(error, 'accounts_account')) return 'taken';
    throw error;
  }
}

function written(row: AccountRecord | null): AccountRecord {
  if (row === null) throw new Error('an account that was just written is not there');
  return row;
}
