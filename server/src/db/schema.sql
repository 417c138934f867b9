-- Generated from the migrations by `npm run generate`; a test holds it equal. For reading, not for running.

create type message_direction as enum (
  'outbound',
  'inbound'
);

create type message_state as enum (
  'queued',
  'sending',
  'unconfirmed',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'expired'
);

create table account_alerts (
  tenant_id uuid not null,
  account_id text not null,
  id uuid not null,
  field text not null,
  payload jsonb not null,
  constraint account_alerts_pkey PRIMARY KEY (tenant_id, account_id, id)
);

create table accounts (
  tenant_id uuid not null,
  id text not null,
  app_id text not null,
  portfolio_id text,
  name text,
  add_numbers boolean not null default true,
  access_token_sealed bytea not null,
  token_valid boolean,
  token_detail text,
  token_expires_at timestamp with time zone,
  review_status text,
  messaging_limit text,
  subscribe_wanted boolean not null default true,
  subscribed boolean,
  synced_at timestamp with time zone,
  templates_synced_at timestamp with time zone,
  templates_due_at timestamp with time zone not null default clock_timestamp(),
  templates_tries smallint not null default 0,
  checked_at timestamp with time zone,
  sync_detail text,
  sync_due_at timestamp with time zone not null default clock_timestamp(),
  sync_tries smallint not null default 0,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint accounts_pkey PRIMARY KEY (tenant_id, id),
  constraint accounts_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id),
  constraint accounts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint accounts_id_check CHECK ((id ~ '^[0-9]{5,20}$'::text))
);
CREATE UNIQUE INDEX accounts_account ON public.accounts USING btree (app_id, id);
CREATE INDEX accounts_sync ON public.accounts USING btree (sync_due_at);
CREATE INDEX accounts_templates ON public.accounts USING btree (templates_due_at);

create table api_keys (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  key_hash bytea not null,
  scopes text[] not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  dialect text not null default 'aldis'::text,
  last_used_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (tenant_id, id),
  constraint api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint api_keys_dialect_check CHECK ((dialect = ANY (ARRAY['aldis'::text, 'queue'::text]))),
  constraint api_keys_key_hash_check CHECK ((length(key_hash) = 32))
);
CREATE UNIQUE INDEX api_keys_hash ON public.api_keys USING btree (key_hash);

create table apps (
  id text not null,
  app_secret_sealed bytea not null,
  verify_token_sealed bytea not null,
  created_at timestamp with time zone not null default now(),
  meta_app_id text,
  previous_secret_sealed bytea,
  previous_until timestamp with time zone,
  constraint apps_pkey PRIMARY KEY (id),
  constraint apps_id_check CHECK ((id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'::text))
);

create table attempts (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone not null default clock_timestamp(),
  outcome text not null,
  code integer,
  detail text,
  constraint attempts_pkey PRIMARY KEY (tenant_id, message_id, attempt),
  constraint attempts_outcome_check CHECK ((outcome = ANY (ARRAY['sent'::text, 'retry'::text, 'refused'::text, 'receipt'::text, 'resend'::text, 'tell'::text])))
);

create table batches (
  tenant_id uuid not null,
  id uuid not null,
  complete boolean not null default false,
  total integer not null,
  stored_through integer not null default 0,
  accepted integer not null default 0,
  errors jsonb not null default '[]'::jsonb,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint batches_pkey PRIMARY KEY (tenant_id, id)
) with (fillfactor=50);

create table blocked_users (
  tenant_id uuid not null,
  sender_id uuid not null,
  contact_id uuid not null,
  blocked boolean not null,
  confirmed boolean,
  detail text,
  tries smallint not null default 0,
  due_at timestamp with time zone,
  at timestamp with time zone not null default clock_timestamp(),
  constraint blocked_users_pkey PRIMARY KEY (tenant_id, sender_id, contact_id)
);
CREATE INDEX blocked_users_due ON public.blocked_users USING btree (due_at) WHERE (due_at IS NOT NULL);

create table consents (
  tenant_id uuid not null,
  contact_id uuid not null,
  id uuid not null,
  scope text not null,
  state text not null,
  source text not null,
  detail text,
  message_id uuid,
  at timestamp with time zone not null,
  constraint consents_pkey PRIMARY KEY (tenant_id, contact_id, id),
  constraint consents_scope_check CHECK ((scope = ANY (ARRAY['marketing'::text, 'all'::text]))),
  constraint consents_source_check CHECK ((source = ANY (ARRAY['keyword'::text, 'api'::text, 'whatsapp'::text, 'import'::text]))),
  constraint consents_state_check CHECK ((state = ANY (ARRAY['in'::text, 'out'::text])))
);
CREATE INDEX consents_age ON public.consents USING btree (id);

create table contact_identities (
  tenant_id uuid not null,
  kind text not null,
  value text not null,
  contact_id uuid not null,
  suppressed smallint not null default 0,
  left_at timestamp with time zone,
  lane_id integer,
  constraint contact_identities_pkey PRIMARY KEY (tenant_id, kind, value),
  constraint contact_identities_kind_check CHECK ((kind = ANY (ARRAY['phone'::text, 'bsuid'::text]))),
  constraint contact_identities_suppressed_check CHECK (((suppressed >= 0) AND (suppressed <= 3)))
);
CREATE INDEX contact_identities_contact ON public.contact_identities USING btree (tenant_id, contact_id);

create table contacts (
  tenant_id uuid not null,
  id uuid not null,
  external_id text,
  name text,
  attributes jsonb not null default '{}'::jsonb,
  total_messages integer not null default 0,
  last_message_at timestamp with time zone,
  created_at timestamp with time zone not null default clock_timestamp(),
  profile_name text,
  username text,
  language text,
  marketing_consent text,
  contact_consent text,
  updated_at timestamp with time zone,
  constraint contacts_pkey PRIMARY KEY (tenant_id, id),
  constraint contacts_contact_consent_check CHECK ((contact_consent = ANY (ARRAY['in'::text, 'out'::text]))),
  constraint contacts_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint contacts_marketing_consent_check CHECK ((marketing_consent = ANY (ARRAY['in'::text, 'out'::text])))
) with (fillfactor=90);
CREATE UNIQUE INDEX contacts_external ON public.contacts USING btree (tenant_id, external_id) WHERE (external_id IS NOT NULL);

create table conversations (
  tenant_id uuid not null,
  id uuid not null,
  sender_id uuid not null,
  contact_id uuid not null,
  external_id text,
  unread_count integer not null default 0,
  last_inbound_at timestamp with time zone,
  window_expires_at timestamp with time zone,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint conversations_pkey PRIMARY KEY (tenant_id, id),
  constraint conversations_tenant_id_contact_id_sender_id_key UNIQUE (tenant_id, contact_id, sender_id),
  constraint conversations_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint conversations_unread_count_check CHECK ((unread_count >= 0))
) with (fillfactor=85);
CREATE UNIQUE INDEX conversations_external ON public.conversations USING btree (tenant_id, external_id) WHERE (external_id IS NOT NULL);

create table due (
  tenant_id uuid not null,
  message_id uuid not null,
  lane_id integer not null,
  sender_id uuid not null,
  state message_state not null default 'queued'::message_state,
  priority smallint not null,
  due_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  attempt smallint not null default 0,
  resends smallint not null default 0,
  epoch bigint,
  started_at timestamp with time zone,
  template_id uuid,
  held text,
  constraint due_pkey PRIMARY KEY (tenant_id, message_id),
  constraint due_check CHECK (((state = 'queued'::message_state) OR ((attempt > 0) AND (epoch IS NOT NULL) AND (started_at IS NOT NULL)))),
  constraint due_held_check CHECK ((held = 'template'::text)),
  constraint due_state_check CHECK ((state = ANY (ARRAY['queued'::message_state, 'sending'::message_state, 'unconfirmed'::message_state])))
) with (autovacuum_vacuum_cost_delay=0, autovacuum_vacuum_scale_factor=0.02, fillfactor=70);
CREATE INDEX due_expiry ON public.due USING btree (lane_id, expires_at) WHERE ((expires_at IS NOT NULL) AND (state = 'queued'::message_state));
CREATE INDEX due_held ON public.due USING btree (tenant_id, template_id) WHERE (held IS NOT NULL);
CREATE INDEX due_open ON public.due USING btree (lane_id, due_at) WHERE (state <> 'queued'::message_state);
CREATE INDEX due_queued ON public.due USING btree (lane_id, sender_id, priority, due_at, message_id) WHERE ((state = 'queued'::message_state) AND (held IS NULL));
CREATE INDEX due_template ON public.due USING btree (tenant_id, template_id) WHERE ((template_id IS NOT NULL) AND (held IS NULL));

create table event_consumers (
  tenant_id uuid not null,
  consumer text not null,
  xid xid8 not null,
  event_id uuid not null,
  held_by uuid,
  held_until timestamp with time zone,
  constraint event_consumers_pkey PRIMARY KEY (tenant_id, consumer)
) with (fillfactor=50);

create table events (
  tenant_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  id uuid not null,
  type text not null,
  message_id uuid not null,
  data jsonb not null,
  constraint events_pkey PRIMARY KEY (tenant_id, xid, id)
);

create table export_parts (
  tenant_id uuid not null,
  export_id uuid not null,
  part integer not null,
  hold integer not null,
  rows integer not null,
  size bigint not null,
  constraint export_parts_pkey PRIMARY KEY (tenant_id, export_id, part),
  constraint export_parts_tenant_id_export_id_fkey FOREIGN KEY (tenant_id, export_id) REFERENCES exports(tenant_id, id) ON DELETE CASCADE
);

create table exports (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  format text not null,
  bom boolean not null default false,
  asked jsonb not null,
  filter jsonb not null,
  state text not null default 'queued'::text,
  total bigint,
  rows bigint not null default 0,
  parts integer not null default 0,
  size bigint not null default 0,
  position text,
  tries smallint not null default 0,
  error text,
  held_by uuid,
  held_until timestamp with time zone,
  holds integer not null default 0,
  created_at timestamp with time zone not null default clock_timestamp(),
  ended_at timestamp with time zone,
  expires_at timestamp with time zone,
  constraint exports_pkey PRIMARY KEY (tenant_id, id),
  constraint exports_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'jsonl'::text]))),
  constraint exports_kind_check CHECK ((kind = ANY (ARRAY['messages'::text, 'contacts'::text]))),
  constraint exports_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'complete'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX exports_expiry ON public.exports USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX exports_leftover ON public.exports USING btree (ended_at) WHERE ((state = ANY (ARRAY['failed'::text, 'cancelled'::text])) AND (parts > 0));
CREATE INDEX exports_open ON public.exports USING btree (created_at) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));

create table failures (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  source text not null,
  code integer not null,
  at timestamp with time zone not null,
  title text not null,
  detail text,
  constraint failures_pkey PRIMARY KEY (tenant_id, message_id, attempt, source, code),
  constraint failures_source_check CHECK ((source = ANY (ARRAY['answer'::text, 'receipt'::text, 'policy'::text])))
);

create table idempotency_keys (
  tenant_id uuid not null,
  key text not null,
  request_hash bytea not null,
  message_id uuid,
  batch_id uuid,
  owner uuid,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint idempotency_keys_pkey PRIMARY KEY (tenant_id, key),
  constraint idempotency_keys_check CHECK (((message_id IS NULL) <> (batch_id IS NULL))),
  constraint idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING brin (created_at) WITH (pages_per_range='32');

create table inbound_work (
  id uuid not null,
  app_id text not null,
  raw_ids uuid[] not null,
  owner uuid not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint inbound_work_pkey PRIMARY KEY (id)
);

create table instances (
  id uuid not null,
  expires_at timestamp with time zone not null,
  started_at timestamp with time zone not null default now(),
  description text not null,
  constraint instances_pkey PRIMARY KEY (id)
) with (fillfactor=50);

create table lanes (
  id integer not null generated always as identity,
  portfolio_id text not null,
  owner uuid,
  epoch bigint not null default 0,
  constraint lanes_pkey PRIMARY KEY (id),
  constraint lanes_portfolio_id_key UNIQUE (portfolio_id)
) with (fillfactor=50);

create table limit_changes (
  tenant_id uuid not null,
  scope_id uuid not null,
  starts_at timestamp with time zone not null,
  id bigint not null generated always as identity,
  n integer not null,
  constraint limit_changes_pkey PRIMARY KEY (tenant_id, scope_id, starts_at, id)
);

create table limit_use (
  tenant_id uuid not null,
  scope_id uuid not null,
  starts_at timestamp with time zone not null,
  used bigint not null,
  most bigint not null,
  constraint limit_use_pkey PRIMARY KEY (tenant_id, scope_id, starts_at),
  constraint limit_use_within CHECK (((used >= 0) AND (used <= most)))
) with (fillfactor=50);
CREATE INDEX limit_use_age ON public.limit_use USING btree (starts_at);

create table media (
  tenant_id uuid not null,
  id uuid not null,
  sha256 bytea not null,
  size bigint not null,
  mime_type text not null,
  kind text not null,
  animated boolean,
  source text not null,
  filename text,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint media_pkey PRIMARY KEY (tenant_id, id),
  constraint media_sha256_check CHECK ((length(sha256) = 32)),
  constraint media_source_check CHECK ((source = ANY (ARRAY['upload'::text, 'url'::text, 'inbound'::text])))
);
CREATE UNIQUE INDEX media_content ON public.media USING btree (tenant_id, sha256);

create table media_fetches (
  tenant_id uuid not null,
  message_id uuid not null,
  sender_id uuid not null,
  provider_id text not null,
  mime_type text,
  sha256 text,
  filename text,
  tries smallint not null default 0,
  detail text,
  due_at timestamp with time zone not null default clock_timestamp(),
  constraint media_fetches_pkey PRIMARY KEY (tenant_id, message_id)
) with (fillfactor=70);
CREATE INDEX media_fetches_due ON public.media_fetches USING btree (due_at);

create table media_references (
  tenant_id uuid not null,
  message_id uuid not null,
  kind text not null,
  link text,
  provider_media_id text,
  mime_type text,
  filename text,
  created_at timestamp with time zone not null default clock_timestamp(),
  media_id uuid,
  place smallint not null default 0,
  constraint media_references_pkey PRIMARY KEY (tenant_id, message_id, place)
);
CREATE INDEX media_references_media ON public.media_references USING btree (tenant_id, media_id) WHERE (media_id IS NOT NULL);

create table media_removals (
  tenant_id uuid not null,
  sha256 bytea not null,
  taken boolean not null default false,
  due_at timestamp with time zone not null,
  constraint media_removals_pkey PRIMARY KEY (tenant_id, sha256)
);
CREATE INDEX media_removals_due ON public.media_removals USING btree (due_at);

create table media_uploads (
  tenant_id uuid not null,
  sender_id uuid not null,
  media_id uuid not null,
  provider_id text not null,
  uploaded_at timestamp with time zone not null default clock_timestamp(),
  expires_at timestamp with time zone not null,
  constraint media_uploads_pkey PRIMARY KEY (tenant_id, sender_id, media_id)
);

create table message_counts (
  tenant_id uuid not null,
  sender_id uuid not null,
  direction message_direction not null,
  type text not null,
  from_state text not null,
  to_state text not null,
  slot smallint not null,
  n bigint not null,
  constraint message_counts_pkey PRIMARY KEY (tenant_id, sender_id, direction, type, from_state, to_state, slot)
) with (fillfactor=50);

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
  state_before message_state not null,
  type text not null,
  category text not null,
  priority smallint not null,
  attempt smallint not null default 0,
  wamid text,
  address text not null,
  content jsonb,
  template jsonb,
  metadata jsonb,
  reply_to text,
  error jsonb,
  created_at timestamp with time zone not null,
  scheduled_at timestamp with time zone,
  expires_at timestamp with time zone,
  sent_at timestamp with time zone,
  delivered_at timestamp with time zone,
  read_at timestamp with time zone,
  played_at timestamp with time zone,
  failed_at timestamp with time zone,
  ended_at timestamp with time zone,
  sender_type text,
  reserved smallint,
  fallback jsonb,
  reactions jsonb,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  constraint messages_pkey PRIMARY KEY (tenant_id, id),
  constraint messages_check CHECK (((direction = 'inbound'::message_direction) OR (state < 'sent'::message_state) OR (state > 'played'::message_state) OR (sent_at IS NOT NULL))),
  constraint messages_check1 CHECK (((direction = 'outbound'::message_direction) OR (state = ANY (ARRAY['delivered'::message_state, 'read'::message_state])))),
  constraint messages_check2 CHECK (((state <> ALL (ARRAY['delivered'::message_state, 'read'::message_state, 'played'::message_state])) OR (delivered_at IS NOT NULL))),
  constraint messages_check3 CHECK (((state <> ALL (ARRAY['read'::message_state, 'played'::message_state])) OR (read_at IS NOT NULL))),
  constraint messages_check4 CHECK (((state <> 'played'::message_state) OR (played_at IS NOT NULL))),
  constraint messages_check5 CHECK (((state = 'failed'::message_state) = ((failed_at IS NOT NULL) AND (error IS NOT NULL)))),
  constraint messages_check6 CHECK (((state = ANY (ARRAY['cancelled'::message_state, 'expired'::message_state])) = (ended_at IS NOT NULL))),
  constraint messages_priority_check CHECK (((priority >= 0) AND (priority <= 2))),
  constraint messages_reserved_check CHECK (((reserved >= 1) AND (reserved <= 3))),
  constraint messages_sender_type_check CHECK ((sender_type = ANY (ARRAY['llm'::text, 'agent'::text, 'bot'::text, 'user'::text]))),
  constraint messages_state_check CHECK ((state <> ALL (ARRAY['sending'::message_state, 'unconfirmed'::message_state])))
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.05, fillfactor=50);
CREATE INDEX messages_batch ON public.messages USING btree (tenant_id, batch_id, batch_index) WHERE (batch_id IS NOT NULL);
CREATE INDEX messages_conversation ON public.messages USING btree (tenant_id, conversation_id, id);
CREATE INDEX messages_sender ON public.messages USING btree (tenant_id, sender_id, id);

create table migrations (
  number integer not null,
  name text not null,
  done_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (number)
);

create table parked_receipts (
  tenant_id uuid not null,
  wamid text not null,
  status text not null,
  receipt jsonb not null,
  received_at timestamp with time zone not null default clock_timestamp(),
  constraint parked_receipts_pkey PRIMARY KEY (tenant_id, wamid, status)
);

create table raw_webhooks (
  app_id text not null,
  id uuid not null,
  body bytea not null,
  error text,
  constraint raw_webhooks_pkey PRIMARY KEY (app_id, id)
);

create table read_marks (
  tenant_id uuid not null,
  message_id uuid not null,
  sender_id uuid not null,
  wamid text not null,
  tries smallint not null default 0,
  due_at timestamp with time zone not null default clock_timestamp(),
  typing_at timestamp with time zone,
  constraint read_marks_pkey PRIMARY KEY (tenant_id, message_id)
) with (fillfactor=70);
CREATE INDEX read_marks_due ON public.read_marks USING btree (due_at);

create table sender_evidence (
  tenant_id uuid not null,
  sender_id uuid not null,
  attempt_started_at timestamp with time zone not null,
  constraint sender_evidence_pkey PRIMARY KEY (tenant_id, sender_id)
) with (fillfactor=50);

create table sender_pace (
  tenant_id uuid not null,
  sender_id uuid not null,
  kind text not null,
  window_started_at timestamp with time zone not null,
  used integer not null,
  constraint sender_pace_pkey PRIMARY KEY (tenant_id, sender_id, kind),
  constraint sender_pace_kind_check CHECK ((kind = ANY (ARRAY['minute'::text, 'batch'::text])))
) with (fillfactor=50);

create table senders (
  tenant_id uuid not null,
  id uuid not null,
  external_id text,
  name text not null,
  channel text not null,
  lane_id integer not null,
  app_id text,
  phone_number_id text,
  account_id text,
  phone text,
  access_token_sealed bytea,
  messages_per_second integer not null default 80,
  is_default boolean not null default false,
  created_at timestamp with time zone not null default now(),
  webhook_url text,
  webhook_header text,
  webhook_key_sealed bytea,
  per_minute integer,
  per_day integer,
  batch_size integer,
  processing_interval_ms integer,
  enabled boolean not null default true,
  from_outlet boolean not null default false,
  connected boolean,
  connection_detail text,
  connection_checked_at timestamp with time zone,
  verified_name text,
  name_status text,
  quality text,
  throughput text,
  own_rate boolean not null default false,
  outside_window text not null default 'refuse'::text,
  tend_until timestamp with time zone,
  previous_lane_id integer,
  constraint senders_pkey PRIMARY KEY (tenant_id, id),
  constraint senders_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id),
  constraint senders_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lanes(id),
  constraint senders_previous_lane_id_fkey FOREIGN KEY (previous_lane_id) REFERENCES lanes(id),
  constraint senders_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint senders_batch_size_check CHECK (((batch_size >= 1) AND (batch_size <= 100000))),
  constraint senders_channel CHECK ((channel = ANY (ARRAY['whatsapp'::text, 'webhook'::text]))),
  constraint senders_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint senders_messages_per_second_check CHECK (((messages_per_second >= 1) AND (messages_per_second <= 100000))),
  constraint senders_outside_window_check CHECK ((outside_window = ANY (ARRAY['refuse'::text, 'send'::text]))),
  constraint senders_per_day_check CHECK (((per_day >= 1) AND (per_day <= 100000000))),
  constraint senders_per_minute_check CHECK (((per_minute >= 1) AND (per_minute <= 100000))),
  constraint senders_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
  constraint senders_processing_interval_ms_check CHECK (((processing_interval_ms >= 100) AND (processing_interval_ms <= 86400000))),
  constraint senders_reachable CHECK (
CASE channel
    WHEN 'webhook'::text THEN (webhook_url IS NOT NULL)
    ELSE ((num_nulls(app_id, phone_number_id, access_token_sealed) = 0) AND (from_outlet OR (num_nulls(account_id, phone) = 0)))
END)
);
CREATE INDEX senders_account ON public.senders USING btree (tenant_id, account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX senders_app_account ON public.senders USING btree (app_id, account_id) WHERE (account_id IS NOT NULL);
CREATE UNIQUE INDEX senders_default ON public.senders USING btree (tenant_id) WHERE is_default;
CREATE UNIQUE INDEX senders_external ON public.senders USING btree (tenant_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX senders_lane ON public.senders USING btree (lane_id);
CREATE UNIQUE INDEX senders_phone_number ON public.senders USING btree (app_id, phone_number_id);
CREATE INDEX senders_tend ON public.senders USING btree (tend_until) WHERE (tend_until IS NOT NULL);
CREATE INDEX senders_to_check ON public.senders USING btree (COALESCE(connection_checked_at, '-infinity'::timestamp with time zone)) WHERE ((channel = 'whatsapp'::text) AND enabled);

create table settings (
  key text not null,
  value jsonb not null,
  constraint settings_pkey PRIMARY KEY (key)
);

create table templates (
  tenant_id uuid not null,
  account_id text not null,
  id uuid not null,
  provider_id text,
  name text not null,
  language text not null,
  status text not null,
  category text not null,
  quality text,
  parameter_format text not null default 'POSITIONAL'::text,
  components jsonb not null,
  reason text,
  refusal jsonb,
  status_at timestamp with time zone,
  quality_at timestamp with time zone,
  category_at timestamp with time zone,
  edits timestamp with time zone[] not null default '{}'::timestamp with time zone[],
  intent text,
  intent_payload jsonb,
  intent_due_at timestamp with time zone,
  intent_tries smallint not null default 0,
  created_at timestamp with time zone not null default clock_timestamp(),
  updated_at timestamp with time zone not null default clock_timestamp(),
  constraint templates_pkey PRIMARY KEY (tenant_id, id),
  constraint templates_category_check CHECK ((category = ANY (ARRAY['utility'::text, 'authentication'::text, 'marketing'::text]))),
  constraint templates_intent_check CHECK ((intent = ANY (ARRAY['create'::text, 'edit'::text, 'delete'::text, 'unpause'::text]))),
  constraint templates_parameter_format_check CHECK ((parameter_format = ANY (ARRAY['POSITIONAL'::text, 'NAMED'::text])))
);
CREATE INDEX templates_intent ON public.templates USING btree (intent_due_at) WHERE (intent IS NOT NULL);
CREATE UNIQUE INDEX templates_name ON public.templates USING btree (tenant_id, account_id, name, language);
CREATE INDEX templates_provider ON public.templates USING btree (tenant_id, provider_id) WHERE (provider_id IS NOT NULL);
CREATE INDEX templates_unsent ON public.templates USING btree (tenant_id, id) WHERE (status <> ALL (ARRAY['APPROVED'::text, 'FLAGGED'::text]));

create table tenants (
  id uuid not null,
  external_id text,
  name text not null,
  doubt_policy jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null default now(),
  monthly_quota bigint,
  requests_per_second integer,
  request_burst integer,
  processing boolean not null default true,
  consent_keywords jsonb,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_external_id_key UNIQUE (external_id),
  constraint tenants_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint tenants_monthly_quota_check CHECK ((monthly_quota >= 0)),
  constraint tenants_request_burst_check CHECK (((request_burst >= 1) AND (request_burst <= 1000000))),
  constraint tenants_requests_per_second_check CHECK (((requests_per_second >= 1) AND (requests_per_second <= 100000)))
);
CREATE INDEX tenants_keywords ON public.tenants USING btree (id) WHERE (consent_keywords IS NOT NULL);

create table wamids (
  tenant_id uuid not null,
  wamid text not null,
  message_id uuid not null,
  constraint wamids_pkey PRIMARY KEY (tenant_id, wamid)
);
