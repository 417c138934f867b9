-- The records of the spine. Conventions:
--   * The tenant leads every key and index, so that the tables can later be spread over several databases by tenant.
--     The exceptions are what precedes a tenant: apps and raw webhooks (keyed by app), lanes and instances (shared limits).
--   * Ids are UUIDv7, made by the program: the time of creation is in them, and pages walk the primary key.
--   * No index on messages names the state, not even in a predicate: every transition is then an in-place (HOT) update.
--     What is still open is read from due, what failed from failures, how many from message_counts.

create type message_state as enum
  ('queued', 'sending', 'unconfirmed', 'sent', 'delivered', 'read', 'played', 'failed', 'cancelled', 'expired');
create type message_direction as enum ('outbound', 'inbound');

-- Facts of the installation: the canary that detects a wrong encryption key, and the like.
create table settings (
  key text primary key,
  value jsonb not null
);

create table tenants (
  id uuid primary key,
  external_id text unique check (length(external_id) between 1 and 128),
  name text not null,
  -- What to do when nobody knows whether a message left: {category: 'resend' | 'tell'}. Empty: the house's defaults.
  doubt_policy jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table api_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  key_hash bytea not null check (length(key_hash) = 32), -- SHA-256 of the key; the key itself is shown once
  scopes text[] not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
-- The key is what tells the tenant, so this one look-up cannot name it.
create unique index api_keys_hash on api_keys (key_hash);

-- A Meta app: whose secret signs the webhooks. `default` answers on the bare webhook path.
create table apps (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
  app_secret_sealed bytea not null,
  verify_token_sealed bytea not null,
  created_at timestamptz not null default now()
);

-- An instance lives while it renews its row. The lanes it owns live with it.
create table instances (
  id uuid primary key,
  expires_at timestamptz not null,
  started_at timestamptz not null default now(),
  description text not null
) with (fillfactor = 50);

-- All senders of one portfolio are one lane, for they share limits. Each takeover adds one to the epoch; every write of a
-- lane's work holds this row FOR SHARE and checks owner and epoch, so that a deposed owner changes nothing.
create table lanes (
  id integer generated always as identity primary key,
  portfolio_id text not null unique,
  owner uuid,
  epoch bigint not null default 0
) with (fillfactor = 50);

create table senders (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  external_id text check (length(external_id) between 1 and 128),
  name text not null,
  channel text not null check (channel in ('whatsapp')),
  lane_id integer not null references lanes (id),
  app_id text not null references apps (id),
  phone_number_id text not null,
  account_id text not null, -- WhatsApp Business Account
  phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  access_token_sealed bytea not null,
  messages_per_second integer not null default 80 check (messages_per_second between 1 and 100000),
  is_default boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index senders_external on senders (tenant_id, external_id) where external_id is not null;
create unique index senders_default on senders (tenant_id) where is_default;
-- Webhooks name the number, not the tenant: this is the door they come in by.
create unique index senders_phone_number on senders (app_id, phone_number_id);

-- The proof that receipts flow: the latest start of an attempt that a receipt has named. Written at most once a second.
create table sender_evidence (
  tenant_id uuid not null,
  sender_id uuid not null,
  attempt_started_at timestamptz not null,
  primary key (tenant_id, sender_id)
) with (fillfactor = 50);

create table contacts (
  tenant_id uuid not null,
  id uuid not null,
  external_id text check (length(external_id) between 1 and 128),
  name text,
  attributes jsonb not null default '{}',
  total_messages integer not null default 0,
  last_message_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
) with (fillfactor = 90);
create unique index contacts_external on contacts (tenant_id, external_id) where external_id is not null;

-- A person is found by any of several names: a phone number, or an id that WhatsApp scopes to the portfolio.
create table contact_identities (
  tenant_id uuid not null,
  kind text not null check (kind in ('phone', 'bsuid')),
  value text not null,
  contact_id uuid not null,
  primary key (tenant_id, kind, value)
);

create table conversations (
  tenant_id uuid not null,
  id uuid not null,
  sender_id uuid not null,
  contact_id uuid not null,
  external_id text check (length(external_id) between 1 and 128),
  unread_count integer not null default 0 check (unread_count >= 0),
  last_inbound_at timestamptz,
  window_expires_at timestamptz, -- null: nothing heard yet, so unknown
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  unique (tenant_id, contact_id, sender_id)
) with (fillfactor = 85);
create unique index conversations_external on conversations (tenant_id, external_id) where external_id is not null;

create table batches (
  tenant_id uuid not null,
  id uuid not null,
  complete boolean not null default false, -- false: still being stored; nothing of it leaves
  total integer not null,
  stored_through integer not null default 0, -- items stored or refused so far
  accepted integer not null default 0,
  errors jsonb not null default '[]',
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
) with (fillfactor = 50);

-- The wide row. `state` is `queued` for all that has not left: due tells queued, sending and unconfirmed apart.
create table messages (
  tenant_id uuid not null,
  id uuid not null,
  sender_id uuid not null,
  contact_id uuid not null,
  conversation_id uuid not null,
  batch_id uuid,
  batch_index integer,
  direction message_direction not null,
  state message_state not null,
  state_before message_state not null, -- the state this row had before its last update, so that RETURNING can name the transition
  type text not null,
  category text not null,
  priority smallint not null check (priority between 0 and 2), -- 0 high, 1 normal, 2 low
  attempt smallint not null default 0, -- the last attempt that was settled
  wamid text,
  address text not null, -- the customer's number or business-scoped user id
  content jsonb,
  template jsonb,
  metadata jsonb,
  reply_to text,
  error jsonb,
  created_at timestamptz not null,
  scheduled_at timestamptz,
  expires_at timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  played_at timestamptz,
  failed_at timestamptz,
  ended_at timestamptz, -- cancelled or expired
  primary key (tenant_id, id),
  check (state not in ('sending', 'unconfirmed')),
  check (direction = 'inbound' or state < 'sent' or state > 'played' or sent_at is not null),
  check (direction = 'outbound' or state in ('delivered', 'read')),
  check (state not in ('delivered', 'read', 'played') or delivered_at is not null),
  check (state not in ('read', 'played') or read_at is not null),
  check (state <> 'played' or played_at is not null),
  check ((state = 'failed') = (failed_at is not null and error is not null)),
  check ((state in ('cancelled', 'expired')) = (ended_at is not null))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
create index messages_conversation on messages (tenant_id, conversation_id, id);
create index messages_sender on messages (tenant_id, sender_id, id);
create index messages_batch on messages (tenant_id, batch_id, batch_index) where batch_id is not null;

-- The narrow row of due work: inserted at accept, changed when an attempt begins, gone when it is settled.
-- queued: may leave at due_at. sending: an attempt has begun; due_at is when it becomes doubtful.
-- unconfirmed: nobody knows; due_at is when to look again.
create table due (
  tenant_id uuid not null,
  message_id uuid not null,
  lane_id integer not null,
  sender_id uuid not null,
  state message_state not null default 'queued' check (state in ('queued', 'sending', 'unconfirmed')),
  priority smallint not null,
  due_at timestamptz not null,
  expires_at timestamptz,
  attempt smallint not null default 0, -- the attempt that has begun, or the last one that ended
  resends smallint not null default 0, -- attempts that a doubt policy chose to repeat
  epoch bigint, -- of the lane when the attempt began
  started_at timestamptz,
  primary key (tenant_id, message_id),
  check ((state = 'queued') or (attempt > 0 and epoch is not null and started_at is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Two halves of one index, so that a claim never walks over what is already on its way.
create index due_queued on due (lane_id, sender_id, priority, due_at, message_id) where state = 'queued';
create index due_open on due (lane_id, due_at) where state <> 'queued';
create index due_expiry on due (lane_id, expires_at) where expires_at is not null and state = 'queued';

-- What came of each attempt, and each decision on a doubtful one.
create table attempts (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  started_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp(),
  outcome text not null check (outcome in ('sent', 'retry', 'refused', 'receipt', 'resend', 'tell')),
  code integer,
  detail text,
  primary key (tenant_id, message_id, attempt)
);

-- Each failure ever told of a message, kept even when a later receipt proves it wrong.
create table failures (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  source text not null check (source in ('answer', 'receipt', 'policy')),
  code integer not null,
  at timestamptz not null,
  title text not null,
  detail text,
  primary key (tenant_id, message_id, attempt, source, code)
);

-- The provider's id finds the message: receipts without our own mark, replies, duplicates of inbound messages.
create table wamids (
  tenant_id uuid not null,
  wamid text not null,
  message_id uuid not null,
  primary key (tenant_id, wamid)
);

create table idempotency_keys (
  tenant_id uuid not null,
  key text not null check (length(key) between 1 and 255),
  request_hash bytea not null,
  message_id uuid, -- exactly one of the two
  batch_id uuid,
  owner uuid, -- the instance that is storing the batch, if one is
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, key),
  check ((message_id is null) <> (batch_id is null))
);
-- Rows come in the order of their age: a block range says enough for pruning, and costs an insert next to nothing.
create index idempotency_keys_age on idempotency_keys using brin (created_at) with (pages_per_range = 32);

-- Every change of state, written in its transaction. Read below the snapshot horizon in (xid, id) order.
create table events (
  tenant_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  id uuid not null,
  type text not null,
  message_id uuid not null,
  data jsonb not null, -- what may change of the message, as it was after this event
  primary key (tenant_id, xid, id)
);

-- What the provider posted, byte for byte, stored before it is answered 200.
create table raw_webhooks (
  app_id text not null,
  id uuid not null,
  body bytea not null,
  error text, -- set when an item of it could not be applied
  primary key (app_id, id)
);
-- One row a group commit: which raw webhooks are still to be applied. Deleted by the transaction that applied them.
create table inbound_work (
  id uuid primary key,
  app_id text not null,
  raw_ids uuid[] not null,
  owner uuid not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Receipts whose message is not known (yet).
create table parked_receipts (
  tenant_id uuid not null,
  wamid text not null,
  status text not null,
  receipt jsonb not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, wamid, status)
);

-- How many messages went from one state to another: the count in a state is what came minus what left.
-- The slot spreads writers over several rows.
create table message_counts (
  tenant_id uuid not null,
  sender_id uuid not null,
  direction message_direction not null,
  type text not null,
  from_state text not null, -- '' for a new message
  to_state text not null,
  slot smallint not null,
  n bigint not null,
  primary key (tenant_id, sender_id, direction, type, from_state, to_state, slot)
) with (fillfactor = 50);

create table media_references (
  tenant_id uuid not null,
  message_id uuid not null,
  kind text not null,
  link text,
  provider_media_id text,
  mime_type text,
  filename text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, message_id)
);
