import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { type Aldis, startAldis } from './product.ts';
import type { Redis } from './redis.ts';
import { startSimulator } from './simulator.ts';
import { startStore } from './store.ts';

/** Two instances of Aldis on one database, with the same keys. */
export interface Pair extends AsyncDisposable {
  readonly first: Aldis;
  readonly second: Aldis;
}

/** @param redis by which they tell each other what happened; null: by the database. */
export async function startPair(redis: Redis | null): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder('aldis-bench'));
  const own = (name: string): string => {
    const path = join(folder.path, name);
    mkdirSync(path, { mode: 0o755 });
    return path;
  };
  const store = stack.use(await startStore(own('store')));
  const simulator = stack.use(await startSimulator());
  const env = {
    ALDIS_DATABASE_URL: store.url,
    ALDIS_API_KEY: randomBytes(24).toString('hex'),
    ALDIS_SECRETS_ENCRYPTION_KEYS: `1:${randomBytes(32).toString('base64')}`,
    ...(redis && { ALDIS_REDIS_HOST: '127.0.0.1', ALDIS_REDIS_PORT: String(redis.port) }),
  };
  // The first makes the tables and the tenant.
  const first = stack.use(await startAldis({ folder: own('first'), simulatorUrl: simulator.url, env }));
  const second = stack.use(await startAldis({ folder: own('second'), simulatorUrl: simulator.url, env }));
  const kept = stack.move();
  return { first, second, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
