import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../server/src/db/pool.ts';
import { type LoadClient, openLoad } from '../src/load.ts';
import { until } from '../src/wait.ts';
import { compareCauses } from './acknowledged.ts';
import { type Member, numbersOf, startCluster } from './cluster.ts';
import { judgeCluster } from './cluster-verdict.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { seeded } from './random.ts';
import { plainMessage, steadyLoad } from './steady-load.ts';

/*
 * freeze: an owner of lanes is stopped (SIGSTOP) in the middle of its calls until others have its lanes, and goes on (SIGCONT).
 *
 * The attempts that it had begun and not settled are read while it stands still. When it goes on it settles each of them, and each
 * of these writes must be refused and counted by it: the message's history knows no outcome of that attempt that came from there.
 * What is acknowledged is at the provider once.
 */

const INSTANCES = 3;
const SENDERS = 6;
/** The provider answers so late, so that calls are under way at any time. Milliseconds. */
const SLOW_MS = 400;
/** Its receipts come later than that, for a receipt closes its attempt before the call has ended. Milliseconds. */
const RECEIPTS_MS = 1500;
/** What had left the process when it was stopped is through by then. Milliseconds. */
const SETTLING_MS = 250;
const TAKEN_OVER_WITHIN_MS = 20_000;
const COUNTED_WITHIN_MS = 15_000;

interface Attempt {
  tenant_id: string;
  message_id: string;
  attempt: number;
}

export async function freeze({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const random = seeded(seed);
  const plan = short ? { freezes: 4, perSecond: 40 } : { freezes: 100, perSecond: 60 };
  await using cluster = await startCluster({
    instances: INSTANCES,
    senders: SENDERS,
    env: short ? { ALDIS_ENGINE_DOUBT_GRACE: '8s', ALDIS_ENGINE_LEASE: '3s', ALDIS_ENGINE_LEASE_RENEWAL: '900ms' } : {},
  });
  const { members, db, senders, credentials, simulator } = cluster;
  const receipts = ['sent', 'delivered', 'read'];
  const late = { kind: 'webhook_delay', delay: RECEIPTS_MS, kinds: receipts };
  await simulator.control('PUT', 'faults', { rules: [{ kind: 'slow', delay: SLOW_MS }, late] });
  const load = steadyLoad({
    url: credentials.url,
    apiKey: credentials.api_key,
    perSecond: plan.perSecond,
    body: (n) => plainMessage(`drill ${n}`, senders[n % senders.length]),
  });
  await using api = openLoad(credentials.url, 4, { authorization: `Bearer ${credentials.api_key}` });
  const breaches: string[] = [];
  let open = 0;
  let counted = 0;
  let frozen = 0;
  while (frozen < plan.freezes) {
    const one = await anOwner(db, members, random.pick(members));
    const found = await freezeOnce(db, api, one, breaches);
    frozen++;
    open += found.open;
    counted += found.counted;
    log(`${one.name}: ${found.open} attempts were open, ${found.counted} late writes were refused and counted`);
    await sleep(random.integer(200, 800));
  }
  if (open === 0) breaches.push('no instance was stopped in the middle of a call');
  const last = performance.now();
  await load.stop();
  await simulator.control('DELETE', 'faults');
  const begins = await Promise.all(members.map((one) => one.metric('aldis_stale_writes_total')));
  const judged = await judgeCluster(cluster, load, last, log, breaches);
  return {
    drill: 'freeze',
    seed,
    short,
    counts: {
      freezes: frozen,
      attempts_open: open,
      stale_settles_counted: counted,
      stale_begins_counted: begins.reduce((sum, n) => sum + n, 0),
      ...judged,
    },
    breaches,
  };
}

/** The member, once it owns lanes and has begun something. */
async function anOwner(db: Db, members: readonly Member[], wanted: Member): Promise<Member> {
  return until(
    'an instance that owns lanes and sends',
    async () => {
      for (const one of [wanted, ...members]) {
        if (one.up && (await openAttempts(db, one)).length > 0) return one;
      }
      return null;
    },
    { deadlineMs: 60_000, everyMs: 20 },
  );
}

async function freezeOnce(
  db: Db,
  api: LoadClient,
  one: Member,
  breaches: string[],
): Promise<{ open: number; counted: number }> {
  const before = await one.metric('aldis_stale_settles_total');
  const pid = one.child?.pid ?? 0;
  one.signal('SIGSTOP');
  try {
    await sleep(SETTLING_MS);
    const attempts = await openAttempts(db, one);
    await compareCauses(
      (path) => api.ask(path),
      attempts.map((a) => a.message_id),
      [],
      breaches,
    );
    await until('others to take the lanes', async () => (await numbersOf(db, pid)).length === 0 || null, {
      deadlineMs: TAKEN_OVER_WITHIN_MS,
    }).catch((error: unknown) => breaches.push(`${one.name} stood still: ${error}`));
    // Nothing of these is settled by another instance but by receipts, or by a policy that says so.
    one.signal('SIGCONT');
    let counted = 0;
    await until(
      'late writes to be counted',
      async () => {
        counted = (await one.metric('aldis_stale_settles_total')) - before;
        return counted >= attempts.length || null;
      },
      { deadlineMs: COUNTED_WITHIN_MS, everyMs: 100 },
    ).catch(() => breaches.push(`${one.name} had ${attempts.length} attempts open and counted ${counted} late writes`));
    const settled = await settledByCall(db, attempts);
    if (settled > 0) breaches.push(`${settled} attempts were settled by an instance that had lost their lane`);
    return { open: attempts.length, counted };
  } finally {
    one.signal('SIGCONT');
  }
}

/** The attempts whose outcome the instance has not written. */
function openAttempts(db: Db, one: Member): Promise<Attempt[]> {
  return db.query<Attempt>(
    {
      name: 'drill_open_attempts',
      text: `select d.tenant_id, d.message_id, d.attempt from instances i join lanes l on l.owner = i.id
        join due d on d.lane_id = l.id and d.state = 'sending' where i.description like '% ' || $1`,
    },
    [String(one.child?.pid ?? 0)],
  );
}

/** How many of them have an outcome that only the call's own answer tells. */
async function settledByCall(db: Db, attempts: readonly Attempt[]): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    {
      name: 'drill_settled_by_call',
      text: `select count(*)::int as n from unnest($1::uuid[], $2::uuid[], $3::int[]) as i(tenant_id, message_id, attempt)
        where exists (select from messages m where m.tenant_id = i.tenant_id and m.id = i.message_id and m.attempt = i.attempt
            and m.sending_at is not null)
          or exists (select from attempts a where a.tenant_id = i.tenant_id and a.message_id = i.message_id
            and a.attempt = i.attempt and a.outcome in ('sent', 'retry', 'refused'))`,
    },
    [attempts.map((a) => a.tenant_id), attempts.map((a) => a.message_id), attempts.map((a) => a.attempt)],
  );
  return row?.n ?? 0;
}
