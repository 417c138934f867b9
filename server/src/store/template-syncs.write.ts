import { texts } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { DueSync } from '../domain/template-provider.ts';

/** When the templates of an account are read from the provider. */

const take = {
  name: 'template_syncs_take',
  text: `
with x as materialized (
  select tenant_id, id from accounts where templates_due_at <= now()
  order by templates_due_at limit $1 for update
)
update accounts a set templates_due_at = date_trunc('milliseconds', clock_timestamp() + $2 * interval '1 ms')
from x where a.tenant_id = x.tenant_id and a.id = x.id
returning a.tenant_id, a.id, a.access_token_sealed, a.templates_tries as tries, clock_timestamp() as taken_at,
  a.templates_due_at as taken_until`,
};

/** Takes accounts whose templates are due, at most `limit`. They are due again after `takenFor` milliseconds. */
export function takeDueSyncs(tx: Queryable, limit: number, takenFor: number): Promise<DueSync[]> {
  return tx.query<DueSync>(take, [limit, takenFor]);
}

const settle = {
  name: 'template_syncs_settle',
  text: `
update accounts set
  templates_synced_at = case when $5 then $4 else templates_synced_at end,
  templates_tries = case when $5 then 0 else least(templates_tries + 1, 100) end,
  templates_due_at = case when templates_due_at = $3 then clock_timestamp() + $6 * interval '1 ms' else templates_due_at end
where tenant_id = $1 and id = $2`,
};

/**
 * Writes down that templates were read, or that they could not be.
 * @param delay milliseconds until the next time, unless it was made due meanwhile.
 */
export async function settleSync(tx: Queryable, sync: DueSync, done: boolean, delay: number): Promise<void> {
  await tx.query(settle, [sync.tenant_id, sync.id, sync.taken_until, sync.taken_at, done, delay]);
}

const makeDue = {
  name: 'template_syncs_make_due',
  text: `
update accounts set templates_due_at = least(templates_due_at, clock_timestamp()), templates_tries = 0
where tenant_id = $1 and id = $2 returning id`,
};

/** Lets the templates of an account be read now. @returns false: the tenant has no such account. */
export async function makeSyncDue(tx: Queryable, tenant: TenantId, account: string): Promise<boolean> {
  return (await tx.query<object>(makeDue, [tenant, account])).length === 1;
}

const makeNamedDue = {
  name: 'template_syncs_make_named_due',
  text: `
update accounts a set templates_due_at = clock_timestamp() + $3 * interval '1 ms'
from (select distinct * from unnest($1::text[], $2::text[])) as i(app_id, id)
where a.app_id = i.app_id and a.id = i.id and a.templates_due_at > clock_timestamp() + $3 * interval '1 ms'`,
};

/** The same of accounts that webhooks named, in a while: several changes then cost one reading. @param delay milliseconds. */
export async function makeNamedSyncsDue(
  tx: Queryable,
  named: readonly { app: string; account: string }[],
  delay: number,
): Promise<void> {
  await tx.query(makeNamedDue, [texts(named, (n) => n.app), texts(named, (n) => n.account), delay]);
}
