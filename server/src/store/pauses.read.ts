import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { Pause } from '../domain/pause.ts';
import type { PauseScope } from '../domain/provider-errors.ts';

const COLUMNS = `
p.id, p.tenant_id, p.scope, p.key, p.cause, p.code, p.title, p.detail, p.opened_at, p.probe_at, p.probes`;

/** The second part of a key is the account; a sender that has none stands for one by its own id, which is longer than any. */
const ACCOUNT = "split_part(p.key, '/', 2)";
const SENDER = `(case when p.scope = 'sender' then p.key when length(${ACCOUNT}) = 36 then ${ACCOUNT} end)::uuid`;

/** Which senders each pause holds: rows of `senders s` beside those of `pauses p`. @param more what else is to hold of the sender. */
function holding(columns: string, more: string): string {
  return `
select ${columns} from pauses p join senders s on s.tenant_id = p.tenant_id and s.id = ${SENDER}
where p.scope in ('sender', 'account', 'country') and ${more}
union all
select ${columns} from pauses p join senders s on s.app_id = split_part(p.key, '/', 1) and s.account_id = ${ACCOUNT}
where p.scope in ('account', 'country') and ${more}
union all
select ${columns} from pauses p join senders s on s.app_id = p.key where p.scope = 'app' and ${more}
union all
select ${columns} from pauses p join senders s on s.channel = p.key where p.scope = 'provider' and ${more}`;
}

/** A pause and one of the senders it holds. */
export type LanePause = Pause & {
  sender_id: SenderId;
  lane_id: number;
  /** Milliseconds until it may be probed, by the database's clock; negative: since then. null: only a change ends it. */
  probe_in: number | null;
};

const ofLanes = {
  name: 'pauses_of_lanes',
  text: holding(
    `${COLUMNS}, s.id as sender_id, s.lane_id, (extract(epoch from p.probe_at - clock_timestamp()) * 1000)::float8 as probe_in`,
    's.lane_id = any($1::int[])',
  ),
};

/** What holds the senders of lanes, of all tenants: a row for each pair of pause and sender. */
export function findLanePauses(tx: Queryable, lanes: readonly number[]): Promise<LanePause[]> {
  return tx.query<LanePause>(ofLanes, [lanes]);
}

const ofSender = {
  name: 'pauses_of_sender',
  text: holding(COLUMNS, 's.tenant_id = $1 and s.id = $2'),
};

/** What holds a sender, those to single countries too. */
export function findSenderPauses(tx: Queryable, tenant: TenantId, sender: SenderId): Promise<Pause[]> {
  return tx.query<Pause>(ofSender, [tenant, sender]);
}

const seen = `
  select id from pauses where tenant_id = $1
  union
  ${holding('p.id', 's.tenant_id = $1')}`;

const ofTenant = {
  name: 'pauses_of_tenant',
  text: `
select ${COLUMNS} from pauses p
where p.id in (${seen}) and p.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by p.id desc limit $3`,
};

const ofAll = {
  name: 'pauses_of_all',
  text: `
select ${COLUMNS} from pauses p where p.id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by p.id desc limit $2`,
};

/**
 * Pauses, the newest first: a tenant's own and those that hold one of its senders.
 * @param tenant null: those of all, for an operator.
 * @param before a page begins behind this id; null: at the newest.
 */
export function findPauses(
  tx: Queryable,
  tenant: TenantId | null,
  before: string | null,
  limit: number,
): Promise<Pause[]> {
  return tenant === null ? tx.query<Pause>(ofAll, [before, limit]) : tx.query<Pause>(ofTenant, [tenant, before, limit]);
}

const oneOfTenant = {
  name: 'pauses_one_of_tenant',
  text: `select ${COLUMNS} from pauses p where p.id = $2 and p.id in (${seen})`,
};
const oneOfAll = { name: 'pauses_one', text: `select ${COLUMNS} from pauses p where p.id = $1` };

/** One pause that a tenant may see, or (null) any. */
export async function findPause(tx: Queryable, tenant: TenantId | null, id: string): Promise<Pause | null> {
  const rows =
    tenant === null ? await tx.query<Pause>(oneOfAll, [id]) : await tx.query<Pause>(oneOfTenant, [tenant, id]);
  return rows[0] ?? null;
}

/** How many pauses there are of a scope and a cause, and whether any of them waits for no probe yet. */
export interface PauseCount {
  scope: PauseScope;
  cause: Pause['cause'];
  count: number;
  /** Those of which no probe may go yet. */
  shut: number;
}

const counts = {
  name: 'pauses_count',
  text: `
select scope, cause, count(*)::int as count,
  (count(*) filter (where probe_at is null or probe_at > clock_timestamp()))::int as shut
from pauses where scope in ('country', 'sender', 'account', 'app', 'provider') group by scope, cause`,
};

/** Counts the pauses of all tenants. */
export function countPauses(tx: Queryable): Promise<PauseCount[]> {
  return tx.query<PauseCount>(counts);
}

/** Where a sender stands in what may be in trouble together. Without an account it stands for one of its own. */
export interface SenderPlace {
  id: SenderId;
  app: string;
  /** APP/ACCOUNT */
  account: string;
}

const places = {
  name: 'pauses_places',
  text: `
select s.id, s.app_id as app, s.app_id || '/' || coalesce(s.account_id, s.id::text) as account
from unnest($1::uuid[], $2::uuid[]) as i(tenant_id, id) join senders s on s.tenant_id = i.tenant_id and s.id = i.id
where s.channel = 'whatsapp'`,
};

/** The places of senders of numbers; those of webhooks are left out. */
export function findPlaces(
  tx: Queryable,
  senders: readonly { tenant: TenantId; sender: SenderId }[],
): Promise<SenderPlace[]> {
  return tx.query<SenderPlace>(places, [senders.map((one) => one.tenant), senders.map((one) => one.sender)]);
}
