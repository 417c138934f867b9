import { readFileSync } from 'node:fs';
import pg from 'pg';
import { start } from './child.ts';
import { openLoad } from './load.ts';
import { tree } from './procfs.ts';
import { SENDERS } from './product.ts';
import type { Progress, Side } from './side.ts';
import type { Simulator } from './simulator.ts';
import { startStore } from './store.ts';

const SCHEMA = new URL('../floors/life/schema.sql', import.meta.url);
const SECRET = 'the floor has one secret';

/** The floor as a side to measure: on a PostgreSQL of its own with the product's binaries and settings. */
export async function startFloor(folder: string, simulator: Simulator, connections: number): Promise<Side> {
  await using started = new AsyncDisposableStack();
  const store = started.use(await startStore(folder));
  const client = new pg.Client({ connectionString: store.url });
  await client.connect();
  await client.query(readFileSync(SCHEMA, 'utf8'));
  await client.end();

  const senders = Array.from(
    { length: SENDERS },
    (_, i) => `00000000-0000-7000-8000-${String(i + 1).padStart(12, '0')}`,
  );
  const numbers = await simulator.makeNumbers(SENDERS);
  const child = started.use(
    await start(
      'bench/floors/life/server.ts',
      [
        ['--database', store.url],
        ['--provider', simulator.url],
        ['--secret', SECRET],
        ['--senders', senders.join()],
        ['--numbers', numbers.join()],
      ].flat(),
      { ready: /^floor ready (http:\/\/\S+)$/m },
    ),
  );
  await simulator.register(`${child.url}/webhooks/whatsapp`, SECRET);
  const load = started.use(openLoad(child.url, connections));
  const control = started.use(openLoad(child.url, 1));
  const stack = started.move();
  return {
    name: 'floor',
    url: child.url,
    senders,
    numbers,
    secret: SECRET,
    simulator,
    load,
    progress: async () => (await control.ask('/counts')).body as Progress,
    processes: () => ({ server: [child.pid], postgres: tree(store.pid), provider: [simulator.pid] }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A server that only takes the request: its address, and its end. */
export function startBare(): ReturnType<typeof start> {
  return start('bench/floors/bare.ts', [], { ready: /^bare ready (http:\/\/\S+)$/m });
}
