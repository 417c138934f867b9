import type { Queryable } from '../../db/pool.ts';
import { adviceOf, type Pause } from '../../domain/pause.ts';
import { type Finding, ok, warn } from './finding.ts';

type PauseRow = Pick<Pause, 'scope' | 'key' | 'cause' | 'code' | 'title'> & {
  /** The sender's, of a pause of one. */
  name: string | null;
  /** Times in UTC, as the API writes them. */
  opened: string;
  probe: string | null;
};

/** Holds of each kind that are told of, the newest first. */
const MOST = 50;
const UTC = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;

const findHolding = {
  name: 'doctor_pauses',
  text: `
select p.scope, p.key, p.cause, p.code, p.title, s.name,
  to_char(p.opened_at at time zone 'UTC', ${UTC}) as opened, to_char(p.probe_at at time zone 'UTC', ${UTC}) as probe
from pauses p left join senders s on p.scope = 'sender' and s.tenant_id = p.tenant_id and s.id::text = p.key
where p.scope in ('country', 'sender', 'account', 'app', 'provider') order by p.id desc limit $1`,
};

const findStopped = {
  name: 'doctor_stopped_tenants',
  text: 'select id, name from tenants where not processing order by id desc limit $1',
};

/** What holds messages back although the server is well: queues that stand still, and tenants that were stopped. */
export async function checkHolds(db: Queryable): Promise<Finding[]> {
  const pauses = await db.query<PauseRow>(findHolding, [MOST]);
  const stopped = await db.query<{ id: string; name: string }>(findStopped, [MOST]);
  const findings = [...pauses.map(pauseFinding), ...stopped.map(stoppedFinding)];
  return findings.length > 0 ? findings : [ok('holds', 'no queue stands still, and no tenant is stopped')];
}

function pauseFinding({ scope, key, cause, code, title, name, opened, probe }: PauseRow): Finding {
  const whose = scope === 'provider' ? 'all that goes to WhatsApp' : `${scope} ${name ?? key}`;
  const until = probe === null ? 'until somebody mends it' : `tried again at ${probe}`;
  const what = `the queue of ${whose} stands still since ${opened}, ${until}: ${title}`;
  const advice = adviceOf({ cause, code }) ?? 'look at what still waits: aldis pause list';
  return warn(`pause ${cause}`, code === null ? what : `${what} (error ${code})`, advice);
}

function stoppedFinding({ id, name }: { id: string; name: string }): Finding {
  const what = 'sending is stopped, by a person or by a restore: its messages wait';
  return warn(`tenant ${name}`, what, `aldis tenant change ${id} --processing yes`);
}
