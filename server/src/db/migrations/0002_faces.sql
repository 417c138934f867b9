-- What the documented services have beside sending: quotas, limits, paces, a second channel, keys that speak a dialect.

-- Tenants: what they may use, and whether they send at all.
alter table tenants
  add column monthly_quota bigint check (monthly_quota >= 0), -- messages a calendar month, UTC; null: no limit
  add column requests_per_second integer check (requests_per_second between 1 and 100000), -- null: the setting's
  add column request_burst integer check (request_burst between 1 and 1000000), -- null: the setting's
  add column processing boolean not null default true; -- false: stopped by POST /processor/stop, nothing of it leaves

-- Keys.
alter table api_keys
  add column dialect text not null default 'aldis' check (dialect in ('aldis', 'queue')),
  add column last_used_at timestamptz; -- to the minute or so

-- Senders: a business number, or a webhook of the tenant's.
alter table senders drop constraint senders_channel_check;
alter table senders
  alter column app_id drop not null,
  alter column phone_number_id drop not null,
  alter column account_id drop not null,
  alter column phone drop not null,
  alter column access_token_sealed drop not null,
  add column webhook_url text,
  add column webhook_header text, -- the header its key travels in
  add column webhook_key_sealed bytea,
  -- Null in each of these four: what the configuration says.
  add column per_minute integer check (per_minute between 1 and 100000),
  add column per_day integer check (per_day between 1 and 100000000),
  add column batch_size integer check (batch_size between 1 and 100000),
  add column processing_interval_ms integer check (processing_interval_ms between 100 and 86400000),
  add column enabled boolean not null default true, -- false: accepts nothing and sends nothing
  -- Learned from the tenant service, which does not tell its phone and account.
  add column from_outlet boolean not null default false,
  -- What the provider's API said when it was last asked. Null: not asked yet, and believed to be well.
  add column connected boolean,
  add column connection_detail text,
  add column connection_checked_at timestamptz,
  add constraint senders_channel check (channel in ('whatsapp', 'webhook')),
  add constraint senders_reachable check (
    case channel
      when 'webhook' then webhook_url is not null
      else num_nulls(app_id, phone_number_id, access_token_sealed) = 0
        and (from_outlet or num_nulls(account_id, phone) = 0)
    end);

-- Who sends in a lane.
create index senders_lane on senders (lane_id);

-- Whom to ask about next: the longest ago first, never asked before all.
create index senders_to_check on senders ((coalesce(connection_checked_at, timestamptz '-infinity')))
  where channel = 'whatsapp' and enabled;

-- Who wrote it, as the conversation service is told: llm, agent, bot or user. Null: the request did not say.
alter table messages add column sender_type text check (sender_type in ('llm', 'agent', 'bot', 'user'));

-- What is used of a limit in a window: of a tenant in a month, of a sender on a day. Reserved by the transaction that accepts,
-- given back by the one that ends a message without its having been sent. Each reservation writes the cap it knows as `most`.
create table limit_use (
  tenant_id uuid not null,
  scope_id uuid not null, -- the tenant's own id, or the sender's
  starts_at timestamptz not null,
  used bigint not null,
  most bigint not null,
  primary key (tenant_id, scope_id, starts_at),
  constraint limit_use_within check (used between 0 and most)
) with (fillfactor = 50);
create index limit_use_age on limit_use (starts_at);

-- Changes of `used` that are not counted in yet: -1 for each message that ended without having been sent, +1 for one that was
-- sent after all. Whoever reserves next counts them in. Written apart, so that nobody who settles sends waits for who accepts.
create table limit_changes (
  tenant_id uuid not null,
  scope_id uuid not null,
  starts_at timestamptz not null,
  id bigint generated always as identity,
  n integer not null,
  primary key (tenant_id, scope_id, starts_at, id)
);

-- Of which limits a message holds a place: 1 its tenant's month, 2 its sender's day. Null: of none.
alter table messages add column reserved smallint check (reserved between 1 and 3);

create function note_limit_change() returns trigger language plpgsql as $$
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
end $$;

-- The one place where places are given back, whichever way a message ended; failed, cancelled and expired are the last states.
create trigger messages_limit_change after update of state on messages for each row
  when (new.reserved is not null and (old.state > 'played') <> (new.state > 'played'))
  execute function note_limit_change();

-- What a paced sender has sent in its window, written by the transaction that records the attempts.
create table sender_pace (
  tenant_id uuid not null,
  sender_id uuid not null,
  kind text not null check (kind in ('minute', 'batch')),
  window_started_at timestamptz not null,
  used integer not null,
  primary key (tenant_id, sender_id, kind)
) with (fillfactor = 50);

-- How far a consumer has read a tenant's events. The row of the tenant 00000000-… says where it began: new tenants begin there.
create table event_consumers (
  tenant_id uuid not null,
  consumer text not null,
  xid xid8 not null,
  event_id uuid not null,
  held_by uuid, -- the instance that reads now
  held_until timestamptz, -- nobody else reads before; in the past: when it was last read
  primary key (tenant_id, consumer)
) with (fillfactor = 50);

-- Customers' messages that were read here, and of which WhatsApp is still to be told.
create table read_marks (
  tenant_id uuid not null,
  message_id uuid not null,
  sender_id uuid not null,
  wamid text not null,
  tries smallint not null default 0,
  due_at timestamptz not null default clock_timestamp(), -- when it may be told; while it is being told, when to try again
  primary key (tenant_id, message_id)
) with (fillfactor = 70);
create index read_marks_due on read_marks (due_at);
