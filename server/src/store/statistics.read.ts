import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { StateCount } from '../domain/statistics.ts';

/*
 * Statistics from the roll-ups, which every transition adds to in its own transaction. A tenant's rows of them are as many as
 * its senders, types and transitions, however many messages there are.
 */

const count = (name: string, condition: string) => ({
  name,
  text: `
select c.direction, c.type, s.state, sum(s.n)::float8 as n
from message_counts c cross join lateral (values (c.to_state, c.n), (c.from_state, -c.n)) as s(state, n)
where c.tenant_id = $1 ${condition} and s.state <> ''
group by c.direction, c.type, s.state having sum(s.n) <> 0`,
});
const ofTenant = count('statistics_of_tenant', '');
const ofSender = count('statistics_of_sender', 'and c.sender_id = $2');

/** How many messages a tenant has, or one of its senders (null: all), by direction, type and state. */
export function countMessages(tx: Queryable, tenant: TenantId, sender: SenderId | null): Promise<StateCount[]> {
  return sender === null ? tx.query<StateCount>(ofTenant, [tenant]) : tx.query<StateCount>(ofSender, [tenant, sender]);
}
