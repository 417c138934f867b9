-- How far the log may be read: below every transaction of this database that is still under way. pg_snapshot_xmin says it of the
-- whole server, so that a long transaction in another database would hold events back. A transaction stays in its database: one
-- that is seen in another may be passed over, however much later that is looked at. Whatever is not seen any more counts. Every role
-- may see a backend's database and transaction, if not what it does.
create function event_horizon() returns xid8 language plpgsql stable parallel restricted as $$
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
end $$;
