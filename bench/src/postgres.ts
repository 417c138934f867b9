import { join } from 'node:path';
import { findNative, readyBinaries } from '../../server/src/db/embedded/binaries.ts';
import { makeCluster, makeRole, ROLE, readPassword } from '../../server/src/db/embedded/cluster.ts';
import { findHome, prepareFolder } from '../../server/src/db/embedded/home.ts';
import { obtain, type Running, type ServerPlan } from '../../server/src/db/embedded/running.ts';
import { SETTINGS, type ServerSettings, serverArguments } from '../../server/src/db/embedded/settings.ts';
import { socketFolder } from '../../server/src/db/embedded/socket-folder.ts';
import { templateOf } from '../../server/src/db/embedded/template.ts';
import { freePort } from './free-port.ts';

/**
 * A PostgreSQL on loopback for a drill: reached by TCP, as an operator's own is, and not looked after by Aldis. It is of the
 * embedded package's programs, runs as another user when we are root, and ends with this process, however that ends.
 */
export interface Postgres extends AsyncDisposable {
  /** For `ALDIS_DATABASE_URL`: the role owns its database and is no superuser. The same after every start. */
  readonly url: string;
  /** For the drill's own questions: a superuser, in the same database. */
  readonly superuserUrl: string;
  readonly port: number;
  /** The number of its main process now; of the last one while it is stopped. */
  readonly pid: number;
  /** Whether it runs, as far as we know. */
  readonly runs: boolean;
  /**
   * Ends it and waits until its main process is gone. `fast`: sessions are cut, what is committed is written out. `immediate`:
   * all processes end at once, and the next start recovers. `kill`: `kill -9` of the main process; the others find out.
   */
  stop(how: StopKind): Promise<void>;
  /**
   * Starts it again on the same port and waits until it takes connections; what still has to end of a killed one is waited for.
   * @param env for its processes from now on, beside what they need: `LD_PRELOAD`, say. Absent: as at the last start.
   */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
}

export type StopKind = 'fast' | 'immediate' | 'kill';

export interface PostgresOptions {
  /** A folder of ours that others may pass (see `temporaryFolder`); it is made when it is not there. */
  folder: string;
  /** Settings that replace the drill's. */
  settings?: ServerSettings;
  /** See `Postgres.start`. */
  env?: Readonly<Record<string, string>>;
  /** Told what it writes to its log from WARNING on. */
  onTrouble?: (line: string) => void;
}

const HOST = '127.0.0.1';
const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
/** The longest that the socket's name can be, whatever the port. */
const LONGEST_SOCKET = '.s.PGSQL.65535';

/** Makes a cluster in a folder and starts it. Takes about a second and a half. */
export async function startPostgres({
  folder,
  settings = {},
  env = {},
  onTrouble = () => {},
}: PostgresOptions): Promise<Postgres> {
  const log = { debug() {}, info() {}, warn: onTrouble, error: onTrouble };
  const home = findHome(prepareFolder(folder), { folderIsNamed: true, system: join(folder, 'system'), log });
  const binaries = readyBinaries(findNative(), home, join(folder, 'system'), log);
  const first = await makeCluster(home, binaries, templateOf(binaries));
  const port = await freePort();
  const sockets = socketFolder(home.run, LONGEST_SOCKET, home.who);
  const own = { listen_addresses: HOST, port, max_connections: 200, cluster_name: 'aldis-drill' };
  const args = serverArguments(home.data, sockets, SETTINGS, own, settings);
  const connection = { host: HOST, port, user: ROLE, password: readPassword(home.password), database: ROLE };
  let environment = env;
  const plan = (): ServerPlan => ({
    home,
    binaries: { ...binaries, env: { ...binaries.env, ...environment } },
    sockets,
    args,
    connection,
    log,
  });
  const never = new AbortController().signal;
  const watch = (started: Running): void => {
    void started.ended.finally(() => {
      if (running === started) runs = false;
    });
  };

  let running = await obtain(plan(), never);
  let runs = true;
  watch(running);
  await makeRole(home, { host: HOST, port }, first);
  const stop = async (how: StopKind): Promise<void> => {
    if (!runs) return;
    process.kill(running.pid, SIGNALS[how]);
    await running.ended;
    runs = false;
  };
  const address = (user: string, password: string): string =>
    `postgres://${user}:${encodeURIComponent(password)}@${HOST}:${port}/${ROLE}`;
  return {
    url: address(ROLE, connection.password),
    superuserUrl: address('postgres', readPassword(home.superuserPassword)),
    port,
    get pid() {
      return running.pid;
    },
    get runs() {
      return runs;
    },
    stop,
    async start(next) {
      if (runs) return;
      if (next) environment = next;
      running = await obtain(plan(), never);
      runs = true;
      watch(running);
    },
    [Symbol.asyncDispose]: () => stop('immediate'),
  };
}
