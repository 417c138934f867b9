-- Generated from the migrations by `npm run generate`; a test holds it equal. For reading, not for running.

CREATE OR REPLACE FUNCTION public.conversation_list(type text, closed_at timestamp with time zone, last_message_at timestamp with time zone)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select (case type when 'customer' then 0 when 'direct' then 4 else 8 end
    + case when closed_at is null then 0 else 2 end + case when last_message_at is null then 1 else 0 end)::smallint
$function$;

CREATE OR REPLACE FUNCTION public.conversation_slot(last_message_at timestamp with time zone, created_at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select coalesce(date_bin('2 minutes', last_message_at, timestamptz '2000-01-01 00:00:00+00'), created_at)
$function$;

CREATE OR REPLACE FUNCTION public.event_horizon()
 RETURNS xid8
 LANGUAGE plpgsql
 STABLE PARALLEL RESTRICTED
AS $function$
begin
  if pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot()) then
    return pg_snapshot_xmax(pg_current_snapshot());
  end if;
  return least(
    pg_current_xact_id_if_assigned(),
    pg_snapshot_xmax(pg_current_snapshot()),
    (select min(x) from pg_snapshot_xip(pg_current_snapshot()) x where not exists (
      select from pg_stat_get_activity(null) a
      where a.backend_xid = x::xid and a.datid <> (select oid from pg_database where datname = current_database()))));
end $function$;

CREATE OR REPLACE FUNCTION public.keep_good_attempt()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into attempts (tenant_id, message_id, attempt, started_at, ended_at, outcome)
  values (old.tenant_id, old.id, old.attempt, old.sending_at, old.answered_at, 'sent') on conflict do nothing;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.move_on_lists()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update participants set list = conversation_list(new.type, new.closed_at, new.last_message_at),
    slot = conversation_slot(new.last_message_at, new.created_at)
  where tenant_id = new.tenant_id and conversation_id = new.id and left_at is null;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.note_dead_letter()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.state <> 'failed' then
    delete from dead_letters where tenant_id = new.tenant_id and message_id = new.id;
    return null;
  end if;
  insert into dead_letters (tenant_id, message_id, sender_id, batch_id, word, code, uncertain, failed_at)
  values (new.tenant_id, new.id, new.sender_id, new.batch_id, coalesce(new.error ->> 'error', 'send_failed'),
    coalesce((new.error ->> 'code')::int, 0),
    -- Decided by a policy, in doubt, and nothing was told of it since.
    exists (select from attempts a where a.tenant_id = new.tenant_id and a.message_id = new.id and a.outcome in ('resend', 'tell')
      and not exists (select from failures f where f.tenant_id = a.tenant_id and f.message_id = a.message_id
        and f.attempt = a.attempt and f.source = 'receipt')),
    new.failed_at)
  on conflict (tenant_id, message_id) do update set word = excluded.word, code = excluded.code, uncertain = excluded.uncertain,
    failed_at = excluded.failed_at;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.note_limit_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into limit_changes (tenant_id, scope_id, starts_at, n)
  select u.tenant_id, u.scope_id, u.starts_at, case when new.state > 'played' then -1 else 1 end
  from (values
      (1, new.tenant_id, date_trunc('month', new.created_at, 'UTC')),
      (2, new.sender_id, date_trunc('day', new.created_at, 'UTC'))
    ) as held(bit, scope_id, starts_at)
  join limit_use u on u.tenant_id = new.tenant_id and u.scope_id = held.scope_id and u.starts_at = held.starts_at
  where new.reserved & held.bit <> 0;
  return null;
end $function$;

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

create table chat_edits (
  tenant_id uuid not null,
  message_id uuid not null,
  edit smallint not null,
  content text,
  mentions jsonb not null,
  at timestamp with time zone not null,
  constraint chat_edits_pkey PRIMARY KEY (tenant_id, message_id, edit)
);

create table chat_messages (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  seq bigint not null,
  user_id text not null,
  sender_type text not null,
  message_type text not null,
  content text,
  mentions jsonb not null default '[]'::jsonb,
  parent_id uuid,
  metadata jsonb,
  note boolean not null default false,
  reactions jsonb not null default '[]'::jsonb,
  replies integer not null default 0,
  edits smallint not null default 0,
  created_at timestamp with time zone not null,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  constraint chat_messages_pkey PRIMARY KEY (tenant_id, id),
  constraint chat_messages_sender_type_check CHECK ((sender_type = ANY (ARRAY['user'::text, 'agent'::text, 'bot'::text, 'llm'::text])))
) with (fillfactor=85);
CREATE INDEX chat_messages_notes ON public.chat_messages USING btree (tenant_id, conversation_id, id) WHERE note;
CREATE UNIQUE INDEX chat_messages_seq ON public.chat_messages USING btree (tenant_id, conversation_id, seq);
CREATE INDEX chat_messages_thread ON public.chat_messages USING btree (tenant_id, parent_id, seq) WHERE (parent_id IS NOT NULL);

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
  sender_id uuid,
  contact_id uuid,
  external_id text,
  unread_count integer not null default 0,
  last_inbound_at timestamp with time zone,
  window_expires_at timestamp with time zone,
  created_at timestamp with time zone not null default clock_timestamp(),
  type text not null default 'customer'::text,
  title text,
  metadata jsonb,
  created_by text,
  direct_key text,
  last_seq bigint not null default 0,
  pruned_seq bigint not null default 0,
  last_message_at timestamp with time zone,
  closed_at timestamp with time zone,
  retention_days integer,
  participant_count integer not null default 0,
  constraint conversations_pkey PRIMARY KEY (tenant_id, id),
  constraint conversations_tenant_id_contact_id_sender_id_key UNIQUE (tenant_id, contact_id, sender_id),
  constraint conversations_direct_key CHECK (((type = 'direct'::text) = (direct_key IS NOT NULL))),
  constraint conversations_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint conversations_participant_count_check CHECK ((participant_count >= 0)),
  constraint conversations_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 36500))),
  constraint conversations_sides CHECK (((type = 'customer'::text) = ((sender_id IS NOT NULL) AND (contact_id IS NOT NULL)))),
  constraint conversations_title_check CHECK (((length(title) >= 1) AND (length(title) <= 200))),
  constraint conversations_type_check CHECK ((type = ANY (ARRAY['customer'::text, 'direct'::text, 'group'::text]))),
  constraint conversations_unread_count_check CHECK ((unread_count >= 0))
) with (fillfactor=85);
CREATE UNIQUE INDEX conversations_direct ON public.conversations USING btree (tenant_id, direct_key) WHERE (direct_key IS NOT NULL);
CREATE UNIQUE INDEX conversations_external ON public.conversations USING btree (tenant_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX conversations_listed ON public.conversations USING btree (tenant_id, type, ((closed_at IS NULL)), id);
CREATE INDEX conversations_retention ON public.conversations USING btree (tenant_id, id) WHERE (retention_days IS NOT NULL);
CREATE TRIGGER conversations_move AFTER UPDATE OF last_message_at, closed_at ON public.conversations FOR EACH ROW WHEN (((new.participant_count > 0) AND (((old.closed_at IS NULL) <> (new.closed_at IS NULL)) OR (conversation_slot(old.last_message_at, old.created_at) <> conversation_slot(new.last_message_at, new.created_at)) OR ((old.last_message_at IS NULL) <> (new.last_message_at IS NULL))))) EXECUTE FUNCTION move_on_lists();

create table dead_letters (
  tenant_id uuid not null,
  message_id uuid not null,
  sender_id uuid not null,
  batch_id uuid,
  word text not null,
  code integer not null,
  uncertain boolean not null,
  failed_at timestamp with time zone not null,
  constraint dead_letters_pkey PRIMARY KEY (tenant_id, message_id) INCLUDE (sender_id, batch_id, word, code, uncertain, failed_at)
);
CREATE INDEX dead_letters_reason ON public.dead_letters USING btree (tenant_id, word, code, message_id) INCLUDE (sender_id, batch_id, uncertain, failed_at);

create table devices (
  tenant_id uuid not null,
  user_id text not null,
  device_id text not null,
  instance_id uuid not null,
  platform text,
  app_version text,
  connected_at timestamp with time zone not null default clock_timestamp(),
  constraint devices_pkey PRIMARY KEY (tenant_id, user_id, device_id, instance_id)
) with (fillfactor=50);
CREATE INDEX devices_instance ON public.devices USING btree (instance_id);

create table doubts (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  waiting_since timestamp with time zone not null default clock_timestamp(),
  evident_at timestamp with time zone,
  constraint doubts_pkey PRIMARY KEY (tenant_id, message_id, attempt)
);

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
  cause text,
  constraint due_pkey PRIMARY KEY (tenant_id, message_id),
  constraint due_check CHECK (((state = 'queued'::message_state) OR ((attempt > 0) AND (epoch IS NOT NULL) AND (started_at IS NOT NULL)))),
  constraint due_held_check CHECK ((held = 'template'::text)),
  constraint due_state_check CHECK ((state = ANY (ARRAY['queued'::message_state, 'sending'::message_state, 'unconfirmed'::message_state])))
) with (autovacuum_vacuum_cost_delay=0, autovacuum_vacuum_scale_factor=0.02, fillfactor=70);
CREATE INDEX due_caused ON public.due USING btree (lane_id) WHERE ((cause IS NOT NULL) AND (state = 'queued'::message_state) AND (held IS NULL));
CREATE INDEX due_expiry ON public.due USING btree (lane_id, expires_at) WHERE ((expires_at IS NOT NULL) AND (state = 'queued'::message_state));
CREATE INDEX due_held ON public.due USING btree (tenant_id, template_id) WHERE (held IS NOT NULL);
CREATE INDEX due_held_age ON public.due USING btree (lane_id, due_at) WHERE (held IS NOT NULL);
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
  message_id uuid,
  data jsonb not null,
  conversation_id uuid,
  user_id text,
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

create table lane_reach (
  lane_id integer not null,
  users integer not null default 0,
  put_off_under integer,
  constraint lane_reach_pkey PRIMARY KEY (lane_id),
  constraint lane_reach_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lanes(id),
  constraint lane_reach_users_check CHECK ((users >= 0))
) with (fillfactor=50);

create table lanes (
  id integer not null generated always as identity,
  portfolio_id text not null,
  owner uuid,
  epoch bigint not null default 0,
  constraint lanes_pkey PRIMARY KEY (id),
  constraint lanes_portfolio_id_key UNIQUE (portfolio_id)
) with (fillfactor=50);
CREATE INDEX lanes_owner ON public.lanes USING btree (owner);

create table last_seen (
  tenant_id uuid not null,
  user_id text not null,
  at timestamp with time zone not null,
  constraint last_seen_pkey PRIMARY KEY (tenant_id, user_id)
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
  author_id text,
  sending_at timestamp with time zone,
  answered_at timestamp with time zone,
  constraint messages_pkey PRIMARY KEY (tenant_id, id),
  constraint messages_check CHECK (((direction = 'inbound'::message_direction) OR (state < 'sent'::message_state) OR (state > 'played'::message_state) OR (sent_at IS NOT NULL))),
  constraint messages_check1 CHECK (((direction = 'outbound'::message_direction) OR (state = ANY (ARRAY['delivered'::message_state, 'read'::message_state])))),
  constraint messages_check2 CHECK (((state <> ALL (ARRAY['delivered'::message_state, 'read'::message_state, 'played'::message_state])) OR (delivered_at IS NOT NULL))),
  constraint messages_check3 CHECK (((state <> ALL (ARRAY['read'::message_state, 'played'::message_state])) OR (read_at IS NOT NULL))),
  constraint messages_check4 CHECK (((state <> 'played'::message_state) OR (played_at IS NOT NULL))),
  constraint messages_check5 CHECK (((state = 'failed'::message_state) = ((failed_at IS NOT NULL) AND (error IS NOT NULL)))),
  constraint messages_check6 CHECK (((state = ANY (ARRAY['cancelled'::message_state, 'expired'::message_state])) = (ended_at IS NOT NULL))),
  constraint messages_check7 CHECK (((sending_at IS NULL) = (answered_at IS NULL))),
  constraint messages_check8 CHECK (((sending_at IS NULL) OR (state <> 'queued'::message_state))),
  constraint messages_priority_check CHECK (((priority >= 0) AND (priority <= 2))),
  constraint messages_reserved_check CHECK (((reserved >= 1) AND (reserved <= 3))),
  constraint messages_sender_type_check CHECK ((sender_type = ANY (ARRAY['llm'::text, 'agent'::text, 'bot'::text, 'user'::text]))),
  constraint messages_state_check CHECK ((state <> ALL (ARRAY['sending'::message_state, 'unconfirmed'::message_state])))
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.05, fillfactor=50);
CREATE INDEX messages_batch ON public.messages USING btree (tenant_id, batch_id, batch_index) WHERE (batch_id IS NOT NULL);
CREATE INDEX messages_conversation ON public.messages USING btree (tenant_id, conversation_id, id);
CREATE INDEX messages_sender ON public.messages USING btree (tenant_id, sender_id, id);
CREATE TRIGGER messages_dead_letter AFTER UPDATE OF state ON public.messages FOR EACH ROW WHEN ((((old.state = 'failed'::message_state) <> (new.state = 'failed'::message_state)) OR ((new.state = 'failed'::message_state) AND (new.error IS DISTINCT FROM old.error)))) EXECUTE FUNCTION note_dead_letter();
CREATE TRIGGER messages_keep_good_attempt AFTER UPDATE OF sending_at ON public.messages FOR EACH ROW WHEN (((old.sending_at IS NOT NULL) AND (new.sending_at IS NULL))) EXECUTE FUNCTION keep_good_attempt();
CREATE TRIGGER messages_limit_change AFTER UPDATE OF state ON public.messages FOR EACH ROW WHEN (((new.reserved IS NOT NULL) AND ((old.state > 'played'::message_state) <> (new.state > 'played'::message_state)))) EXECUTE FUNCTION note_limit_change();

create table migrations (
  number integer not null,
  name text not null,
  done_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (number)
);

create table notices (
  id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  instance_id uuid not null,
  topics text[] not null,
  words jsonb not null default '[]'::jsonb,
  constraint notices_pkey PRIMARY KEY (id)
);
CREATE INDEX notices_order ON public.notices USING btree (xid, id);

create table parked_receipts (
  tenant_id uuid not null,
  wamid text not null,
  status text not null,
  receipt jsonb not null,
  received_at timestamp with time zone not null default clock_timestamp(),
  constraint parked_receipts_pkey PRIMARY KEY (tenant_id, wamid, status)
);

create table participants (
  tenant_id uuid not null,
  conversation_id uuid not null,
  user_id text not null,
  role text not null default 'member'::text,
  can_send_messages boolean not null default true,
  joined_at timestamp with time zone not null default clock_timestamp(),
  joined_xid xid8 not null default pg_current_xact_id(),
  left_at timestamp with time zone,
  left_xid xid8,
  delivered_seq bigint not null default 0,
  delivered_at timestamp with time zone,
  read_seq bigint not null default 0,
  read_at timestamp with time zone,
  own_ahead integer not null default 0,
  list smallint not null,
  slot timestamp with time zone not null,
  constraint participants_pkey PRIMARY KEY (tenant_id, conversation_id, user_id),
  constraint participants_check CHECK (((left_at IS NULL) = (left_xid IS NULL))),
  constraint participants_check1 CHECK ((read_seq <= delivered_seq)),
  constraint participants_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text]))),
  constraint participants_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 128)))
) with (fillfactor=70);
CREATE INDEX participants_list ON public.participants USING btree (tenant_id, user_id, list, slot) WHERE ((left_at IS NULL) AND (list >= 0));

create table pauses (
  id uuid not null,
  tenant_id uuid,
  scope text not null,
  key text not null,
  cause text not null,
  code integer,
  title text not null,
  detail text,
  opened_at timestamp with time zone not null default clock_timestamp(),
  probe_at timestamp with time zone,
  probes integer not null default 0,
  constraint pauses_pkey PRIMARY KEY (id),
  constraint pauses_scope_key_cause_key UNIQUE (scope, key, cause),
  constraint pauses_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint pauses_probes_check CHECK ((probes >= 0)),
  constraint pauses_scope_check CHECK ((scope = ANY (ARRAY['sender'::text, 'account'::text, 'country'::text, 'app'::text, 'provider'::text])))
);
CREATE INDEX pauses_tenant ON public.pauses USING btree (tenant_id, opened_at);

create table raw_webhooks (
  app_id text not null,
  id uuid not null,
  body bytea not null,
  error text,
  constraint raw_webhooks_pkey PRIMARY KEY (app_id, id)
);

create table reached_users (
  lane_id integer not null,
  address text not null,
  reached_at timestamp with time zone not null,
  constraint reached_users_pkey PRIMARY KEY (lane_id, address),
  constraint reached_users_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lanes(id)
) with (fillfactor=70);
CREATE INDEX reached_users_age ON public.reached_users USING btree (lane_id, reached_at);

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

create table redrives (
  tenant_id uuid not null,
  id uuid not null,
  key_id uuid not null,
  filter jsonb not null,
  per_second integer not null,
  include_uncertain boolean not null,
  state text not null default 'running'::text,
  after_id uuid,
  queued bigint not null default 0,
  skipped jsonb not null default '{}'::jsonb,
  due_at timestamp with time zone not null default clock_timestamp(),
  created_at timestamp with time zone not null default clock_timestamp(),
  ended_at timestamp with time zone,
  constraint redrives_pkey PRIMARY KEY (tenant_id, id),
  constraint redrives_check CHECK (((state = 'running'::text) = (ended_at IS NULL))),
  constraint redrives_per_second_check CHECK (((per_second >= 1) AND (per_second <= 1000))),
  constraint redrives_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'cancelled'::text])))
);
CREATE INDEX redrives_ended ON public.redrives USING btree (ended_at) WHERE (state <> 'running'::text);
CREATE INDEX redrives_open ON public.redrives USING btree (due_at) WHERE (state = 'running'::text);

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
  quiet_hours jsonb not null default '{}'::jsonb,
  events_pruned_xid xid8,
  events_pruned_id uuid,
  retention_days integer,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_external_id_key UNIQUE (external_id),
  constraint tenants_events_pruned CHECK (((events_pruned_xid IS NULL) = (events_pruned_id IS NULL))),
  constraint tenants_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 128))),
  constraint tenants_monthly_quota_check CHECK ((monthly_quota >= 0)),
  constraint tenants_request_burst_check CHECK (((request_burst >= 1) AND (request_burst <= 1000000))),
  constraint tenants_requests_per_second_check CHECK (((requests_per_second >= 1) AND (requests_per_second <= 100000))),
  constraint tenants_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 36500)))
);
CREATE INDEX tenants_keywords ON public.tenants USING btree (id) WHERE (consent_keywords IS NOT NULL);

create table tickets (
  hash bytea not null,
  tenant_id uuid not null,
  user_id text,
  key_id uuid,
  scopes text[] not null,
  session_until timestamp with time zone,
  expires_at timestamp with time zone not null,
  constraint tickets_pkey PRIMARY KEY (hash),
  constraint tickets_check CHECK (((user_id IS NOT NULL) OR (key_id IS NOT NULL))),
  constraint tickets_hash_check CHECK ((length(hash) = 32))
);
CREATE INDEX tickets_expiry ON public.tickets USING btree (expires_at);

create table wamids (
  tenant_id uuid not null,
  wamid text not null,
  message_id uuid not null,
  constraint wamids_pkey PRIMARY KEY (tenant_id, wamid)
);

create table webhook_attempts (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  delivery_id uuid not null,
  attempt smallint not null,
  started_at timestamp with time zone not null,
  took_ms integer not null,
  status integer,
  detail text not null,
  answer text,
  constraint webhook_attempts_pkey PRIMARY KEY (tenant_id, endpoint_id, delivery_id, attempt)
);

create table webhook_deliveries (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null,
  kind text not null default 'event'::text,
  event_xid xid8,
  event_id uuid not null,
  event_type text not null,
  conversation_id uuid,
  state text not null default 'pending'::text,
  tries smallint not null default 0,
  due_at timestamp with time zone,
  tried_at timestamp with time zone,
  took_ms integer,
  status integer,
  detail text,
  created_at timestamp with time zone not null default clock_timestamp(),
  ended_at timestamp with time zone,
  constraint webhook_deliveries_pkey PRIMARY KEY (tenant_id, endpoint_id, id),
  constraint webhook_deliveries_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
  constraint webhook_deliveries_check1 CHECK (((state = 'pending'::text) OR (due_at IS NULL))),
  constraint webhook_deliveries_check2 CHECK (((due_at IS NOT NULL) OR (state <> 'pending'::text) OR (conversation_id IS NOT NULL))),
  constraint webhook_deliveries_kind_check CHECK ((kind = ANY (ARRAY['event'::text, 'replay'::text, 'test'::text]))),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
) with (autovacuum_vacuum_cost_delay=0, autovacuum_vacuum_scale_factor=0.02, fillfactor=70);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (tenant_id, endpoint_id, due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX webhook_deliveries_failed ON public.webhook_deliveries USING btree (tenant_id, endpoint_id, id) WHERE (state = 'failed'::text);
CREATE INDEX webhook_deliveries_line ON public.webhook_deliveries USING btree (tenant_id, endpoint_id, conversation_id, event_xid, id) WHERE ((state = 'pending'::text) AND (conversation_id IS NOT NULL));

create table webhook_endpoints (
  tenant_id uuid not null,
  id uuid not null,
  url text not null,
  description text,
  enabled boolean not null default true,
  disabled_reason text,
  event_types text[],
  sender_ids uuid[],
  conversation_ids uuid[],
  ordered boolean not null default false,
  secret_sealed bytea not null,
  previous_secret_sealed bytea,
  previous_until timestamp with time zone,
  failing_since timestamp with time zone,
  from_xid xid8 not null default pg_current_xact_id(),
  created_at timestamp with time zone not null default clock_timestamp(),
  updated_at timestamp with time zone not null default clock_timestamp(),
  constraint webhook_endpoints_pkey PRIMARY KEY (tenant_id, id),
  constraint webhook_endpoints_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id)
) with (fillfactor=70);

create table webhook_replays (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null,
  since timestamp with time zone not null,
  until timestamp with time zone not null,
  only_failed boolean not null,
  state text not null default 'running'::text,
  at_xid xid8 not null,
  at_id uuid not null,
  end_xid xid8 not null,
  replayed integer not null default 0,
  due_at timestamp with time zone not null default clock_timestamp(),
  created_at timestamp with time zone not null default clock_timestamp(),
  ended_at timestamp with time zone,
  constraint webhook_replays_pkey PRIMARY KEY (tenant_id, endpoint_id, id),
  constraint webhook_replays_check CHECK (((state = 'running'::text) = (ended_at IS NULL))),
  constraint webhook_replays_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text])))
);
CREATE INDEX webhook_replays_due ON public.webhook_replays USING btree (due_at) WHERE (state = 'running'::text);
CREATE UNIQUE INDEX webhook_replays_running ON public.webhook_replays USING btree (tenant_id, endpoint_id) WHERE (state = 'running'::text);
