import { createExpiringCache } from '../access/expiring-cache.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';
import { findLastInbound } from '../store/customer-history.read.ts';
import type { HttpDeps } from './http-deps.ts';

/** WhatsApp shows for 25 seconds that somebody types: it is told no oftener than this of a conversation. Milliseconds. */
const SHOWN = 10_000;
const REMEMBERED = 10_000;

/** Shows customers that an answer is being written, under their last message, which counts as read by that. */
export function createShowCustomer({ db, clock, showTyping }: Pick<HttpDeps, 'db' | 'clock' | 'showTyping'>) {
  const shown = createExpiringCache<true>({ ttl: SHOWN, limit: REMEMBERED, clock });
  return async (tenant: TenantId, conversation: ConversationId): Promise<void> => {
    if (shown.get(conversation)) return;
    const message = await findLastInbound(db, tenant, conversation);
    if (message === null) return;
    shown.set(conversation, true);
    await showTyping(tenant, message);
  };
}
