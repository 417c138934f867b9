-- Pages of lists of conversations cost the same however many there are.

-- Which of twelve lists of a user a conversation is on: by type, open or closed, and whether anything was said there.
create function conversation_list(type text, closed_at timestamptz, last_message_at timestamptz) returns smallint language sql immutable as $$
  select (case type when 'customer' then 0 when 'direct' then 4 else 8 end
    + case when closed_at is null then 0 else 2 end + case when last_message_at is null then 1 else 0 end)::smallint
$$;

-- The two minutes in which something was last said; where nothing was, exactly when the conversation was made: many may be made at once.
create function conversation_slot(last_message_at timestamptz, created_at timestamptz) returns timestamptz language sql immutable as $$
  select coalesce(date_bin('2 minutes', last_message_at, timestamptz '2000-01-01 00:00:00+00'), created_at)
$$;

-- Both stand with who is in it, so that an index has each list of each user in its order, but for what happened within two minutes. A
-- message writes them when it is the first of such a time.
alter table participants add column list smallint, add column slot timestamptz;
update participants p set list = conversation_list(v.type, v.closed_at, v.last_message_at),
  slot = conversation_slot(v.last_message_at, v.created_at)
from conversations v where v.tenant_id = p.tenant_id and v.id = p.conversation_id;
delete from participants where list is null; -- of no conversation
alter table participants alter column list set not null, alter column slot set not null;
-- Nothing else asks for "list >= 0": whoever looks for one participant finds him by the key, even if he is in very many conversations.
create index participants_list on participants (tenant_id, user_id, list, slot) where left_at is null and list >= 0;
drop index participants_user;

-- How many are in it.
alter table conversations add column participant_count integer not null default 0 check (participant_count >= 0);
update conversations v set participant_count = p.n
from (select tenant_id, conversation_id, count(*) as n from participants where left_at is null group by 1, 2) p
where p.tenant_id = v.tenant_id and p.conversation_id = v.id;

create function move_on_lists() returns trigger language plpgsql as $$
begin
  update participants set list = conversation_list(new.type, new.closed_at, new.last_message_at),
    slot = conversation_slot(new.last_message_at, new.created_at)
  where tenant_id = new.tenant_id and conversation_id = new.id and left_at is null;
  return null;
end $$;
create trigger conversations_move after update of last_message_at, closed_at on conversations for each row
  when (new.participant_count > 0 and ((old.closed_at is null) <> (new.closed_at is null)
    or conversation_slot(old.last_message_at, old.created_at) <> conversation_slot(new.last_message_at, new.created_at)
    or (old.last_message_at is null) <> (new.last_message_at is null)))
  execute function move_on_lists();

-- The tenant's list by any filter, the newest made first.
create index conversations_listed on conversations (tenant_id, type, (closed_at is null), id);
drop index conversations_people;
drop index conversations_closed;
