import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

const findRoute = {
  name: 'route_find',
  text: 'select tenant_id, id as sender_id from senders where app_id = $1 and phone_number_id = $2',
};

/** Whose number it is that a webhook names. */
export interface Route {
  tenant_id: TenantId;
  sender_id: SenderId;
}

/** Finds the sender of a number, among those of the app that signed the webhook. */
export async function findSenderByNumber(
  tx: Queryable,
  app: string,
  phoneNumberId: string,
): Promise<Route | undefined> {
  const [row] = await tx.query<Route>(findRoute, [app, phoneNumberId]);
  return row;
}
