import { migrations } from '../../db/migrate.ts';
import type { Queryable } from '../../db/pool.ts';
import { OLDEST_SERVER } from '../../db/server-version.ts';
import type { Config } from '../../runtime/settings.ts';
import { openCanary } from './canary.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A transaction that changes something and stays open for so long holds events back that readers wait for. Seconds. */
const LONG = 60;
/** Milliseconds that two clocks may be apart. Leases and due times are by the database's clock. */
const SKEW = { warn: 1_000, fail: 10_000 };

/** The database's version, schema, settings, sessions, clock, and the key of its secrets. */
export async function checkDatabase(db: Queryable, where: string, config: Config): Promise<Finding[]> {
  const server = await checkServer(db, where);
  if (server.status === 'fail') return [server];
  const schema = await checkSchema(db);
  const clock = await checkClock(db);
  const rest = [
    await checkDurability(db),
    await checkConnections(db, config),
    await checkLong(db, LONG, !isEmpty(schema)),
    clock,
  ];
  if (schema.status === 'fail' || isEmpty(schema)) return [server, schema, ...rest];
  return [server, schema, ...rest, await checkKey(db, config)];
}

function isEmpty(schema: Finding): boolean {
  return schema.message.startsWith('empty');
}

const version = {
  name: 'doctor_version',
  text: `
select current_setting('server_version_num')::integer as number, current_setting('server_version') as text,
  has_schema_privilege('public', 'create') as may_create`,
};

async function checkServer(db: Queryable, where: string): Promise<Finding> {
  const [row] = await db.query<{ number: number; text: string; may_create: boolean }>(version);
  const message = `PostgreSQL ${row?.text} at ${where}`;
  if ((row?.number ?? 0) < OLDEST_SERVER) {
    return fail('database', `${message} is too old`, 'use a PostgreSQL of 15 or newer');
  }
  if (!row?.may_create) {
    return fail(
      'database',
      `${message}: the role may not make tables`,
      'let the role own the database: ALTER DATABASE … OWNER TO …',
    );
  }
  return ok('database', message);
}

const hasRecord = { name: 'doctor_has_record', text: "select to_regclass('public.migrations') is not null as yes" };
const newest = { name: 'doctor_newest', text: 'select max(number) as number from migrations' };

async function checkSchema(db: Queryable): Promise<Finding> {
  const [has] = await db.query<{ yes: boolean }>(hasRecord);
  if (!has?.yes) return ok('schema', 'empty: the first start makes the tables');
  const [row] = await db.query<{ number: number | null }>(newest);
  const [found, own] = [row?.number ?? 0, migrations().length];
  if (found > own) {
    return fail('schema', `it is of a newer program (${found}, this one knows ${own})`, 'start the newer Aldis');
  }
  if (found < own) {
    return warn(
      'schema',
      `it is at ${found} of ${own}`,
      'back up, then start, which brings it up to date (or: aldis migrate)',
    );
  }
  return ok('schema', `it is at ${found} of ${own}`);
}

const settings = {
  name: 'doctor_settings',
  text: `
select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit, pg_is_in_recovery() as replica`,
};

/** A 202 is a promise only as far as the database keeps what it committed. */
async function checkDurability(db: Queryable): Promise<Finding> {
  const [row] = await db.query<Record<string, unknown>>(settings);
  if (row?.['replica'] === true) {
    return fail('durability', 'this is a replica: nothing can be written', 'name the primary in ALDIS_DATABASE_URL');
  }
  const off = Object.entries(row ?? {}).flatMap(([name, value]) => (value === 'off' ? [name] : []));
  if (off.length === 0) return ok('durability', 'what is committed survives a power cut');
  return warn(
    'durability',
    `${off.join(', ')} off: a power cut may lose accepted messages`,
    `switch it on in postgresql.conf`,
  );
}

const connections = {
  name: 'doctor_connections',
  text: `
select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as most,
  (select count(*) from pg_stat_activity where backend_type = 'client backend' and application_name <> 'aldis') as others`,
};

async function checkConnections(db: Queryable, config: Config): Promise<Finding> {
  const [row] = await db.query<{ most: number; others: number }>(connections);
  const [most, others] = [row?.most ?? 0, row?.others ?? 0];
  const wanted = config.database.max_connections + 1;
  const message = `${most} allowed, ${others} of other programs, up to ${wanted} for each instance`;
  if (most - others >= wanted) return ok('connections', message);
  return warn('connections', message, 'raise max_connections of PostgreSQL, or lower database.max_connections');
}

// An ordinary role is not told since when another's transaction is open. What came behind it tells for how long at least: the
// oldest event that readers may not see for it. A transaction of another database holds nothing back, unless it is prepared.
const long = {
  name: 'doctor_long',
  text: `
select * from (
  select 'session' as kind,
    coalesce(nullif(application_name, ''), usename, '') || ' (pid ' || pid || ')' as who,
    extract(epoch from clock_timestamp() - xact_start)::integer as seconds,
    (select x::text from pg_snapshot_xip(pg_current_snapshot()) x where x::xid = backend_xid) as xid
  from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid() and datname = current_database()
  union all
  select 'prepared', gid, extract(epoch from clock_timestamp() - prepared)::integer, null from pg_prepared_xacts
) as open order by seconds desc nulls last limit 20`,
};

const heldBack = {
  name: 'doctor_held_back',
  text: `
select coalesce(extract(epoch from clock_timestamp())
  - min(('x' || substr(replace(first.id::text, '-', ''), 1, 12))::bit(48)::bigint) / 1000.0, 0)::integer as seconds
from tenants t cross join lateral (
  select e.id from events e where e.tenant_id = t.id and e.xid >= $1::text::xid8 order by e.xid, e.id limit 1) as first`,
};

/** The longest transaction with a number that has been open for at least so many seconds. `withTables`: there is a schema. */
export async function checkLong(db: Queryable, seconds: number, withTables = true): Promise<Finding> {
  const open = await db.query<{ kind: string; who: string; seconds: number | null; xid: string | null }>(long);
  const known = open.find((one) => one.seconds !== null && one.seconds >= seconds);
  if (known) return held(known, known.seconds ?? 0);
  // What has no number in the snapshot began after all that can be seen.
  const hidden = open.filter((one) => one.seconds === null && one.xid !== null);
  for (const one of withTables ? hidden : []) {
    const [row] = await db.query<{ seconds: number }>(heldBack, [one.xid]);
    if (row !== undefined && row.seconds > 0 && row.seconds >= seconds) return held(one, row.seconds);
  }
  return ok('long transactions', 'none holds events back');
}

function held({ kind, who }: { kind: string; who: string }, seconds: number): Finding {
  return warn(
    'long transactions',
    `${who} has been writing for ${seconds} s: events that came since wait for it`,
    kind === 'prepared'
      ? `commit or roll back the prepared transaction ${who}`
      : 'end it there, or with pg_terminate_backend',
  );
}

const clock = { name: 'doctor_clock', text: 'select extract(epoch from clock_timestamp()) * 1000 as now' };

async function checkClock(db: Queryable): Promise<Finding> {
  const before = Date.now();
  const [row] = await db.query<{ now: string }>(clock);
  const after = Date.now();
  const skew = Math.round(Number(row?.now) - (before + after) / 2);
  const apart = Math.max(0, Math.abs(skew) - (after - before) / 2);
  const message = `the database's clock is ${Math.abs(skew)} ms ${skew < 0 ? 'behind' : 'ahead of'} this machine's`;
  const advice = 'let both machines follow a time server (chrony, systemd-timesyncd)';
  if (apart > SKEW.fail) return fail('clock', message, advice);
  return apart > SKEW.warn ? warn('clock', message, advice) : ok('clock', message);
}

async function checkKey(db: Queryable, config: Config): Promise<Finding> {
  const named = config.secrets.encryption_keys.length > 0;
  const place = named ? 'ALDIS_SECRETS_ENCRYPTION_KEYS' : `secret.key in ${config.data_dir}`;
  const state = await openCanary(db, config);
  if (state === 'right') return ok('encryption key', `${place} opens the stored secrets`);
  if (state === 'unused') return ok('encryption key', 'nothing is sealed yet');
  const message = state === 'missing' ? 'there is none' : `${place} does not open the stored secrets`;
  return fail(
    'encryption key',
    message,
    'restore secret.key from your backup into the data folder, or name the right keys in ALDIS_SECRETS_ENCRYPTION_KEYS',
  );
}
