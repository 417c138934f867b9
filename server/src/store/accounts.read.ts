import { texts } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';

/** A WhatsApp Business Account with all that may be told of it: everything but its token. */
export interface AccountRecord {
  id: string;
  app: string;
  portfolio_id: string | null;
  name: string | null;
  add_numbers: boolean;
  /** null in these: the provider has not been asked, or did not say. */
  token_valid: boolean | null;
  token_detail: string | null;
  token_expires_at: Date | null;
  review_status: string | null;
  messaging_limit: string | null;
  subscribe_wanted: boolean;
  subscribed: boolean | null;
  /** Senders of the tenant that are numbers of the account. */
  senders: number;
  synced_at: Date | null;
  checked_at: Date | null;
  sync_detail: string | null;
  templates_synced_at: Date | null;
  created_at: Date;
}

const COLUMNS = `
a.id, a.app_id as app, a.portfolio_id, a.name, a.add_numbers, a.token_valid, a.token_detail, a.token_expires_at,
a.review_status, a.messaging_limit, a.subscribe_wanted, a.subscribed,
(select count(*)::int from senders s where s.tenant_id = a.tenant_id and s.account_id = a.id and s.app_id = a.app_id) as senders,
a.synced_at, a.checked_at, a.sync_detail, a.templates_synced_at, a.created_at`;

const findOne = {
  name: 'accounts_find',
  text: `select ${COLUMNS} from accounts a where a.tenant_id = $1 and a.id = $2`,
};

/** An account by the id that WhatsApp knows it by. */
export async function findAccount(tx: Queryable, tenant: TenantId, id: string): Promise<AccountRecord | null> {
  return (await tx.query<AccountRecord>(findOne, [tenant, id]))[0] ?? null;
}

const listAll = {
  name: 'accounts_list',
  text: `select ${COLUMNS} from accounts a where a.tenant_id = $1 and a.id > $2 order by a.id limit $3`,
};

/** Accounts of a tenant in the order of their ids. @param after a page begins behind this one; '': at the first. */
export function listAccounts(tx: Queryable, tenant: TenantId, after: string, limit: number): Promise<AccountRecord[]> {
  return tx.query<AccountRecord>(listAll, [tenant, after, limit]);
}

/** What the provider told of an account and nobody asked for. `payload` is what the webhook carried, as it came. */
export interface AccountAlert {
  id: string;
  field: string;
  payload: Record<string, unknown>;
}

const listAlerts = {
  name: 'accounts_list_alerts',
  text: `
select id, field, payload from account_alerts
where tenant_id = $1 and account_id = $2 and id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by id desc limit $4`,
};

/** Alerts of an account, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listAccountAlerts(
  tx: Queryable,
  tenant: TenantId,
  account: string,
  before: string | null,
  limit: number,
): Promise<AccountAlert[]> {
  return tx.query<AccountAlert>(listAlerts, [tenant, account, before, limit]);
}

/** Whose account it is that a webhook names. */
export interface AccountTenant {
  app: string;
  account: string;
  tenant_id: TenantId;
}

// An account that its token has never read proves nothing, also while it is still to be asked: whoever names somebody's id, and
// gives it one token after the other, is not told of it.
const findTenants = {
  name: 'accounts_find_tenants',
  text: `
select distinct i.app, i.account, coalesce(
  (select a.tenant_id from accounts a
   where a.app_id = i.app and a.id = i.account and a.synced_at is not null),
  (select s.tenant_id from senders s where s.app_id = i.app and s.account_id = i.account order by s.created_at, s.id limit 1)
) as tenant_id
from unnest($1::text[], $2::text[]) as i(app, account)`,
};

/**
 * The tenants of accounts, by the app that signed a webhook and the account it names: who added the account, else who has a
 * sender of it. An account of nobody is left out.
 */
export async function findAccountTenants(
  tx: Queryable,
  asked: readonly { app: string; account: string }[],
): Promise<AccountTenant[]> {
  const rows = await tx.query<{ app: string; account: string; tenant_id: TenantId | null }>(findTenants, [
    texts(asked, ({ app }) => app),
    texts(asked, ({ account }) => account),
  ]);
  return rows.flatMap(({ tenant_id, ...names }) => (tenant_id === null ? [] : [{ ...names, tenant_id }]));
}

/** How long a token is still good. */
export interface TokenExpiry {
  account: string;
  /** Seconds; negative: it has expired. */
  seconds: number;
}

const findExpiries = {
  name: 'accounts_find_expiries',
  text: `
select id as account, extract(epoch from token_expires_at - clock_timestamp())::float8 as seconds
from accounts where token_expires_at is not null order by token_expires_at limit $1`,
};

/** The tokens that expire next, of all tenants: for the operator's metrics. */
export function findTokenExpiries(tx: Queryable, limit: number): Promise<TokenExpiry[]> {
  return tx.query<TokenExpiry>(findExpiries, [limit]);
}
