import { StartError } from '../runtime/start-error.ts';
import type { Queryable } from './pool.ts';

/** The oldest PostgreSQL whose SQL ours is, as `server_version_num` writes it. */
export const OLDEST_SERVER = 150_000;

const readVersion = {
  name: 'server_version',
  text: `select current_setting('server_version_num')::integer as number, current_setting('server_version') as text`,
};

/**
 * Refuses a server that is too old, before anything is made in it.
 * @param oldest for tests
 * @throws {StartError} when it is.
 */
export async function requireServer(db: Queryable, oldest = OLDEST_SERVER): Promise<void> {
  const [found] = await db.query<{ number: number; text: string }>(readVersion);
  if (found === undefined || found.number >= oldest) return;
  throw new StartError(
    `the database is PostgreSQL ${found.text}, which is too old: use ${Math.floor(oldest / 10_000)} or newer`,
  );
}
