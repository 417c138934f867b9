-- Real time: conversations between people, one stream of events for everyone who listens, customers' webhooks.

-- The log tells of more than messages. An event of something else carries all it has to say in `data`.
alter table events
  alter column message_id drop not null,
  add column conversation_id uuid, -- of an event that is about a conversation, or about what people say in it
  add column user_id text; -- null: for everyone in the conversation; else for this user only

-- The latest event of a tenant that is kept no longer. A cursor before it has missed something.
alter table tenants
  add column events_pruned_xid xid8,
  add column events_pruned_id uuid,
  add constraint tenants_events_pruned check ((events_pruned_xid is null) = (events_pruned_id is null));

-- Conversations: with a customer, as before, or between users of the tenant.
alter table conversations
  alter column sender_id drop not null,
  alter column contact_id drop not null,
  add column type text not null default 'customer' check (type in ('customer', 'direct', 'group')),
  add column title text check (length(title) between 1 and 200),
  add column metadata jsonb,
  add column created_by text, -- the user; null: nobody said
  add column direct_key text, -- of a direct one: who the two are, so that there is one of them
  add column last_seq bigint not null default 0, -- the number of the last message between users, or note
  add column pruned_seq bigint not null default 0, -- up to this one they are kept no longer
  add column last_message_at timestamptz, -- when somebody last said something there; campaigns do not count
  add column closed_at timestamptz, -- null: open
  add column retention_days integer check (retention_days between 1 and 36500), -- null: the tenant's
  add constraint conversations_sides check ((type = 'customer') = (sender_id is not null and contact_id is not null)),
  add constraint conversations_direct_key check ((type = 'direct') = (direct_key is not null));
create unique index conversations_direct on conversations (tenant_id, direct_key) where direct_key is not null;
create index conversations_people on conversations (tenant_id, type, id) where type <> 'customer';
create index conversations_closed on conversations (tenant_id, id) where closed_at is not null;
create index conversations_retention on conversations (tenant_id, id) where retention_days is not null;
alter table tenants add column retention_days integer check (retention_days between 1 and 36500); -- of what people say; null: for ever

-- Who is in a conversation. A user is known by the outer system's id. The row of one who left stays: it says which events he may see.
create table participants (
  tenant_id uuid not null,
  conversation_id uuid not null,
  user_id text not null check (length(user_id) between 1 and 128),
  role text not null default 'member' check (role in ('owner', 'admin', 'member')),
  can_send_messages boolean not null default true,
  joined_at timestamptz not null default clock_timestamp(),
  joined_xid xid8 not null default pg_current_xact_id(), -- sees events from this transaction on
  left_at timestamptz,
  left_xid xid8, -- and up to this one
  -- How far it has come to his devices, and how far he has read: the number of a message, and all before it.
  delivered_seq bigint not null default 0,
  delivered_at timestamptz,
  read_seq bigint not null default 0,
  read_at timestamptz,
  own_ahead integer not null default 0, -- messages of his own behind what he has read: they are not unread
  primary key (tenant_id, conversation_id, user_id),
  check ((left_at is null) = (left_xid is null)),
  check (read_seq <= delivered_seq)
) with (fillfactor = 70);
create index participants_user on participants (tenant_id, user_id, conversation_id) where left_at is null;

-- What users say to each other; and notes in a conversation with a customer, which never reach him. Numbered in their conversation
-- without gaps, in the order of their commits.
create table chat_messages (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  seq bigint not null,
  user_id text not null,
  sender_type text not null check (sender_type in ('user', 'agent', 'bot', 'llm')),
  message_type text not null,
  content text, -- null: it was deleted, or has none
  mentions jsonb not null default '[]',
  parent_id uuid, -- the message that it answers
  metadata jsonb,
  note boolean not null default false,
  reactions jsonb not null default '[]', -- [{user_id, emoji, at}], one a user
  replies integer not null default 0,
  edits smallint not null default 0,
  created_at timestamptz not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id)
) with (fillfactor = 85);
create unique index chat_messages_seq on chat_messages (tenant_id, conversation_id, seq);
create index chat_messages_thread on chat_messages (tenant_id, parent_id, seq) where parent_id is not null;
create index chat_messages_notes on chat_messages (tenant_id, conversation_id, id) where note;

-- What a message said before it was edited.
create table chat_edits (
  tenant_id uuid not null,
  message_id uuid not null,
  edit smallint not null, -- from 1: the first edit replaced this
  content text,
  mentions jsonb not null,
  at timestamptz not null,
  primary key (tenant_id, message_id, edit)
);

-- The outer user who wrote a message that left by WhatsApp.
alter table messages add column author_id text;

-- Sockets that are open, of all instances. A row counts while its instance lives.
create table devices (
  tenant_id uuid not null,
  user_id text not null,
  device_id text not null,
  instance_id uuid not null,
  platform text,
  app_version text,
  connected_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, user_id, device_id, instance_id)
) with (fillfactor = 50);
create index devices_instance on devices (instance_id);

-- When a user was last seen: the end of his last socket, or a look now and then while there is one.
create table last_seen (
  tenant_id uuid not null,
  user_id text not null,
  at timestamptz not null,
  primary key (tenant_id, user_id)
) with (fillfactor = 50);

-- One-time tickets for browsers, which cannot set headers on a socket.
create table tickets (
  hash bytea primary key check (length(hash) = 32),
  tenant_id uuid not null,
  user_id text, -- null: the key itself
  key_id uuid, -- the key that asked for it; null: a token did
  scopes text[] not null,
  session_until timestamptz, -- when what it was asked for with ends, and with it what the ticket opened; null: never
  expires_at timestamptz not null,
  check (user_id is not null or key_id is not null)
);
create index tickets_expiry on tickets (expires_at);

-- What instances tell each other when there is no Redis: read by each every half second at the latest, and soon removed.
create table notices (
  id uuid primary key,
  xid xid8 not null default pg_current_xact_id(),
  instance_id uuid not null,
  topics text[] not null,
  words jsonb not null default '[]'
);
create index notices_order on notices (xid, id);

-- Where a tenant wants its events posted.
create table webhook_endpoints (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  url text not null,
  description text,
  enabled boolean not null default true,
  disabled_reason text, -- why the system disabled it; null: it did not
  event_types text[], -- null: all
  sender_ids uuid[],
  conversation_ids uuid[],
  ordered boolean not null default false, -- whether the events of a conversation come one after the other
  secret_sealed bytea not null,
  previous_secret_sealed bytea, -- signs too, until then
  previous_until timestamptz,
  failing_since timestamptz, -- null: its last delivery went well, or there was none
  from_xid xid8 not null default pg_current_xact_id(), -- events from here on are its
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
) with (fillfactor = 70);

-- One event for one endpoint. Made by who follows the log; whoever delivers takes what is due.
create table webhook_deliveries (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null, -- the event's own; of a replay or a test one of its own
  kind text not null default 'event' check (kind in ('event', 'replay', 'test')),
  event_xid xid8, -- null: of a test
  event_id uuid not null,
  event_type text not null,
  conversation_id uuid, -- of an ordered endpoint: the line that it stands in
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  tries smallint not null default 0,
  due_at timestamptz, -- while it is under way, when another may take it; null: it has ended, or one before it in its line has not
  tried_at timestamptz, -- the last try, and what came of it
  took_ms integer,
  status integer, -- null: no answer
  detail text, -- what went wrong
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (tenant_id, endpoint_id, id),
  check ((state = 'pending') = (ended_at is null)),
  check (state = 'pending' or due_at is null),
  check (due_at is not null or state <> 'pending' or conversation_id is not null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index webhook_deliveries_due on webhook_deliveries (tenant_id, endpoint_id, due_at) where due_at is not null;
create index webhook_deliveries_line on webhook_deliveries (tenant_id, endpoint_id, conversation_id, event_xid, id)
  where state = 'pending' and conversation_id is not null;
create index webhook_deliveries_failed on webhook_deliveries (tenant_id, endpoint_id, id) where state = 'failed';

-- The tries that failed. The one that went well stands in its delivery.
create table webhook_attempts (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  delivery_id uuid not null,
  attempt smallint not null,
  started_at timestamptz not null,
  took_ms integer not null,
  status integer, -- null: no answer
  detail text not null,
  answer text, -- its beginning
  primary key (tenant_id, endpoint_id, delivery_id, attempt)
);

-- A range of the log that an endpoint is told once more, step by step.
create table webhook_replays (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null,
  since timestamptz not null,
  until timestamptz not null,
  only_failed boolean not null,
  state text not null default 'running' check (state in ('running', 'done')),
  at_xid xid8 not null, -- how far it is in the log; of failed deliveries only the id counts
  at_id uuid not null,
  end_xid xid8 not null, -- what comes later is none of its
  replayed integer not null default 0,
  due_at timestamptz not null default clock_timestamp(), -- of the next step
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (tenant_id, endpoint_id, id),
  check ((state = 'running') = (ended_at is null))
);
create index webhook_replays_due on webhook_replays (due_at) where state = 'running';
create unique index webhook_replays_running on webhook_replays (tenant_id, endpoint_id) where state = 'running';

-- The key of the first start may what such a key may from now on.
update api_keys set scopes = array(select distinct unnest(scopes || array['conversations:write', 'conversations:read',
  'webhooks:write', 'webhooks:read', 'act_as']))
where name in ('first start', 'operator');
