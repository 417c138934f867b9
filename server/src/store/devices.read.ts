import { texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';

/** Whether a user has a live device: a socket that is open on a living instance. */
const hasLiving = (tenant: string, user: string) => `exists (
  select from devices d join instances i on i.id = d.instance_id and i.expires_at > clock_timestamp()
  where d.tenant_id = ${tenant} and d.user_id = ${user})`;

const living = {
  name: 'devices_living_of',
  text: `
select u.tenant_id, u.user_id from unnest($1::uuid[], $2::text[]) as u(tenant_id, user_id) where ${hasLiving('u.tenant_id', 'u.user_id')}`,
};

/** Of these users of any tenants those who have a live device. */
export function findLivingOf(
  tx: Queryable,
  users: readonly { tenant_id: TenantId; user_id: UserId }[],
): Promise<{ tenant_id: TenantId; user_id: UserId }[]> {
  return tx.query<{ tenant_id: TenantId; user_id: UserId }>(living, [
    uuids(users, (one) => one.tenant_id),
    texts(users, (one) => one.user_id),
  ]);
}

/** Whether a user is there. */
export interface PresenceRow {
  user_id: UserId;
  online: boolean;
  /** When he was last seen; null: never, or he is there for the first time. */
  last_seen: Date | null;
}

const presence = {
  name: 'devices_presence',
  text: `
select u.user_id, ${hasLiving('$1', 'u.user_id')} as online, l.at as last_seen
from unnest($2::text[]) as u(user_id) left join last_seen l on l.tenant_id = $1 and l.user_id = u.user_id
where $3::text is null or u.user_id = $3 or exists (
  select from participants mine join participants his on his.tenant_id = $1 and his.conversation_id = mine.conversation_id
  where mine.tenant_id = $1 and mine.user_id = $3 and mine.left_at is null and his.user_id = u.user_id and his.left_at is null)`,
};

/**
 * The presence of users, as far as the one who asks may know it: of himself and of those he shares a conversation with. Others are
 * absent. @param asker null: the tenant's software, which may know all.
 */
export function findPresence(
  tx: Queryable,
  tenant: TenantId,
  asker: UserId | null,
  users: readonly UserId[],
): Promise<PresenceRow[]> {
  return tx.query<PresenceRow>(presence, [tenant, users, asker]);
}

const count = { name: 'devices_count', text: 'select count(*) as n from devices where instance_id = $1' };

/** How many sockets an instance has written. */
export async function countDevices(tx: Queryable, instance: InstanceId): Promise<number> {
  return (await tx.query<{ n: number }>(count, [instance]))[0]?.n ?? 0;
}
