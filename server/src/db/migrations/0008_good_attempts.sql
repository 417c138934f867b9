-- The attempt that a message was sent by stands in the message's own row, which is written then anyway: one row and one entry of an
-- index less for most messages. Set while the outcome of its last attempt is 'sent', told by the answer; those of older messages stay
-- in attempts, as all others do.
alter table messages add column sending_at timestamptz, add column answered_at timestamptz,
  add check ((sending_at is null) = (answered_at is null)),
  add check (sending_at is null or state <> 'queued');

-- A message that waits for another attempt, for it was told later that this one failed, keeps it among the others. After the update: a
-- trigger before it would lock each row that is changed, whatever its condition says.
create function keep_good_attempt() returns trigger language plpgsql as $$
begin
  insert into attempts (tenant_id, message_id, attempt, started_at, ended_at, outcome)
  values (old.tenant_id, old.id, old.attempt, old.sending_at, old.answered_at, 'sent') on conflict do nothing;
  return null;
end $$;
create trigger messages_keep_good_attempt after update of sending_at on messages for each row
  when (old.sending_at is not null and new.sending_at is null) execute function keep_good_attempt();
