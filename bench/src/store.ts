import { startEmbeddedPostgres } from '../../server/src/db/embedded/embedded.ts';

/** A PostgreSQL for the floor, for a peer, or for a product whose database the benchmark looks into. */
export interface Store extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** Starts one in a folder, with the product's own binaries and settings: the floor must not differ in them. */
export async function startStore(folder: string): Promise<Store> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const server = await startEmbeddedPostgres({ folder, folderIsNamed: true, log: silent });
  const { host, port, user, password, database } = server.connection;
  return {
    url: `postgres://${user}:${encodeURIComponent(password)}@${encodeURIComponent(host)}:${port}/${database}`,
    get pid() {
      return server.pid;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
