-- The rows of one message's life, in the leanest tables that can hold them: primary keys, the one index that pages of a
-- conversation need, and the one that finds due work. No checks, no foreign keys.
create table contacts (
  tenant uuid not null, id uuid not null, total integer not null, last_at timestamptz not null,
  primary key (tenant, id)
) with (fillfactor = 90);
create table identities (
  tenant uuid not null, kind smallint not null, value text not null, contact uuid not null,
  primary key (tenant, kind, value)
);
create table conversations (
  tenant uuid not null, id uuid not null, sender uuid not null, contact uuid not null,
  primary key (tenant, id), unique (tenant, contact, sender)
) with (fillfactor = 85);
create table messages (
  tenant uuid not null, id uuid not null, sender uuid not null, contact uuid not null, conversation uuid not null,
  state smallint not null, wamid text, address text not null, content jsonb not null, created_at timestamptz not null,
  sent_at timestamptz, delivered_at timestamptz, read_at timestamptz,
  primary key (tenant, id)
) with (fillfactor = 80);
create index on messages (tenant, conversation, id);
create table due (
  tenant uuid not null, id uuid not null, sender uuid not null, state smallint not null, due_at timestamptz not null,
  started_at timestamptz,
  primary key (tenant, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index due_queued on due (due_at) where state = 0;
create index due_open on due (due_at) where state <> 0;
create table attempts (
  tenant uuid not null, message uuid not null, attempt smallint not null,
  started_at timestamptz not null, ended_at timestamptz not null, outcome smallint not null,
  primary key (tenant, message, attempt)
);
create table wamids (
  tenant uuid not null, wamid text not null, message uuid not null,
  primary key (tenant, wamid)
);
create table idempotency_keys (
  tenant uuid not null, key text not null, hash bytea not null, message uuid not null,
  primary key (tenant, key)
);
create table events (
  tenant uuid not null, xid xid8 not null default pg_current_xact_id(), id uuid not null, type text not null,
  message uuid not null, data jsonb not null,
  primary key (tenant, xid, id)
);
create table raw_webhooks (
  app text not null, id uuid not null, body bytea not null,
  primary key (app, id)
);
create table inbound_work (id uuid primary key, raw_ids uuid[] not null);
create table counts (
  tenant uuid not null, sender uuid not null, from_state smallint not null, to_state smallint not null,
  slot smallint not null, n bigint not null,
  primary key (tenant, sender, from_state, to_state, slot)
) with (fillfactor = 50);
