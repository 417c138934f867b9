import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, MessageId, SenderId, TenantId } from '../domain/ids.ts';

/** A conversation of whose window the provider says that it is closed, and the message it said so of. */
export interface ClosedWindow {
  tenant: TenantId;
  contact: ContactId;
  sender: SenderId;
  message: MessageId;
}

const close = {
  name: 'conversations_close_windows',
  text: `
update conversations v set window_expires_at = now()
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as i(tenant_id, contact_id, sender_id, message_id)
where v.tenant_id = i.tenant_id and v.contact_id = i.contact_id and v.sender_id = i.sender_id
  and coalesce(v.window_expires_at > now(), true)
  and not exists (
    select from messages m where m.tenant_id = i.tenant_id and m.conversation_id = v.id and m.id > i.message_id
      and m.direction = 'inbound')`,
};

/**
 * Closes windows that are open here, or unknown. One whose customer has written since the refused message was accepted is left: the
 * refusal may be older.
 */
export async function closeWindows(tx: Queryable, closed: readonly ClosedWindow[]): Promise<void> {
  await tx.query(close, [
    uuids(closed, (c) => c.tenant),
    uuids(closed, (c) => c.contact),
    uuids(closed, (c) => c.sender),
    uuids(closed, (c) => c.message),
  ]);
}
