import { doubles, integers, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { PauseCause } from '../domain/causes.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { PauseScope } from '../domain/provider-errors.ts';

/** What stops a queue: told of a sender, and shutting what it says of it. */
export interface ToldPause {
  tenant: TenantId;
  sender: SenderId;
  scope: PauseScope;
  cause: PauseCause;
  code: number | null;
  title: string;
  detail: string | null;
  /** Of the scope `country`: which; null otherwise. */
  country: string | null;
}

/** A pause as it is opened, or prolonged. */
export interface NewPause extends ToldPause {
  id: string;
  /** The wait for a probe: milliseconds, doubled with each that failed, up to `cap`, times `factor`, and at least `least`. */
  base: number;
  cap: number;
  factor: number;
  least: number;
  /** No wait is longer: what lies further ahead is of a clock that was set back. */
  longest: number;
}

const open = {
  name: 'pauses_open',
  text: `
with named as materialized (
  select distinct on (scope, key, cause) * from (
    select i.*,
      case i.scope
        when 'sender' then s.id::text
        when 'account' then s.app_id || '/' || coalesce(s.account_id, s.id::text)
        when 'country' then s.app_id || '/' || coalesce(s.account_id, s.id::text) || '/' || i.country
        when 'app' then s.app_id
        else s.channel end as key,
      case when i.scope not in ('app', 'provider') then i.tenant end as tenant_id
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[],
      $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[])
      as i(id, tenant, sender, scope, cause, code, title, detail, country, base, cap, factor, least, longest)
    join senders s on s.tenant_id = i.tenant and s.id = i.sender
  ) n where key is not null order by scope, key, cause, id
), again as (
  update pauses p set probes = p.probes + 1, code = n.code, title = n.title, detail = n.detail,
    probe_at = clock_timestamp()
      + greatest(n.least, least(n.cap, n.base * 2 ^ least(p.probes + 1, 30)) * n.factor) * interval '1 ms'
  from named n where p.scope = n.scope and p.key = n.key and p.cause = n.cause
    and (p.probe_at <= clock_timestamp() or p.probe_at > clock_timestamp() + n.longest * interval '1 ms')
  returning p.id
), fresh as (
  insert into pauses (id, tenant_id, scope, key, cause, code, title, detail, probe_at)
  select id, tenant_id, scope, key, cause, code, title, detail,
    clock_timestamp() + greatest(named.least, least(cap, base) * factor) * interval '1 ms'
  from named
  on conflict (scope, key, cause) do nothing
  returning id
)
select id, true as fresh from fresh union all select id, false from again`,
};

/**
 * Shuts queues. One that is shut for that cause already stays as it is, unless its time for a probe had come: then one has failed, and the
 * next wait is longer. @returns those that are new or wait longer.
 */
export function insertPauses(tx: Queryable, pauses: readonly NewPause[]): Promise<{ id: string; fresh: boolean }[]> {
  return tx.query<{ id: string; fresh: boolean }>(open, [
    uuids(pauses, (p) => p.id),
    uuids(pauses, (p) => p.tenant),
    uuids(pauses, (p) => p.sender),
    texts(pauses, (p) => p.scope),
    texts(pauses, (p) => p.cause),
    integers(pauses, (p) => p.code),
    texts(pauses, (p) => p.title),
    texts(pauses, (p) => p.detail),
    texts(pauses, (p) => p.country),
    doubles(pauses, (p) => p.base),
    doubles(pauses, (p) => p.cap),
    doubles(pauses, (p) => p.factor),
    doubles(pauses, (p) => p.least),
    doubles(pauses, (p) => p.longest),
  ]);
}

/** A pause that is over. */
export interface EndedPause {
  id: string;
  scope: PauseScope;
  key: string;
}

const end = { name: 'pauses_end', text: 'delete from pauses where id = any($1::uuid[]) returning id, scope, key' };

/** Opens queues again. @returns those that were shut. */
export function deletePauses(tx: Queryable, ids: readonly string[]): Promise<EndedPause[]> {
  return tx.query<EndedPause>(end, [ids]);
}

const endOfSenders = {
  name: 'pauses_end_of_senders',
  text: `
delete from pauses where scope = 'sender' and key = any($1::text[]) and cause = any($2::text[]) returning id, scope, key`,
};

/** Opens the queues of senders again that are shut for one of these causes: what was wrong was changed. */
export function deleteSenderPauses(
  tx: Queryable,
  senders: readonly SenderId[],
  causes: readonly PauseCause[],
): Promise<EndedPause[]> {
  return tx.query<EndedPause>(endOfSenders, [senders, causes]);
}

const endNarrower = {
  name: 'pauses_end_narrower',
  text: `
delete from pauses p using unnest($1::text[], $2::text[]) as i(scope, key)
where p.scope = i.scope and p.key = i.key and p.cause = 'provider_trouble' returning p.id, p.scope, p.key`,
};

/** Ends breakers that a wider one stands for. */
export function deleteBreakers(
  tx: Queryable,
  within: readonly { scope: PauseScope; key: string }[],
): Promise<EndedPause[]> {
  return tx.query<EndedPause>(endNarrower, [within.map(({ scope }) => scope), within.map(({ key }) => key)]);
}

const release = {
  name: 'pauses_release_country',
  text: `
with x as materialized (
  select d.tenant_id, d.message_id from (
    select id, tenant_id, lane_id from senders where app_id = $1 and account_id = $2
    union
    select id, tenant_id, lane_id from senders where app_id = $1 and id = (case when length($2) = 36 then $2 end)::uuid
  ) s
  join due d on d.lane_id = s.lane_id and d.sender_id = s.id and d.tenant_id = s.tenant_id
  where d.cause is not null and d.cause = 'country_paused' and d.state = 'queued' and d.held is null
  limit $3 for update of d skip locked
)
update due d set due_at = clock_timestamp(), cause = null from x
where d.tenant_id = x.tenant_id and d.message_id = x.message_id and d.state = 'queued'
returning d.lane_id`,
};

/** Makes due what an account had put off because of a country, at most `limit`. @returns the lane of each. */
export async function releaseCountry(tx: Queryable, app: string, account: string, limit: number): Promise<number[]> {
  const rows = await tx.query<{ lane_id: number }>(release, [app, account, limit]);
  return rows.map(({ lane_id }) => lane_id);
}
