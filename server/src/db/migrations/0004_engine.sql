-- The engine: why what is due has not left, pauses of whole queues, users reached by a portfolio, quiet hours, dead letters.

-- Why a queued row waits for its `due_at`: a word of domain/causes.ts. Null: nothing in particular.
alter table due add column cause text;
-- What its owner has put off, so that whoever takes the lane over keeps the order.
create index due_caused on due (lane_id) where cause is not null and state = 'queued' and held is null;

-- What is held for so long that it is too old to be sent.
create index due_held_age on due (lane_id, due_at) where held is not null;

-- A queue that stands still: everything of one sender, of one account, to one country of an account, of one app, or everything for the
-- provider. Its messages are held, not failed.
create table pauses (
  id uuid primary key,
  tenant_id uuid references tenants (id), -- null: whoever's messages; of an app, or of the provider itself
  scope text not null check (scope in ('sender', 'account', 'country', 'app', 'provider')),
  key text not null, -- the sender's id; APP/ACCOUNT; APP/ACCOUNT/COUNTRY; the app's id; the provider's name
  cause text not null, -- a word of domain/causes.ts
  code integer, -- the provider's, where one of its codes tripped it
  title text not null,
  detail text,
  opened_at timestamptz not null default clock_timestamp(),
  probe_at timestamptz, -- when one message is let through to see; null: only a change by a person ends it
  probes integer not null default 0 check (probes >= 0), -- how many found it still shut
  unique (scope, key, cause)
);
create index pauses_tenant on pauses (tenant_id, opened_at);

-- Whom the numbers of a portfolio have written to first, outside a window, and when last: Meta limits them in a moving 24 hours.
create table reached_users (
  lane_id integer not null references lanes (id),
  address text not null,
  reached_at timestamptz not null,
  primary key (lane_id, address)
) with (fillfactor = 70);
create index reached_users_age on reached_users (lane_id, reached_at);

-- How many rows of reached_users a lane has, changed by whatever writes them: the one row that two of them at once disagree about.
create table lane_reach (
  lane_id integer primary key references lanes (id),
  users integer not null default 0 check (users >= 0),
  put_off_under integer -- the limit under which messages were put off; null: none were since it was last raised
) with (fillfactor = 50);

-- {"marketing": {"from": "20:00", "to": "08:00"}}: by category, in the recipient's time zone.
alter table tenants add column quiet_hours jsonb not null default '{}';

-- A doubt whose decision was put off: since when, and when a receipt of a later attempt was first seen. What was stored by then is
-- applied before anything is decided.
create table doubts (
  tenant_id uuid not null,
  message_id uuid not null,
  attempt smallint not null,
  waiting_since timestamptz not null default clock_timestamp(),
  evident_at timestamptz, -- null: in silence
  primary key (tenant_id, message_id, attempt)
);

-- The messages that are failed, by reason. No index on messages names the state, so they are kept here, by a trigger.
create table dead_letters (
  tenant_id uuid not null,
  message_id uuid not null,
  sender_id uuid not null,
  batch_id uuid,
  word text not null, -- `error` of the message's error
  code integer not null, -- the provider's; 0: none
  uncertain boolean not null, -- an attempt may have arrived
  failed_at timestamptz not null,
  -- All in both indexes: by whichever of them they are walked in its order, the other one is never the cheaper guess.
  primary key (tenant_id, message_id) include (sender_id, batch_id, word, code, uncertain, failed_at)
);
create index dead_letters_reason on dead_letters (tenant_id, word, code, message_id)
  include (sender_id, batch_id, uncertain, failed_at);

create function note_dead_letter() returns trigger language plpgsql as $$
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
end $$;

-- The one place, whichever way a message failed, or turned out not to have.
create trigger messages_dead_letter after update of state on messages for each row
  when ((old.state = 'failed') <> (new.state = 'failed') or (new.state = 'failed' and new.error is distinct from old.error))
  execute function note_dead_letter();

insert into dead_letters
select m.tenant_id, m.id, m.sender_id, m.batch_id, coalesce(m.error ->> 'error', 'send_failed'),
  coalesce((m.error ->> 'code')::int, 0),
  exists (select from attempts a where a.tenant_id = m.tenant_id and a.message_id = m.id and a.outcome in ('resend', 'tell')
    and not exists (select from failures f where f.tenant_id = a.tenant_id and f.message_id = a.message_id
      and f.attempt = a.attempt and f.source = 'receipt')),
  m.failed_at
from messages m where m.state = 'failed';

-- Failed messages that are to be sent again, by a filter, at a pace.
create table redrives (
  tenant_id uuid not null,
  id uuid not null,
  key_id uuid not null, -- who asked for it
  filter jsonb not null,
  per_second integer not null check (per_second between 1 and 1000),
  include_uncertain boolean not null, -- whether those that may have arrived go too
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  after_id uuid, -- the last message that was looked at
  queued bigint not null default 0,
  skipped jsonb not null default '{}', -- how many were left failed, by reason
  due_at timestamptz not null default clock_timestamp(), -- when the next ones are to be made due
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (tenant_id, id),
  check ((state = 'running') = (ended_at is null))
);
create index redrives_open on redrives (due_at) where state = 'running';
create index redrives_ended on redrives (ended_at) where state <> 'running';

-- Which lanes an instance owns, and which have no owner: looked at twice a second by each of several instances.
create index lanes_owner on lanes (owner);
