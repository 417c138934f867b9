import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** A sender as the dispatch loop needs it. The token is sealed. */
export interface LaneSender {
  tenant_id: TenantId;
  id: SenderId;
  lane_id: number;
  app_id: string;
  phone_number_id: string;
  access_token_sealed: Buffer;
  messages_per_second: number;
}

const findSenders = {
  name: 'lanes_find_senders',
  text: `
select tenant_id, id, lane_id, app_id, phone_number_id, access_token_sealed, messages_per_second
from senders where lane_id = any($1::int[])`,
};

/** The senders of lanes, of all tenants: a lane is shared by whoever shares its limits. */
export function findLaneSenders(tx: Queryable, lanes: readonly number[]): Promise<LaneSender[]> {
  return tx.query<LaneSender>(findSenders, [lanes]);
}
