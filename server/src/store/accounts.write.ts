import { integers, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { AccountFacts } from '../domain/account.ts';
import type { TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';

export interface NewAccountRow {
  id: string;
  app: string;
  portfolio_id: string | null;
  add_numbers: boolean;
  subscribe_wanted: boolean;
  sealed: Buffer;
}

const insertOne = {
  name: 'accounts_insert',
  text: `
insert into accounts (tenant_id, id, app_id, portfolio_id, add_numbers, subscribe_wanted, access_token_sealed)
values ($1, $2, $3, $4, $5, $6, $7)`,
};

const insertIfNone = { name: 'accounts_insert_if_none', text: `${insertOne.text} on conflict do nothing` };

const values = (tenant: TenantId, row: NewAccountRow) => [
  tenant,
  row.id,
  row.app,
  row.portfolio_id,
  row.add_numbers,
  row.subscribe_wanted,
  row.sealed,
];

/**
 * Makes an account, due to be looked at.
 * @throws on `accounts_pkey` when the tenant has it already, on `accounts_account` when another tenant has.
 */
export async function insertAccount(tx: Queryable, tenant: TenantId, row: NewAccountRow): Promise<void> {
  await tx.query(insertOne, values(tenant, row));
}

/** Makes an account unless anybody has it. */
export async function insertAccountIfNone(tx: Queryable, tenant: TenantId, row: NewAccountRow): Promise<void> {
  await tx.query(insertIfNone, values(tenant, row));
}

const replaceInvalid = {
  name: 'accounts_replace_invalid',
  text: `
update accounts set access_token_sealed = $3, token_valid = null, token_detail = null, token_expires_at = null,
  sync_detail = null, sync_tries = 0, sync_due_at = clock_timestamp(),
  templates_tries = 0, templates_due_at = clock_timestamp()
where tenant_id = $1 and id = $2 and token_valid = false`,
};

/** Gives an account whose token is no good another one. */
export async function replaceInvalidToken(tx: Queryable, tenant: TenantId, id: string, sealed: Buffer): Promise<void> {
  await tx.query(replaceInvalid, [tenant, id, sealed]);
}

const dropUnproved = {
  name: 'accounts_drop_unproved',
  text: `
with gone as (
  delete from accounts
  where app_id = $2 and id = $3 and tenant_id <> $1 and synced_at is null and token_valid = false
  returning tenant_id, id
), alerts as (
  delete from account_alerts l using gone g where l.tenant_id = g.tenant_id and l.account_id = g.id
)
delete from templates t using gone g where t.tenant_id = g.tenant_id and t.account_id = g.id`,
};

/** Takes an account away from another tenant that never had a token that reads it, with its templates and alerts. */
export async function dropUnprovedAccount(tx: Queryable, tenant: TenantId, app: string, id: string): Promise<void> {
  await tx.query(dropUnproved, [tenant, app, id]);
}

const findToken = {
  name: 'accounts_find_token',
  text: 'select access_token_sealed, add_numbers from accounts where tenant_id = $1 and id = $2',
};

/** The sealed token of an account. */
export async function findAccountToken(
  tx: Queryable,
  tenant: TenantId,
  id: string,
): Promise<{ access_token_sealed: Buffer; add_numbers: boolean } | null> {
  const [row] = await tx.query<{ access_token_sealed: Buffer; add_numbers: boolean }>(findToken, [tenant, id]);
  return row ?? null;
}

/** What is changed of an account; null stays as it is. */
export interface AccountValues {
  sealed: Buffer | null;
  add_numbers: boolean | null;
  subscribe_wanted: boolean | null;
}

const updateOne = {
  name: 'accounts_update',
  text: `
update accounts set access_token_sealed = coalesce($3, access_token_sealed), add_numbers = coalesce($4, add_numbers),
  subscribe_wanted = coalesce($5, subscribe_wanted),
  -- What was said of the old token is no fact any more.
  token_valid = case when $3 is null then token_valid end, token_detail = case when $3 is null then token_detail end,
  token_expires_at = case when $3 is null then token_expires_at end,
  sync_detail = case when $3 is null then sync_detail end, sync_tries = 0, sync_due_at = clock_timestamp(),
  -- Templates that could not be read with the old one are read at once.
  templates_tries = case when $3 is null then templates_tries else 0 end,
  templates_due_at = case when $3 is null then templates_due_at else clock_timestamp() end
where tenant_id = $1 and id = $2 returning id`,
};

/** Changes an account, and has it looked at. @returns false: the tenant has none of that id. */
export async function updateAccount(
  tx: Queryable,
  tenant: TenantId,
  id: string,
  { sealed, add_numbers, subscribe_wanted }: AccountValues,
): Promise<boolean> {
  return (await tx.query(updateOne, [tenant, id, sealed, add_numbers, subscribe_wanted])).length === 1;
}

const deleteOne = {
  name: 'accounts_delete',
  text: `
delete from accounts a where a.tenant_id = $1 and a.id = $2
  and not exists (
    select from senders s join messages m on m.tenant_id = s.tenant_id and m.sender_id = s.id
    where s.tenant_id = $1 and s.account_id = $2 and s.app_id = a.app_id
  )
returning a.id, a.app_id`,
};
const deleteSenders = {
  name: 'accounts_delete_senders',
  text: 'delete from senders where tenant_id = $1 and account_id = $2 and app_id = $3',
};
const deleteAlerts = {
  name: 'accounts_delete_alerts',
  text: 'delete from account_alerts where tenant_id = $1 and account_id = $2',
};
const deleteTemplates = {
  name: 'accounts_delete_templates',
  text: 'delete from templates where tenant_id = $1 and account_id = $2',
};

/** Deletes an account with its senders and templates, when no sender has ever sent or received. @returns false otherwise. */
export async function deleteUnusedAccount(tx: Queryable, tenant: TenantId, id: string): Promise<boolean> {
  const [gone] = await tx.query<{ app_id: string }>(deleteOne, [tenant, id]);
  if (!gone) return false;
  await tx.query(deleteSenders, [tenant, id, gone.app_id]);
  await tx.query(deleteAlerts, [tenant, id]);
  await tx.query(deleteTemplates, [tenant, id]);
  return true;
}

const askSync = {
  name: 'accounts_ask_sync',
  text: `
update accounts a set sync_due_at = least(a.sync_due_at, greatest(clock_timestamp(), a.checked_at + i.gap * interval '1 ms')),
  sync_tries = 0
from unnest($1::uuid[], $2::text[], $3::int[]) as i(tenant_id, id, gap)
where a.tenant_id = i.tenant_id and a.id = i.id and (a.sync_tries = 0 or $4)
returning a.id`,
};

/**
 * Has accounts looked at as soon as `gap` milliseconds have passed since they last were.
 * @param anyway also those that wait because the last look failed: the provider may have said that there were too many.
 * @returns those that there are, and that do not wait.
 */
export async function askAccountSyncs(
  tx: Queryable,
  asked: readonly { tenant: TenantId; account: string; gap: number }[],
  anyway: boolean,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(askSync, [
    uuids(asked, ({ tenant }) => tenant),
    texts(asked, ({ account }) => account),
    integers(asked, ({ gap }) => gap),
    anyway,
  ]);
  return rows.map(({ id }) => id);
}

/** An account that is to be looked at. Secrets are sealed. */
export interface AccountToSync {
  tenant_id: TenantId;
  id: string;
  app_id: string;
  meta_app_id: string | null;
  app_secret_sealed: Buffer;
  access_token_sealed: Buffer;
  add_numbers: boolean;
  subscribe_wanted: boolean;
  subscribed: boolean | null;
  /** What was known of it before. */
  token_valid: boolean | null;
  sync_detail: string | null;
  /** Looks that failed since the last good one. */
  sync_tries: number;
  /** When it was taken to be due again: whoever asks for it meanwhile changes this. As the database writes it. */
  taken: string;
}

const claimDue = {
  name: 'accounts_claim_due',
  text: `
update accounts a set sync_due_at = clock_timestamp() + $2 * interval '1 ms'
from (
  select tenant_id, id from accounts where sync_due_at <= now() order by sync_due_at limit $1 for update
) d, apps p
where a.tenant_id = d.tenant_id and a.id = d.id and p.id = a.app_id
returning a.tenant_id, a.id, a.app_id, p.meta_app_id, p.app_secret_sealed, a.access_token_sealed, a.add_numbers,
  a.subscribe_wanted, a.subscribed, a.token_valid, a.sync_detail, a.sync_tries, a.sync_due_at::text as taken`,
};

/**
 * Takes accounts that are due to be looked at, of all tenants. Taken by one instance, they are due for no other for `takenFor`
 * milliseconds. A row that somebody else writes at that moment is waited for, and the claim then fails as a conflict: to skip it would
 * let a person who has just added an account wait for the next look.
 */
export function claimDueAccounts(tx: Queryable, limit: number, takenFor: number): Promise<AccountToSync[]> {
  return tx.query<AccountToSync>(claimDue, [limit, takenFor]);
}

const NEXT = `sync_due_at = case when a.sync_due_at = $4::timestamptz then clock_timestamp() + $5 * interval '1 ms' else a.sync_due_at end`;

const writeFacts = {
  name: 'accounts_write_facts',
  text: `
update accounts a set name = coalesce($6, a.name), portfolio_id = coalesce($7, a.portfolio_id),
  review_status = coalesce($8, a.review_status), messaging_limit = coalesce($9, a.messaging_limit),
  subscribed = coalesce($10, a.subscribed), sync_detail = $11,
  token_valid = true, token_detail = null,
  token_expires_at = case when $12 then $13 else a.token_expires_at end,
  synced_at = clock_timestamp(), checked_at = clock_timestamp(), sync_tries = 0, ${NEXT}
where a.tenant_id = $1 and a.id = $2 and a.access_token_sealed = $3
returning a.id`,
};

/**
 * Writes what was read of an account. @param next milliseconds until it is looked at again, unless somebody asked for it meanwhile.
 * @returns false: its token was replaced since, and nothing was written.
 */
export async function writeAccountFacts(
  tx: Queryable,
  { tenant_id, id, access_token_sealed, taken }: AccountToSync,
  facts: AccountFacts,
  next: number,
): Promise<boolean> {
  const { name, portfolio_id, review_status, messaging_limit, subscribed, subscribe_detail, token_expires_at } = facts;
  const rows = await tx.query(writeFacts, [
    tenant_id,
    id,
    access_token_sealed,
    taken,
    next,
    name,
    portfolio_id,
    review_status,
    messaging_limit,
    subscribed,
    subscribe_detail,
    token_expires_at !== 'unknown',
    token_expires_at === 'unknown' ? null : token_expires_at,
  ]);
  return rows.length === 1;
}

const writeTrouble = {
  name: 'accounts_write_trouble',
  text: `
update accounts a set token_valid = case when $7 then false else a.token_valid end,
  token_detail = case when $7 then $6 else a.token_detail end,
  sync_detail = $6, checked_at = clock_timestamp(), sync_tries = least(a.sync_tries + 1, 1000), ${NEXT}
where a.tenant_id = $1 and a.id = $2 and a.access_token_sealed = $3
returning a.id`,
};

/** Writes why an account could not be read. @param refused whether its token does not open it. */
export async function writeAccountTrouble(
  tx: Queryable,
  { tenant_id, id, access_token_sealed, taken }: AccountToSync,
  trouble: { detail: string; refused: boolean },
  next: number,
): Promise<void> {
  const { detail, refused } = trouble;
  await tx.query(writeTrouble, [tenant_id, id, access_token_sealed, taken, next, detail, refused]);
}

const writeLimit = {
  name: 'accounts_write_limit',
  text: 'update accounts set messaging_limit = $3 where tenant_id = $1 and id = $2 and messaging_limit is distinct from $3',
};

/** Writes the messaging limit that a webhook told. */
export async function writeMessagingLimit(tx: Queryable, tenant: TenantId, id: string, limit: string): Promise<void> {
  await tx.query(writeLimit, [tenant, id, limit]);
}

const writeReview = {
  name: 'accounts_write_review',
  text: 'update accounts set review_status = $3 where tenant_id = $1 and id = $2 and review_status is distinct from $3',
};

/** Writes what came of the provider's review of an account. */
export async function writeReviewStatus(tx: Queryable, tenant: TenantId, id: string, status: string): Promise<void> {
  await tx.query(writeReview, [tenant, id, status]);
}

const insertAlert = {
  name: 'accounts_insert_alert',
  text: `
insert into account_alerts (tenant_id, account_id, id, field, payload) values ($1, $2, $3, $4, $5::jsonb)
on conflict do nothing`,
};
const pruneAlerts = {
  name: 'accounts_prune_alerts',
  text: `
delete from account_alerts where tenant_id = $1 and account_id = $2 and id <= (
  select id from account_alerts where tenant_id = $1 and account_id = $2 order by id desc offset $3 limit 1
)`,
};

/** Keeps an alert, and of all of the account the newest `most`. The same id once more changes nothing. */
export async function keepAlert(
  tx: Queryable,
  tenant: TenantId,
  account: string,
  alert: { id: string; field: string; payload: object },
  most: number,
): Promise<void> {
  await tx.query(insertAlert, [tenant, account, alert.id, alert.field, jsonText(alert.payload)]);
  await tx.query(pruneAlerts, [tenant, account, most]);
}
