import type { Queryable } from '../db/pool.ts';

const follow = {
  name: 'offline_users_follow',
  text: `
insert into event_consumers (tenant_id, consumer, xid, event_id)
select t.id, $1, (select p.joined_xid from participants p where p.tenant_id = t.id order by p.joined_xid limit 1),
  '00000000-0000-0000-0000-000000000000'
from tenants t
where exists (select from participants p where p.tenant_id = t.id)
  and not exists (select from event_consumers c where c.tenant_id = t.id and c.consumer = $1)
on conflict do nothing`,
};

/** Gives every tenant whose users converse a position of a consumer, unless it has one: where the first of them joined. */
export async function insertConversingConsumers(tx: Queryable, consumer: string): Promise<void> {
  await tx.query(follow, [consumer]);
}
