import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';

/** What a ticket is for. */
export interface TicketValues {
  user_id: string | null;
  key_id: string | null;
  scopes: readonly string[];
  session_until: Date | null;
}

const insertOne = {
  name: 'tickets_insert',
  text: `
insert into tickets (tenant_id, hash, user_id, key_id, scopes, session_until, expires_at)
values ($1, $2, $3, $4, $5, $6::timestamptz,
  least(date_trunc('milliseconds', clock_timestamp()) + $7 * interval '1 ms', $6::timestamptz))
returning expires_at`,
};

/**
 * Keeps a ticket. @param hash its SHA-256. @param lifetime milliseconds.
 * @returns when it runs out: no later than the session that it is for.
 */
export async function insertTicket(
  tx: Queryable,
  tenant: TenantId,
  hash: Buffer,
  { user_id, key_id, scopes, session_until }: TicketValues,
  lifetime: number,
): Promise<Date> {
  const values = [tenant, hash, user_id, key_id, scopes, session_until, lifetime];
  const [row] = await tx.query<{ expires_at: Date }>(insertOne, values);
  if (row === undefined) throw new Error('a ticket was not kept');
  return row.expires_at;
}

/** A ticket as it is used up: whose it is, and the rate of its tenant. */
export interface TakenTicket {
  tenant_id: TenantId;
  user_id: string | null;
  key_id: string | null;
  scopes: string[];
  session_until: Date | null;
  requests_per_second: number | null;
  request_burst: number | null;
}

const takeOne = {
  name: 'tickets_take',
  text: `
with taken as (
  delete from tickets where hash = $1 returning tenant_id, user_id, key_id, scopes, session_until, expires_at
)
select t.tenant_id, t.user_id, t.key_id, t.scopes, t.session_until, n.requests_per_second, n.request_burst
from taken t join tenants n on n.id = t.tenant_id
left join api_keys k on k.tenant_id = t.tenant_id and k.id = t.key_id
  and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
where t.expires_at > clock_timestamp() and (t.key_id is null or k.id is not null)`,
};

/**
 * Uses the ticket with this SHA-256 up: the row is gone whatever comes of it. The one question that cannot name its tenant: it asks for it.
 * @returns null when there is none, when it has run out, or when its key is no longer valid.
 * @throws class 40 when another takes the same one at the same time: there is none left then.
 */
export async function takeTicket(tx: Queryable, hash: Buffer): Promise<TakenTicket | null> {
  const [row] = await tx.query<TakenTicket>(takeOne, [hash]);
  return row ?? null;
}

const pruneOld = {
  name: 'tickets_prune',
  text: `
delete from tickets where hash in (
  select hash from tickets where expires_at < clock_timestamp() order by expires_at limit $1 for update skip locked)
returning 1 as yes`,
};

/** Removes tickets of all tenants that have run out, at most `limit`. @returns how many. */
export async function pruneTickets(tx: Queryable, limit: number): Promise<number> {
  return (await tx.query(pruneOld, [limit])).length;
}
