import type { Queryable } from '../db/pool.ts';
import type { ContactId, SenderId, TenantId } from '../domain/ids.ts';

/** A customer whom a sender blocks or blocked. */
export interface BlockedUserRow {
  sender_id: SenderId;
  contact_id: ContactId;
  name: string | null;
  phone: string | null;
  user_id: string | null;
  /** What is wanted. */
  blocked: boolean;
  /** Whether the provider did it; null: it has not said yet. */
  confirmed: boolean | null;
  /** Why it did not. */
  detail: string | null;
  /** When it was last asked for. */
  at: Date;
}

const COLUMNS = `
b.sender_id, b.contact_id, coalesce(c.name, c.profile_name) as name, b.blocked, b.confirmed, b.detail, b.at,
(select i.value from contact_identities i where i.tenant_id = b.tenant_id and i.contact_id = b.contact_id
  and i.kind = 'phone' order by i.left_at nulls first, i.value limit 1) as phone,
(select i.value from contact_identities i where i.tenant_id = b.tenant_id and i.contact_id = b.contact_id
  and i.kind = 'bsuid' order by i.left_at nulls first, i.value limit 1) as user_id`;

const findOne = {
  name: 'blocked_users_find',
  text: `
select ${COLUMNS} from blocked_users b left join contacts c on c.tenant_id = b.tenant_id and c.id = b.contact_id
where b.tenant_id = $1 and b.sender_id = $2 and b.contact_id = $3`,
};

/** What is known of one customer at one sender; null: nobody ever asked to block him there. */
export async function findBlockedUser(
  tx: Queryable,
  tenant: TenantId,
  sender: SenderId,
  contact: ContactId,
): Promise<BlockedUserRow | null> {
  const [row] = await tx.query<BlockedUserRow>(findOne, [tenant, sender, contact]);
  return row ?? null;
}

const list = {
  name: 'blocked_users_list',
  text: `
select ${COLUMNS} from blocked_users b left join contacts c on c.tenant_id = b.tenant_id and c.id = b.contact_id
where b.tenant_id = $1 and b.sender_id = $2 and (b.blocked or b.confirmed is distinct from true)
  and b.contact_id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by b.contact_id desc limit $4`,
};

/**
 * Whom a sender blocks, the newest contacts first, with those whom it is still to let write again.
 * @param before a page begins behind this contact; null: at the newest.
 */
export function listBlockedUsers(
  tx: Queryable,
  tenant: TenantId,
  sender: SenderId,
  before: string | null,
  limit: number,
): Promise<BlockedUserRow[]> {
  return tx.query<BlockedUserRow>(list, [tenant, sender, before, limit]);
}

const usual = {
  name: 'blocked_users_usual_sender',
  text: `
select coalesce(
  (select v.sender_id from conversations v join senders s on s.tenant_id = v.tenant_id and s.id = v.sender_id
   where v.tenant_id = $1 and v.contact_id = $2 and s.channel = 'whatsapp'
   order by v.last_inbound_at desc nulls last, v.id desc limit 1),
  (select id from senders where tenant_id = $1 and is_default and channel = 'whatsapp')) as id`,
};

/** The number that a contact last wrote to, else the tenant's default one; null: there is none. */
export async function findUsualSender(tx: Queryable, tenant: TenantId, contact: ContactId): Promise<SenderId | null> {
  const [row] = await tx.query<{ id: SenderId | null }>(usual, [tenant, contact]);
  return row?.id ?? null;
}
