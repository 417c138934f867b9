import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import { countListed, type MessageFilter, type MessageTotal } from '../store/messages.read.ts';
import { countMessages } from '../store/statistics.read.ts';

/** How many messages match: from the roll-ups where they can tell; else it is counted, as far as 10,000 messages. */
export async function messageTotal(db: Queryable, tenant: TenantId, filter: MessageFilter): Promise<MessageTotal> {
  const { contact_id, conversation_id, batch_id, error, error_code, open, from, until } = filter;
  if (
    [contact_id, conversation_id, batch_id, error, error_code, open, from, until].some((value) => value !== undefined)
  ) {
    return countListed(db, tenant, filter);
  }
  const { sender_id, direction, type, states } = filter;
  let total = 0;
  for (const count of await countMessages(db, tenant, sender_id ?? null)) {
    if (direction !== undefined && count.direction !== direction) continue;
    if (type !== undefined && count.type !== type) continue;
    if (states !== undefined && !states.includes(count.state)) continue;
    total += count.n;
  }
  return { total, capped: false };
}
