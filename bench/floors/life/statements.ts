/**
 * One statement a step, for as many messages as have come. $1 is always the tenant. They write what the product writes
 * at that step, and check nothing.
 */

// States are numbers, in the order they are reached: 0 queued, 1 sending, 2 sent, 3 delivered, 4 read.

/** contacts, identities, conversations, messages, due, idempotency keys, events, counts. */
export const accept = {
  name: 'accept',
  text: `
with new as (
  select * from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::jsonb[], $9::timestamptz[],
                       $10::text[], $11::bytea[], $12::uuid[])
    as new (id, sender, contact, conversation, address, content, due_at, key, hash, event)
), contact as (
  insert into contacts (tenant, id, total, last_at) select $1, contact, 1, clock_timestamp() from new
), identity as (
  insert into identities (tenant, kind, value, contact) select $1, 0, address, contact from new
), conversation as (
  insert into conversations (tenant, id, sender, contact) select $1, conversation, sender, contact from new
), message as (
  insert into messages (tenant, id, sender, contact, conversation, state, address, content, created_at)
  select $1, id, sender, contact, conversation, 0, address, content, clock_timestamp() from new
), due as (
  insert into due (tenant, id, sender, state, due_at) select $1, id, sender, 0, due_at from new
), key as (
  insert into idempotency_keys (tenant, key, hash, message) select $1, key, hash, id from new
), event as (
  insert into events (tenant, id, type, message, data)
  select $1, event, 'message.queued', id, '{"state": "queued"}' from new
)
insert into counts (tenant, sender, from_state, to_state, slot, n)
select $1, sender, -1, 0, $2::smallint, count(*) from new group by sender order by sender
on conflict (tenant, sender, from_state, to_state, slot) do update set n = counts.n + excluded.n`,
};

/** Takes what is due and records that the attempts begin: due. */
export const begin = {
  name: 'begin',
  text: `
with taken as (
  update due set state = 1, started_at = clock_timestamp(), due_at = clock_timestamp() + interval '60 s'
  where tenant = $1 and id = any (array(
    select id from due where state = 0 and due_at <= clock_timestamp() order by due_at limit $2))
  returning id
)
select m.id, m.sender, m.address, m.content->>'text' as text
from messages m join taken on m.tenant = $1 and m.id = taken.id`,
};

/** messages, wamids, attempts, due, events, counts. */
export const settle = {
  name: 'settle',
  text: `
with new as (
  select * from unnest($3::uuid[], $4::text[], $5::uuid[]) as new (id, wamid, event)
), message as (
  update messages m set state = 2, wamid = new.wamid, sent_at = clock_timestamp()
  from new where m.tenant = $1 and m.id = new.id
  returning m.sender
), wamid as (
  insert into wamids (tenant, wamid, message) select $1, wamid, id from new
), done as (
  delete from due using new where due.tenant = $1 and due.id = new.id returning due.id, due.started_at
), attempt as (
  insert into attempts (tenant, message, attempt, started_at, ended_at, outcome)
  select $1, id, 1, started_at, clock_timestamp(), 0 from done
), event as (
  insert into events (tenant, id, type, message, data)
  select $1, event, 'message.sent', id, jsonb_build_object('state', 'sent', 'whatsapp_message_id', wamid) from new
)
insert into counts (tenant, sender, from_state, to_state, slot, n)
select $1, sender, 0, 2, $2::smallint, count(*) from message group by sender order by sender
on conflict (tenant, sender, from_state, to_state, slot) do update set n = counts.n + excluded.n`,
};

/** raw_webhooks and one row of inbound_work. */
export const receive = {
  name: 'receive',
  text: `
with raw as (
  insert into raw_webhooks (app, id, body) select 'default', id, body from unnest($2::uuid[], $3::bytea[]) as raw (id, body)
)
insert into inbound_work (id, raw_ids) values ($1, $2::uuid[])`,
};

/** messages, events, counts, inbound_work. Each message is named once, whatever was said of it. */
export const apply = {
  name: 'apply',
  text: `
with new as (
  select * from unnest($3::uuid[], $4::boolean[], $5::boolean[], $6::uuid[]) as new (id, delivered, read, event)
), message as (
  update messages m
  set state = greatest(m.state, case when new.read then 4 else 3 end),
      delivered_at = case when new.delivered then coalesce(m.delivered_at, clock_timestamp()) else m.delivered_at end,
      read_at = case when new.read then coalesce(m.read_at, clock_timestamp()) else m.read_at end
  from new where m.tenant = $1 and m.id = new.id
  returning m.id, m.sender, old.state as before, m.state, m.delivered_at, m.read_at, new.event
), work as (
  delete from inbound_work where id = any ($7::uuid[])
), event as (
  insert into events (tenant, id, type, message, data)
  select $1, event, case state when 3 then 'message.delivered' else 'message.read' end, id,
         jsonb_build_object('state', state, 'delivered_at', delivered_at, 'read_at', read_at) from message
)
insert into counts (tenant, sender, from_state, to_state, slot, n)
select $1, sender, before, state, $2::smallint, count(*) from message
group by sender, before, state order by sender, before, state
on conflict (tenant, sender, from_state, to_state, slot) do update set n = counts.n + excluded.n`,
};

/** A group of receipts that changed nothing still ends its work. */
export const finish = { name: 'finish', text: 'delete from inbound_work where id = any ($1::uuid[])' };
