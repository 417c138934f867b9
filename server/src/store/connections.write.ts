import { byteas, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** A number whose connection is to be looked at. Its token is sealed. */
export interface NumberToCheck {
  tenant_id: TenantId;
  id: SenderId;
  phone_number_id: string;
  access_token_sealed: Buffer;
  connected: boolean | null;
}

const claimDue = {
  name: 'connections_claim_due',
  text: `
update senders s set connection_checked_at = clock_timestamp()
from (
  select tenant_id, id from senders
  where channel = 'whatsapp' and enabled
    and coalesce(connection_checked_at, timestamptz '-infinity') < now() - $1 * interval '1 ms'
  order by coalesce(connection_checked_at, timestamptz '-infinity')
  limit $2 for update skip locked
) d
where s.tenant_id = d.tenant_id and s.id = d.id
returning s.tenant_id, s.id, s.phone_number_id, s.access_token_sealed, s.connected`,
};

/**
 * Takes numbers that were never asked about, or not for `every` ms: of all tenants, for the job serves all. Taken by one
 * instance, they are due for no other.
 */
export function claimDueNumbers(tx: Queryable, every: number, limit: number): Promise<NumberToCheck[]> {
  return tx.query<NumberToCheck>(claimDue, [every, limit]);
}

/** What the provider said of a number. `connected` null: nothing that tells, so what was known stays. */
export interface NumberFact {
  tenant_id: TenantId;
  id: SenderId;
  /** The token it was asked with: an answer to another one says nothing of this. */
  access_token_sealed: Buffer;
  /** What was known before. */
  was: boolean | null;
  connected: boolean | null;
  detail: string | null;
  phone: string | null;
}

const writeFacts = {
  name: 'connections_write',
  text: `
update senders s
set connected = coalesce(f.connected::boolean, s.connected), connection_detail = f.detail,
  phone = coalesce(s.phone, f.phone)
from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::text[])
  as f(tenant_id, id, token, connected, detail, phone)
where s.tenant_id = f.tenant_id and s.id = f.id and s.access_token_sealed = f.token
returning s.id`,
};

/** Writes what the provider said. @returns how many still had the token that was asked with. */
export async function writeNumberFacts(tx: Queryable, facts: readonly NumberFact[]): Promise<number> {
  const rows = await tx.query(writeFacts, [
    uuids(facts, (fact) => fact.tenant_id),
    uuids(facts, (fact) => fact.id),
    byteas(facts, (fact) => fact.access_token_sealed),
    texts(facts, (fact) => (fact.connected === null ? null : String(fact.connected))),
    texts(facts, (fact) => fact.detail),
    texts(facts, (fact) => fact.phone),
  ]);
  return rows.length;
}

const forgetOne = {
  name: 'connections_forget',
  text: `
update senders set connected = null, connection_detail = null, connection_checked_at = null
where tenant_id = $1 and id = $2`,
};

/** Forgets what the provider said of a number: it is believed to be well, and asked about next. */
export async function forgetNumberFact(tx: Queryable, tenant: TenantId, id: SenderId): Promise<void> {
  await tx.query(forgetOne, [tenant, id]);
}

const doubtOne = {
  name: 'connections_doubt',
  text: `
update senders set connection_checked_at = null
where tenant_id = $1 and id = $2 and connected is distinct from false and connection_checked_at is not null returning id`,
};

/** Has a number asked about next. What was said of it still holds. @returns whether that is news. */
export async function doubtNumberFact(tx: Queryable, tenant: TenantId, id: SenderId): Promise<boolean> {
  return (await tx.query(doubtOne, [tenant, id])).length > 0;
}
