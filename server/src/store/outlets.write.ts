import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** Senders that the tenant service told of: how they are found, made and renewed. */
export interface OutletSender {
  tenant_id: TenantId;
  id: SenderId;
  external_id: string | null;
  phone_number_id: string;
  access_token_sealed: Buffer;
  from_outlet: boolean;
}

const COLUMNS = 'tenant_id, id, external_id, phone_number_id, access_token_sealed, from_outlet';

const findByNumber = {
  name: 'outlets_find_by_number',
  text: `select ${COLUMNS} from senders where app_id = $1 and phone_number_id = $2`,
};

/** The sender that a number is, of whatever tenant: a number leads to one only. */
export async function findNumberOwner(tx: Queryable, app: string, number: string): Promise<OutletSender | null> {
  return (await tx.query<OutletSender>(findByNumber, [app, number]))[0] ?? null;
}

const findByName = {
  name: 'outlets_find_by_name',
  text: `select ${COLUMNS} from senders where tenant_id = $1 and external_id = $2 and phone_number_id is not null`,
};

/** The tenant's sender of this external id, if it is a number. */
export async function findNamedNumber(tx: Queryable, tenant: TenantId, name: string): Promise<OutletSender | null> {
  return (await tx.query<OutletSender>(findByName, [tenant, name]))[0] ?? null;
}

const insertOne = {
  name: 'outlets_insert',
  text: `
insert into senders (tenant_id, id, external_id, name, channel, lane_id, app_id, phone_number_id, access_token_sealed,
  from_outlet)
values ($1, $2, $3, $3, 'whatsapp', $4, $5, $6, $7, true)`,
};

/**
 * Makes a sender of an outlet. Its phone and account are not known.
 * @throws a unique violation when another has its external id or its number.
 */
export async function insertOutletSender(
  tx: Queryable,
  tenant: TenantId,
  sender: { id: SenderId; name: string; lane: number; app: string; number: string; sealed: Buffer },
): Promise<void> {
  const { id, name, lane, app, number, sealed } = sender;
  await tx.query(insertOne, [tenant, id, name, lane, app, number, sealed]);
}

const renewOne = {
  name: 'outlets_renew',
  text: `update senders set phone_number_id = $3, access_token_sealed = $4 where tenant_id = $1 and id = $2`,
};

/** Gives an outlet's sender another number or token. */
export async function renewOutletSender(
  tx: Queryable,
  tenant: TenantId,
  id: SenderId,
  number: string,
  sealed: Buffer,
): Promise<void> {
  await tx.query(renewOne, [tenant, id, number, sealed]);
}

const nameOne = {
  name: 'outlets_name',
  text: 'update senders set external_id = $3 where tenant_id = $1 and id = $2 and external_id is null',
};

/** Calls a sender that has no external id as the tenant service does. */
export async function nameOutletSender(tx: Queryable, tenant: TenantId, id: SenderId, name: string): Promise<void> {
  await tx.query(nameOne, [tenant, id, name]);
}
