import { byteas, integers, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { NumberFacts } from '../domain/account.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** The numbers of an account, as senders. */
const findKnown = {
  name: 'account_numbers_find_known',
  text: 'select phone_number_id from senders where app_id = $1 and phone_number_id = any($2)',
};

/** Which of these numbers are somebody's sender already, of whatever tenant: a number leads to one only. */
export async function findKnownNumbers(tx: Queryable, app: string, numbers: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ phone_number_id: string }>(findKnown, [app, numbers]);
  return new Set(rows.map(({ phone_number_id }) => phone_number_id));
}

/** What is written of a number: what the provider tells, and the rate that its throughput allows (null: not told). */
export type NumberRow = Omit<NumberFacts, 'gone'> & { rate: number | null };

// One move at a time: what is due in the lane before that one has to follow first.
const MOVES = '($3::int is not null and s.lane_id <> $3 and s.previous_lane_id is null)';

const findLeft = {
  name: 'account_numbers_find_left',
  text: `
select distinct s.lane_id from senders s
where s.app_id = $1 and s.phone_number_id = any($2::text[]) and s.lane_id <> $3 and s.previous_lane_id is null`,
};

/** The lanes that numbers leave when `writeNumbers` writes them for this one, in the same transaction. */
export async function findLanesLeft(
  tx: Queryable,
  app: string,
  numbers: readonly string[],
  lane: number,
): Promise<number[]> {
  const rows = await tx.query<{ lane_id: number }>(findLeft, [app, numbers, lane]);
  return rows.map(({ lane_id }) => lane_id);
}

const writeFacts = {
  name: 'account_numbers_write',
  text: `
update senders s set phone = coalesce(s.phone, i.phone), account_id = $2,
  verified_name = coalesce(i.verified_name, s.verified_name), name_status = coalesce(i.name_status, s.name_status),
  quality = coalesce(i.quality, s.quality), throughput = coalesce(i.throughput, s.throughput),
  messages_per_second = case when s.own_rate then s.messages_per_second else coalesce(i.rate, s.messages_per_second) end,
  previous_lane_id = case when ${MOVES} then s.lane_id else s.previous_lane_id end,
  tend_until = case when ${MOVES} then clock_timestamp() + $4 * interval '1 ms' else s.tend_until end,
  lane_id = case when ${MOVES} then $3 else s.lane_id end
from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[])
  as i(number, phone, verified_name, name_status, quality, throughput, rate)
where s.app_id = $1 and s.phone_number_id = i.number and (
  ${MOVES} or (s.phone is null and i.phone is not null) or s.account_id is distinct from $2
  or s.verified_name is distinct from coalesce(i.verified_name, s.verified_name)
  or s.name_status is distinct from coalesce(i.name_status, s.name_status)
  or s.quality is distinct from coalesce(i.quality, s.quality)
  or s.throughput is distinct from coalesce(i.throughput, s.throughput)
  or (not s.own_rate and s.messages_per_second <> coalesce(i.rate, s.messages_per_second))
)
returning s.id`,
};

/**
 * Writes what the provider tells of an account's numbers to their senders, of whatever tenant: it is true of the number. Senders
 * of another lane move to the portfolio's; their due work follows (see `tending.write.ts`).
 * @param lane of the account's portfolio; null: it is not known, and nothing moves.
 * @param tend milliseconds in which work may still be given to the lane before.
 * @returns how many were changed.
 */
export async function writeNumbers(
  tx: Queryable,
  { app, account, lane, tend }: { app: string; account: string; lane: number | null; tend: number },
  numbers: readonly NumberRow[],
): Promise<number> {
  const rows = await tx.query(writeFacts, [
    app,
    account,
    lane,
    tend,
    texts(numbers, (n) => n.phone_number_id),
    texts(numbers, (n) => n.phone),
    texts(numbers, (n) => n.verified_name),
    texts(numbers, (n) => n.name_status),
    texts(numbers, (n) => n.quality),
    texts(numbers, (n) => n.throughput),
    integers(numbers, (n) => n.rate),
  ]);
  return rows.length;
}

/** What a webhook tells of one number; null: nothing of that. */
export interface NumberNews {
  quality: string | null;
  throughput: string | null;
  rate: number | null;
  verified_name: string | null;
  name_status: string | null;
}

const writeNews = {
  name: 'account_numbers_write_news',
  text: `
update senders s set quality = coalesce($4, s.quality), throughput = coalesce($5, s.throughput),
  messages_per_second = case when s.own_rate then s.messages_per_second else coalesce($6, s.messages_per_second) end,
  verified_name = coalesce($7, s.verified_name), name_status = coalesce($8, s.name_status)
where s.app_id = $1 and s.account_id = $2 and s.phone = $3 returning s.id`,
};

/** Writes what a webhook tells of a number, which it names by its phone. @returns whether there is a sender of it. */
export async function writeNumberNews(
  tx: Queryable,
  { app, account, phone }: { app: string; account: string; phone: string },
  { quality, throughput, rate, verified_name, name_status }: NumberNews,
): Promise<boolean> {
  const values = [app, account, phone, quality, throughput, rate, verified_name, name_status];
  return (await tx.query(writeNews, values)).length > 0;
}

const findSenders = {
  name: 'account_numbers_find_senders',
  text: `
select s.id from senders s join accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id and a.app_id = s.app_id
where s.tenant_id = $1 and s.account_id = $2 order by s.id`,
};

/** The tenant's senders that are numbers of its account. */
export async function findAccountSenders(tx: Queryable, tenant: TenantId, account: string): Promise<SenderId[]> {
  return (await tx.query<{ id: SenderId }>(findSenders, [tenant, account])).map(({ id }) => id);
}

const renewTokens = {
  name: 'account_numbers_renew_tokens',
  text: `
update senders s set access_token_sealed = i.sealed, connected = null, connection_detail = null,
  connection_checked_at = null, tend_until = greatest(s.tend_until, clock_timestamp() + $4 * interval '1 ms')
from unnest($2::uuid[], $3::bytea[]) as i(id, sealed)
where s.tenant_id = $1 and s.id = i.id`,
};

/**
 * Gives senders a new token. What was said of the old one is forgotten, and what waits for a new one goes on.
 * @param tend milliseconds in which other instances may still use the old one.
 */
export async function renewSenderTokens(
  tx: Queryable,
  tenant: TenantId,
  senders: readonly { id: SenderId; sealed: Buffer }[],
  tend: number,
): Promise<void> {
  await tx.query(renewTokens, [tenant, uuids(senders, ({ id }) => id), byteas(senders, ({ sealed }) => sealed), tend]);
}

const doubt = {
  name: 'account_numbers_doubt',
  text: `
update senders set connection_checked_at = null
where tenant_id = $1 and account_id = $2 and app_id = $3 and connected is distinct from false returning id`,
};

/** Has the connection of an account's numbers looked at next: its token is no good, and theirs may be the same. */
export async function doubtNumbers(tx: Queryable, tenant: TenantId, account: string, app: string): Promise<boolean> {
  return (await tx.query(doubt, [tenant, account, app])).length > 0;
}

const findOrphans = {
  name: 'account_numbers_find_orphans',
  text: `
select distinct on (s.app_id, s.account_id) s.tenant_id, s.id, s.app_id, s.account_id, s.access_token_sealed
from senders s
where s.account_id ~ '^[0-9]{5,20}$' and s.app_id is not null and s.access_token_sealed is not null
  and not exists (select from accounts a where a.app_id = s.app_id and a.id = s.account_id)
order by s.app_id, s.account_id, s.is_default desc, s.created_at, s.id
limit $1`,
};

/** A sender whose account nobody has added. */
export interface OrphanNumber {
  tenant_id: TenantId;
  id: SenderId;
  app_id: string;
  account_id: string;
  access_token_sealed: Buffer;
}

/** Senders of accounts that nobody has added, one an account, of all tenants: from before there were accounts. */
export function findOrphanNumbers(tx: Queryable, limit: number): Promise<OrphanNumber[]> {
  return tx.query<OrphanNumber>(findOrphans, [limit]);
}
