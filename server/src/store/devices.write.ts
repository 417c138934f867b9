import { texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';

/** A user of a tenant. */
export interface UserOf {
  tenant_id: TenantId;
  user_id: UserId;
}

/** An open socket of a user. */
export interface DeviceRow extends UserOf {
  device_id: string;
  platform: string | null;
  app_version: string | null;
}

const connect = {
  name: 'devices_connect',
  text: `
with given as (
  select * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) as g(tenant_id, user_id, device_id, platform, app_version)
), written as (
  insert into devices (tenant_id, user_id, device_id, instance_id, platform, app_version)
  select tenant_id, user_id, device_id, $1, platform, app_version from given order by tenant_id, user_id, device_id
  on conflict (tenant_id, user_id, device_id, instance_id) do update
  set connected_at = clock_timestamp(), platform = excluded.platform, app_version = excluded.app_version
)
select distinct g.tenant_id, g.user_id, (extract(epoch from l.at) * 1000)::float8 as last_seen
from given g left join last_seen l on l.tenant_id = g.tenant_id and l.user_id = g.user_id
where not exists (select from devices d where d.tenant_id = g.tenant_id and d.user_id = g.user_id and d.instance_id = $1)`,
};

/** A user who has come. */
export interface UserCome extends UserOf {
  /** When he was last seen before, in milliseconds since 1970; null: never. */
  last_seen: number | null;
}

/**
 * Writes the open sockets of an instance, each once.
 * @returns the users who had none on this instance before. Whether one is open on another is not asked: it may be closed at this moment.
 */
export function insertDevices(tx: Queryable, instance: InstanceId, rows: readonly DeviceRow[]): Promise<UserCome[]> {
  return tx.query<UserCome>(connect, [
    instance,
    ...keysOf(rows),
    texts(rows, (row) => row.platform),
    texts(rows, (row) => row.app_version),
  ]);
}

/** A user who has gone, as far as the device tells: `online` says whether another of his is still there. */
export interface UserGone extends UserOf {
  online: boolean;
  /** Milliseconds since 1970. */
  last_seen: number;
}

const disconnect = {
  name: 'devices_disconnect',
  text: `
with given as (
  select * from unnest($2::uuid[], $3::text[], $4::text[]) as g(tenant_id, user_id, device_id)
), gone as (
  delete from devices d using given g
  where d.tenant_id = g.tenant_id and d.user_id = g.user_id and d.device_id = g.device_id and d.instance_id = $1
  returning d.tenant_id, d.user_id
), seen as (
  insert into last_seen (tenant_id, user_id, at)
  select tenant_id, user_id, clock_timestamp() from gone group by tenant_id, user_id order by tenant_id, user_id
  on conflict (tenant_id, user_id) do update set at = greatest(last_seen.at, excluded.at)
  returning tenant_id, user_id, at
)
select s.tenant_id, s.user_id, (extract(epoch from s.at) * 1000)::float8 as last_seen,
  exists (select from devices d join instances i on i.id = d.instance_id and i.expires_at > clock_timestamp()
    where d.tenant_id = s.tenant_id and d.user_id = s.user_id and not (d.instance_id = $1 and exists (
      select from given g where g.tenant_id = d.tenant_id and g.user_id = d.user_id and g.device_id = d.device_id))) as online
from seen s`,
};

/** Takes closed sockets of an instance away, and notes when their users were last seen. */
export function deleteDevices(
  tx: Queryable,
  instance: InstanceId,
  rows: readonly Pick<DeviceRow, 'tenant_id' | 'user_id' | 'device_id'>[],
): Promise<UserGone[]> {
  return tx.query<UserGone>(disconnect, [instance, ...keysOf(rows)]);
}

function keysOf(rows: readonly Pick<DeviceRow, 'tenant_id' | 'user_id' | 'device_id'>[]) {
  return [
    uuids(rows, (row) => row.tenant_id),
    texts(rows, (row) => row.user_id),
    texts(rows, (row) => row.device_id),
  ] as const;
}

const sweep = {
  name: 'devices_sweep',
  // Instances are few and devices many: the index gives the next instance at each step.
  text: `
with recursive known as (
  (select instance_id from devices order by instance_id limit 1)
  union all
  select (select d.instance_id from devices d where d.instance_id > k.instance_id order by d.instance_id limit 1)
  from known k where k.instance_id is not null
), dead as (
  select k.instance_id, coalesce(i.expires_at, clock_timestamp()) as at
  from known k left join instances i on i.id = k.instance_id
  where k.instance_id is not null and (i.id is null or i.expires_at < clock_timestamp() - interval '5 seconds')
), gone as (
  delete from devices d using dead x where d.instance_id = x.instance_id returning d.tenant_id, d.user_id, x.at
), seen as (
  insert into last_seen (tenant_id, user_id, at)
  select tenant_id, user_id, max(at) from gone group by tenant_id, user_id order by tenant_id, user_id
  on conflict (tenant_id, user_id) do update set at = greatest(last_seen.at, excluded.at)
  returning tenant_id, user_id, at
)
select s.tenant_id, s.user_id, (extract(epoch from s.at) * 1000)::float8 as last_seen,
  exists (select from devices d join instances i on i.id = d.instance_id and i.expires_at > clock_timestamp()
    where d.tenant_id = s.tenant_id and d.user_id = s.user_id) as online
from seen s`,
};

/** Takes away the sockets of instances whose lease ended more than five seconds ago. They counted for nobody since. */
export function sweepDevices(tx: Queryable): Promise<UserGone[]> {
  return tx.query<UserGone>(sweep);
}
