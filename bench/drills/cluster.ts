import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Db, openPool } from '../../server/src/db/pool.ts';
import type { Child } from '../src/child.ts';
import { temporaryFolder } from '../src/folder.ts';
import { freePort } from '../src/free-port.ts';
import { openLoad } from '../src/load.ts';
import { type Postgres, startPostgres } from '../src/postgres.ts';
import { type Credentials, launchAldis, readCount, readCredentials } from '../src/product.ts';
import { type Simulator, startSimulator } from '../src/simulator.ts';
import { type Front, startFront } from './front.ts';

/**
 * Several instances of Aldis as an operator runs them: one PostgreSQL, the same keys, a data folder each, one address before
 * them for clients and webhooks. One simulator is the provider of all.
 */
export interface Cluster extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly postgres: Postgres;
  readonly front: Front;
  readonly members: readonly Member[];
  /** The database, by a superuser: for the drill's own questions. */
  readonly db: Db;
  readonly credentials: Credentials;
  /** Each is a number in a portfolio, and so a lane, of its own. */
  readonly senders: readonly string[];
}

/** One instance. */
export interface Member {
  readonly name: string;
  readonly url: string;
  /** The process now; null: it was killed and not started again. */
  child: Child | null;
  /** Whether requests are given to it. */
  up: boolean;
  /** Starts it, and resolves when it is ready. */
  start(env?: Record<string, string>): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** The sum of a metric's series. 0 when it does not answer. */
  metric(name: string): Promise<number>;
}

export interface ClusterOptions {
  instances: number;
  senders: number;
  env?: Record<string, string>;
  /** Of one instance, beside the common ones. */
  memberEnv?: (index: number) => Record<string, string>;
  /** Whether PostgreSQL is killed: then what it has committed has to be out of its memory. */
  killsPostgres?: boolean;
  /** For the processes of PostgreSQL. */
  postgresEnv?: (folder: string) => Record<string, string>;
}

/** Nothing here cuts the power: what PostgreSQL has committed need not be on the disk. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder('aldis-cluster'));
  const postgres = stack.use(
    await startPostgres({
      folder: join(folder.path, 'postgres'),
      settings: options.killsPostgres ? { ...SETTINGS, synchronous_commit: 'on' } : SETTINGS,
      env: options.postgresEnv?.(folder.path) ?? {},
    }),
  );
  const db = openPool({ connection: postgres.superuserUrl, max: 2, onError: () => {} });
  stack.defer(() => db.close());
  const simulator = stack.use(await startSimulator());
  const members: Member[] = [];
  let turn = 0;
  const front = stack.use(
    await startFront(() => {
      const up = members.filter((member) => member.up);
      const asked = up.length > 0 ? up : members.filter(({ child }) => child);
      const first = turn++ % Math.max(1, asked.length);
      return [...asked.slice(first), ...asked.slice(0, first)].map(({ url }) => url);
    }),
  );
  const common = {
    ALDIS_DATABASE_URL: postgres.url,
    ALDIS_API_KEY: randomBytes(24).toString('hex'),
    ALDIS_SECRETS_ENCRYPTION_KEYS: `1:${randomBytes(32).toString('base64')}`,
    ALDIS_SERVER_PUBLIC_URL: front.url,
    ALDIS_METRICS_PUBLIC: 'true',
    ALDIS_DEMO_SENDERS: String(options.senders),
    ...options.env,
  };
  for (let i = 0; i < options.instances; i++) {
    const own = join(folder.path, `instance${i}`);
    members.push(
      member(`instance ${i}`, await freePort(), own, simulator.url, { ...common, ...options.memberEnv?.(i) }),
    );
  }
  stack.defer(async () => {
    await Promise.all(members.map((one) => one.kill()));
  });
  const [first, ...others] = members;
  if (!first) throw new RangeError('a cluster has an instance');
  // The first makes the tables and the tenant.
  await first.start();
  await Promise.all(others.map((one) => one.start()));
  const credentials = { ...readCredentials(join(folder.path, 'instance0')), url: front.url };
  const kept = stack.move();
  return {
    ...{ simulator, postgres, front, members, db, credentials },
    senders: credentials.sender_ids ?? [credentials.sender_id],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function member(
  name: string,
  port: number,
  folder: string,
  simulatorUrl: string,
  common: Record<string, string>,
): Member {
  const url = `http://127.0.0.1:${port}`;
  const load = openLoad(url, 1);
  const own: Member = {
    name,
    url,
    child: null,
    up: false,
    async start(env = {}) {
      const child = launchAldis({ folder, simulatorUrl, env: { ...common, ALDIS_SERVER_PORT: String(port), ...env } });
      own.child = child;
      await child.ready;
      own.up = true;
    },
    async kill() {
      own.up = false;
      await own.child?.kill();
      own.child = null;
    },
    signal(signal) {
      own.up = signal === 'SIGCONT';
      if (own.child) process.kill(own.child.pid, signal);
    },
    async metric(metric) {
      const answer = await load.ask('/metrics').catch(() => null);
      return answer?.status === 200 ? readCount(String(answer.body), metric) : 0;
    },
  };
  return own;
}

/** The numbers whose lanes an instance owns, by the process it is. */
export async function numbersOf(db: Db, pid: number): Promise<string[]> {
  const rows = await db.query<{ number: string }>(
    {
      name: 'drill_numbers',
      text: `select s.phone_number_id as number from instances i join lanes l on l.owner = i.id join senders s on s.lane_id = l.id
        where i.description like '% ' || $1 and s.phone_number_id is not null order by 1`,
    },
    [String(pid)],
  );
  return rows.map(({ number }) => number);
}

/** How many lanes each instance owns, by its process; and how many nobody who lives owns. */
export async function lanesByProcess(db: Db): Promise<{ owned: Map<number, number>; orphaned: number }> {
  const rows = await db.query<{ pid: string | null; lanes: number }>({
    name: 'drill_lanes',
    text: `select split_part(i.description, ' ', 2) as pid, count(*)::int as lanes
      from lanes l left join instances i on i.id = l.owner and i.expires_at > clock_timestamp() group by 1`,
  });
  const owned = new Map<number, number>();
  let orphaned = 0;
  for (const { pid, lanes } of rows) {
    if (pid === null) orphaned = lanes;
    else owned.set(Number(pid), lanes);
  }
  return { owned, orphaned };
}
