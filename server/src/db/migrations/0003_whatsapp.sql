-- WhatsApp, whole: apps and accounts, templates, media, the customer's side, exports.

-- Apps: while a secret is being changed, webhooks may be signed with the one before.
alter table apps
  add column meta_app_id text,
  add column previous_secret_sealed bytea,
  add column previous_until timestamptz;

-- A WhatsApp Business Account of a tenant. Its token reads and manages what belongs to it; its numbers are senders.
create table accounts (
  tenant_id uuid not null references tenants (id),
  id text not null check (id ~ '^[0-9]{5,20}$'), -- the id of WhatsApp
  app_id text not null references apps (id),
  portfolio_id text,
  name text,
  add_numbers boolean not null default true, -- whether each of its numbers becomes a sender, or only those that somebody makes
  access_token_sealed bytea not null,
  -- What the provider said of the token when it was last asked. Null: not asked yet.
  token_valid boolean,
  token_detail text,
  token_expires_at timestamptz,
  review_status text,
  messaging_limit text, -- TIER_250 and its like: unique users in 24 hours, shared by the portfolio
  -- Whether webhooks of the account come to its app: what is wanted, and what the provider said.
  subscribe_wanted boolean not null default true,
  subscribed boolean,
  synced_at timestamptz, -- numbers, names, limits: last read from the provider
  templates_synced_at timestamptz, -- null: its templates were never read, and nobody knows which there are
  templates_due_at timestamptz not null default clock_timestamp(), -- when its templates are to be read again
  templates_tries smallint not null default 0, -- how often that failed since it last went well
  checked_at timestamptz, -- the provider was last asked, whatever came of it
  sync_detail text, -- why it could not be read; null: it could
  sync_due_at timestamptz not null default clock_timestamp(),
  sync_tries smallint not null default 0, -- that failed since it was last read
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
-- Webhooks name the account, not the tenant.
create unique index accounts_account on accounts (app_id, id);
create index accounts_sync on accounts (sync_due_at);
create index accounts_templates on accounts (templates_due_at);

-- What the provider told of an account and nobody asked for: alerts, restrictions, reviews. Newest first by id.
create table account_alerts (
  tenant_id uuid not null,
  account_id text not null,
  id uuid not null,
  field text not null, -- the webhook's field: account_alerts, account_update, security, …
  payload jsonb not null,
  primary key (tenant_id, account_id, id)
);

-- Senders: what is read from the provider, and what is done outside the customer's window.
alter table senders
  add column verified_name text,
  add column name_status text,
  add column quality text, -- GREEN, YELLOW, RED, UNKNOWN
  add column throughput text, -- STANDARD, HIGH, COEXISTENCE
  add column own_rate boolean not null default false, -- messages_per_second was set by a person: throughput does not change it
  add column outside_window text not null default 'refuse' check (outside_window in ('refuse', 'send'));
create index senders_account on senders (tenant_id, account_id) where account_id is not null;
create index senders_app_account on senders (app_id, account_id) where account_id is not null;
-- What a person set stays.
update senders set own_rate = true where messages_per_second <> 80;

-- The due work of a sender is looked after until then, and once more: after a new token what waits for it goes on; after a
-- move to another lane what is still due in the one before follows.
alter table senders
  add column tend_until timestamptz,
  add column previous_lane_id integer references lanes (id);
create index senders_tend on senders (tend_until) where tend_until is not null;

-- Templates as the provider has them, and what is to be told it of them.
create table templates (
  tenant_id uuid not null,
  account_id text not null,
  id uuid not null,
  provider_id text, -- null: not submitted yet
  name text not null,
  language text not null,
  -- SUBMITTING: the provider has not been told yet. REFUSED: it did not take it. The others are the provider's words.
  status text not null,
  category text not null check (category in ('utility', 'authentication', 'marketing')),
  quality text,
  parameter_format text not null default 'POSITIONAL' check (parameter_format in ('POSITIONAL', 'NAMED')),
  components jsonb not null,
  reason text, -- why it was rejected, paused or refused
  refusal jsonb, -- {code, subcode, title, detail}: what the provider said when it did not take a creation or an edit
  -- When the provider said what is written here, by our clock: what was said before does not replace it.
  status_at timestamptz,
  quality_at timestamptz,
  category_at timestamptz,
  edits timestamptz[] not null default '{}', -- when it was edited from here, in the last 30 days
  -- What the provider is to be told, with what, and when to try next.
  intent text check (intent in ('create', 'edit', 'delete', 'unpause')),
  intent_payload jsonb,
  intent_due_at timestamptz,
  intent_tries smallint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
create unique index templates_name on templates (tenant_id, account_id, name, language);
create index templates_provider on templates (tenant_id, provider_id) where provider_id is not null;
create index templates_intent on templates (intent_due_at) where intent is not null;
create index templates_unsent on templates (tenant_id, id) where status not in ('APPROVED', 'FLAGGED');

-- A message whose template is paused waits: `held` says why, and no claim walks over it.
alter table due
  add column template_id uuid,
  add column held text check (held in ('template'));
drop index due_queued;
create index due_queued on due (lane_id, sender_id, priority, due_at, message_id) where state = 'queued' and held is null;
-- Two halves again: those that are to be held are not looked for among those that are.
create index due_template on due (tenant_id, template_id) where template_id is not null and held is null;
create index due_held on due (tenant_id, template_id) where held is not null;

-- The template that goes instead when the customer's window is closed; and what customers did to a message later.
alter table messages
  add column fallback jsonb,
  add column reactions jsonb, -- [{by, from, emoji, at}]: customers', one a contact; emoji null: taken back
  add column edited_at timestamptz,
  add column deleted_at timestamptz;

-- When the customer was last to be shown that an answer is being written: told with the mark, while it is fresh.
alter table read_marks add column typing_at timestamptz;

-- Contacts: profile, consent.
alter table contacts
  add column profile_name text, -- what the customer calls himself on WhatsApp; `name` is the tenant's
  add column username text,
  add column language text,
  add column marketing_consent text check (marketing_consent in ('in', 'out')), -- null: never said
  add column contact_consent text check (contact_consent in ('in', 'out')), -- out: nothing at all is sent
  add column updated_at timestamptz;
-- Which messages a person gets none of: 1 marketing, 2 any. A copy of the contact's consent, where accepting looks anyway.
alter table contact_identities add column suppressed smallint not null default 0 check (suppressed between 0 and 3);
-- Since when the name is the contact's no more: the number or id was given up. It finds him until somebody else has it.
alter table contact_identities add column left_at timestamptz;
-- Of a business-scoped user id that came with a message: the lane, hence the portfolio, that it is scoped to.
alter table contact_identities add column lane_id integer;
create index contact_identities_contact on contact_identities (tenant_id, contact_id);

-- Who agreed to what, when and how; who refused. Never changed.
create table consents (
  tenant_id uuid not null,
  contact_id uuid not null,
  id uuid not null,
  scope text not null check (scope in ('marketing', 'all')),
  state text not null check (state in ('in', 'out')),
  source text not null check (source in ('keyword', 'api', 'whatsapp', 'import')),
  detail text, -- the keyword, or what the API's caller says
  message_id uuid,
  at timestamptz not null, -- when it was said: the latest of a scope holds
  primary key (tenant_id, contact_id, id)
);
-- What was written lately, of all tenants: ids begin with their time.
create index consents_age on consents (id);

-- Words by which customers of a tenant opt out and in: {opt_out: [], opt_in: []}. Null: those of the configuration.
alter table tenants add column consent_keywords jsonb;
create index tenants_keywords on tenants (id) where consent_keywords is not null;

-- Customers whom a sender lets write no more, and what the provider is still to be told of it.
create table blocked_users (
  tenant_id uuid not null,
  sender_id uuid not null,
  contact_id uuid not null,
  blocked boolean not null, -- what is wanted
  confirmed boolean, -- what the provider has; null: not told yet
  detail text,
  tries smallint not null default 0,
  due_at timestamptz, -- when the provider is to be told; null: nothing is to be told
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, sender_id, contact_id)
);
create index blocked_users_due on blocked_users (due_at) where due_at is not null;

-- Files that the tenant has: uploaded, fetched from a URL, or sent by customers. One copy a content.
create table media (
  tenant_id uuid not null,
  id uuid not null,
  sha256 bytea not null check (length(sha256) = 32),
  size bigint not null,
  mime_type text not null, -- by content, not by name
  kind text not null, -- image, video, audio, document, sticker: as what WhatsApp takes it
  animated boolean, -- of stickers
  source text not null check (source in ('upload', 'url', 'inbound')),
  filename text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
create unique index media_content on media (tenant_id, sha256);

-- The provider's own id of a file, for each sender; good until it expires there.
create table media_uploads (
  tenant_id uuid not null,
  sender_id uuid not null,
  media_id uuid not null,
  provider_id text not null,
  uploaded_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (tenant_id, sender_id, media_id)
);

-- Bytes in the store that no row of media holds any more. While they are being removed nothing of the same content is noted.
create table media_removals (
  tenant_id uuid not null,
  sha256 bytea not null,
  taken boolean not null default false,
  due_at timestamptz not null,
  primary key (tenant_id, sha256)
);
create index media_removals_due on media_removals (due_at);

-- Customers' files that are still to be fetched: their URL lives five minutes, their id seven days.
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
  due_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, message_id)
) with (fillfactor = 70);
create index media_fetches_due on media_fetches (due_at);

-- The file of a message's content has place 0; those that its template, fallback or buttons name follow.
alter table media_references add column media_id uuid, add column place smallint not null default 0,
  drop constraint media_references_pkey, add primary key (tenant_id, message_id, place);
create index media_references_media on media_references (tenant_id, media_id) where media_id is not null;

-- A list that is written to a file: part by part, so that a restart goes on after the last one.
create table exports (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('messages', 'contacts')),
  format text not null check (format in ('csv', 'jsonl')),
  bom boolean not null default false, -- whether the file begins with a byte order mark
  asked jsonb not null, -- the filter as the request has it
  filter jsonb not null, -- the same as it is looked for, with our own ids
  state text not null default 'queued' check (state in ('queued', 'running', 'complete', 'failed', 'cancelled')),
  total bigint, -- how many rows there were when it was asked for; null: nobody counted
  rows bigint not null default 0,
  parts integer not null default 0,
  size bigint not null default 0,
  position text, -- after which row the next part begins
  tries smallint not null default 0, -- that failed since the last part
  error text,
  held_by uuid,
  held_until timestamptz,
  holds integer not null default 0, -- how often it was taken up: each holder writes files of its own
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  expires_at timestamptz,
  primary key (tenant_id, id)
);
create index exports_open on exports (created_at) where state in ('queued', 'running');
create index exports_expiry on exports (expires_at) where expires_at is not null;
create index exports_leftover on exports (ended_at) where state in ('failed', 'cancelled') and parts > 0;

-- The files of an export, in their order.
create table export_parts (
  tenant_id uuid not null,
  export_id uuid not null,
  part integer not null, -- from 1
  hold integer not null, -- whose file it is, by exports.holds
  rows integer not null,
  size bigint not null,
  primary key (tenant_id, export_id, part),
  foreign key (tenant_id, export_id) references exports (tenant_id, id) on delete cascade
);

-- The key of the first start may what such a key may from now on.
update api_keys set scopes = array(select distinct unnest(scopes || array['accounts:write', 'accounts:read', 'templates:write',
  'templates:read', 'media:write', 'media:read', 'contacts:write', 'contacts:read', 'exports:write']))
where name in ('first start', 'operator');
