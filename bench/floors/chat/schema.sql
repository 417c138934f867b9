-- What a message of a conversation leaves behind, in the leanest tables that can hold it: primary keys, and the order of its conversation.
create table conversations (
  tenant uuid not null, id uuid not null, last_seq bigint not null, last_at timestamptz not null,
  primary key (tenant, id)
) with (fillfactor = 85);
create table participants (
  tenant uuid not null, conversation uuid not null, user_id text not null, read_seq bigint not null, read_at timestamptz,
  primary key (tenant, conversation, user_id)
) with (fillfactor = 85);
create table messages (
  tenant uuid not null, id uuid not null, conversation uuid not null, seq bigint not null, user_id text not null, content text not null,
  created_at timestamptz not null,
  primary key (tenant, id), unique (tenant, conversation, seq)
) with (fillfactor = 85);
create table events (
  tenant uuid not null, xid xid8 not null default pg_current_xact_id(), id uuid not null, type text not null,
  conversation uuid not null, data jsonb not null,
  primary key (tenant, xid, id)
);
