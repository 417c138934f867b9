import { texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { Name } from './customers.read.ts';

/**
 * What a name of contact `k` is suppressed for: what he refuses. Who writes it changes the contact's row in the same transaction, so
 * that a consent that is given at the same moment conflicts with it, and one of the two looks again.
 */
export const SUPPRESSED = `
  (case when k.marketing_consent = 'out' then 1 else 0 end) | (case when k.contact_consent = 'out' then 2 else 0 end)`;

const take = {
  name: 'customers_take_names',
  text: `
update contact_identities n set contact_id = i.contact_id, left_at = null,
  suppressed = coalesce((select ${SUPPRESSED} from contacts k where k.tenant_id = i.tenant_id and k.id = i.contact_id), 0)
from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as i(tenant_id, kind, value, contact_id)
where n.tenant_id = i.tenant_id and n.kind = i.kind and n.value = i.value`,
};

/** Gives names to other contacts, who are suppressed under them as under their own. */
export async function takeNames(tx: Queryable, names: readonly (Name & { contact: ContactId })[]): Promise<void> {
  await tx.query(take, [
    uuids(names, (n) => n.tenant),
    texts(names, (n) => n.kind),
    texts(names, (n) => n.value),
    uuids(names, (n) => n.contact),
  ]);
}

const add = {
  name: 'customers_add_names',
  text: `
with c as (
  update contacts k set updated_at = now()
  from (select distinct * from unnest($6::uuid[], $7::uuid[])) as i(tenant_id, contact_id)
  where k.tenant_id = i.tenant_id and k.id = i.contact_id
)
insert into contact_identities (tenant_id, kind, value, contact_id, lane_id, suppressed)
select i.tenant_id, i.kind, i.value, i.contact_id,
  (select s.lane_id from senders s where s.tenant_id = i.tenant_id and s.id = i.scope_id), ${SUPPRESSED}
from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[]) as i(tenant_id, kind, value, contact_id, scope_id)
join contacts k on k.tenant_id = i.tenant_id and k.id = i.contact_id`,
};

/**
 * Gives names that nobody has to contacts that there are. @param taken names whose contacts are touched with them, see `SUPPRESSED`.
 * @throws a unique violation when somebody got one meanwhile.
 */
export async function addNames(
  tx: Queryable,
  names: readonly (Name & { contact: ContactId })[],
  taken: readonly (Name & { contact: ContactId })[],
): Promise<void> {
  const touched = [...names, ...taken];
  await tx.query(add, [
    uuids(names, (n) => n.tenant),
    texts(names, (n) => n.kind),
    texts(names, (n) => n.value),
    uuids(names, (n) => n.contact),
    uuids(names, (n) => n.scope ?? null),
    uuids(touched, (n) => n.tenant),
    uuids(touched, (n) => n.contact),
  ]);
}

const leave = {
  name: 'customers_leave_names',
  text: `
update contact_identities n set left_at = i.at
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as i(tenant_id, kind, value, at)
where n.tenant_id = i.tenant_id and n.kind = i.kind and n.value = i.value`,
};

/** Notes since when, in milliseconds since 1970, names are their contacts' no more. They still find them, until somebody else has them. */
export async function leaveNames(tx: Queryable, names: readonly (Name & { at: number })[]): Promise<void> {
  await tx.query(leave, [
    uuids(names, (n) => n.tenant),
    texts(names, (n) => n.kind),
    texts(names, (n) => n.value),
    times(names, (n) => n.at),
  ]);
}

const inherit = {
  name: 'customers_inherit_refusals',
  text: `
with f as materialized (
  select i.tenant_id, i.to_id, f.marketing_consent = 'out' as marketing, f.contact_consent = 'out' as contact
  from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as i(tenant_id, from_id, to_id)
  join contacts f on f.tenant_id = i.tenant_id and f.id = i.from_id
  where (f.marketing_consent = 'out' or f.contact_consent = 'out')
    and not exists (select from contact_identities k where k.tenant_id = i.tenant_id and k.contact_id = i.from_id)
), c as (
  update contacts t set updated_at = now(),
    marketing_consent = case when f.marketing then 'out' else t.marketing_consent end,
    contact_consent = case when f.contact then 'out' else t.contact_consent end
  from f where t.tenant_id = f.tenant_id and t.id = f.to_id
)
update contact_identities n
set suppressed = n.suppressed | (case when f.marketing then 1 else 0 end) | (case when f.contact then 2 else 0 end)
from f where n.tenant_id = f.tenant_id and n.contact_id = f.to_id`,
};

/**
 * Whoever took the last name of a contact was known by that name alone: it is the same person, who refuses what he refused under
 * it. Called after the names were taken.
 */
export async function inheritRefusals(
  tx: Queryable,
  pairs: readonly { tenant: TenantId; from: ContactId; to: ContactId }[],
): Promise<void> {
  await tx.query(inherit, [uuids(pairs, (p) => p.tenant), uuids(pairs, (p) => p.from), uuids(pairs, (p) => p.to)]);
}

const learn = {
  name: 'customers_learn_ids',
  text: `
with f as materialized (
  select distinct on (i.tenant_id, i.user_id) i.tenant_id, i.user_id, p.contact_id, s.lane_id
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as i(tenant_id, sender_id, phone, user_id)
  join contact_identities p on p.tenant_id = i.tenant_id and p.kind = 'phone' and p.value = i.phone and p.left_at is null
  join senders s on s.tenant_id = i.tenant_id and s.id = i.sender_id
  where not exists (select from contact_identities u
    where u.tenant_id = i.tenant_id and u.kind = 'bsuid' and u.value = i.user_id)
  -- With another id of the same portfolio he is somebody else, who has the number now.
  and not exists (select from contact_identities o where o.tenant_id = p.tenant_id and o.contact_id = p.contact_id
    and o.lane_id = s.lane_id and o.left_at is null)
), c as (
  update contacts k set updated_at = now() from f where k.tenant_id = f.tenant_id and k.id = f.contact_id
)
insert into contact_identities (tenant_id, kind, value, contact_id, lane_id, suppressed)
select f.tenant_id, 'bsuid', f.user_id, f.contact_id, f.lane_id, ${SUPPRESSED}
from f join contacts k on k.tenant_id = f.tenant_id and k.id = f.contact_id`,
};

/** Gives ids that nobody has to the contacts with these numbers. @throws a unique violation when somebody got one meanwhile. */
export async function learnUserIds(
  tx: Queryable,
  pairs: readonly { tenant: TenantId; sender: SenderId; phone: string; userId: string }[],
): Promise<void> {
  await tx.query(learn, [
    uuids(pairs, (p) => p.tenant),
    uuids(pairs, (p) => p.sender),
    texts(pairs, (p) => p.phone),
    texts(pairs, (p) => p.userId),
  ]);
}

const learnNumbers = {
  name: 'customers_learn_phones',
  text: `
with f as materialized (
  select distinct on (i.tenant_id, i.phone) i.tenant_id, i.phone, p.contact_id
  from unnest($1::uuid[], $2::uuid[], $3::text[]) as i(tenant_id, message_id, phone)
  join messages m on m.tenant_id = i.tenant_id and m.id = i.message_id and m.address <> i.phone
  -- Whom that number belongs to now; nobody is looked up who was written to by his id.
  join contact_identities p on p.tenant_id = m.tenant_id and p.kind = 'phone' and p.value = m.address
    and p.contact_id = m.contact_id and p.left_at is null
  where not exists (select from contact_identities o
    where o.tenant_id = i.tenant_id and o.kind = 'phone' and o.value = i.phone)
), c as (
  update contacts k set updated_at = now() from f where k.tenant_id = f.tenant_id and k.id = f.contact_id
)
insert into contact_identities (tenant_id, kind, value, contact_id, suppressed)
select f.tenant_id, 'phone', f.phone, f.contact_id, ${SUPPRESSED}
from f join contacts k on k.tenant_id = f.tenant_id and k.id = f.contact_id`,
};

/**
 * Gives numbers that nobody has to the contacts that messages were sent to. @throws a unique violation when somebody got one
 * meanwhile.
 */
export async function learnPhones(
  tx: Queryable,
  sent: readonly { tenant: TenantId; message: MessageId; phone: string }[],
): Promise<void> {
  await tx.query(learnNumbers, [
    uuids(sent, (s) => s.tenant),
    uuids(sent, (s) => s.message),
    texts(sent, (s) => s.phone),
  ]);
}

const openWindow = {
  name: 'customers_open_windows',
  text: `
with i as materialized (
  select i.tenant_id, i.sender_id, coalesce(u.contact_id, p.contact_id) as contact_id, max(i.at) + interval '24 hours' as until
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) as i(tenant_id, sender_id, phone, user_id, at)
  left join contact_identities u on u.tenant_id = i.tenant_id and u.kind = 'bsuid' and u.value = i.user_id
  left join contact_identities p on p.tenant_id = i.tenant_id and p.kind = 'phone' and p.value = i.phone
  group by 1, 2, 3
)
update conversations v set window_expires_at = greatest(v.window_expires_at, i.until)
from i where v.tenant_id = i.tenant_id and v.contact_id = i.contact_id and v.sender_id = i.sender_id
  and (v.window_expires_at < i.until or v.window_expires_at is null)`,
};

/** A customer who called. `at`: milliseconds since 1970. */
export interface Caller {
  tenant: TenantId;
  sender: SenderId;
  phone: string | null;
  userId: string | null;
  at: number;
}

/** Opens the windows of customers who called, for a day, where there is a conversation. */
export async function openWindows(tx: Queryable, callers: readonly Caller[]): Promise<void> {
  await tx.query(openWindow, [
    uuids(callers, (c) => c.tenant),
    uuids(callers, (c) => c.sender),
    texts(callers, (c) => c.phone),
    texts(callers, (c) => c.userId),
    times(callers, (c) => c.at),
  ]);
}
