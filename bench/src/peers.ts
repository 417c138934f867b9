import { request } from 'undici';
import { installPeers } from '../peers/install.ts';
import { acceptBacklog, setSending } from './backlog.ts';
import { start } from './child.ts';
import { tree } from './procfs.ts';
import type { Provider } from './provider.ts';
import type { Processes, Side } from './side.ts';
import { startStore } from './store.ts';
import { untilDone } from './wait.ts';

/** Something that sends texts which wait already. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** Makes so many wait, before the clock runs. */
  fill(n: number): Promise<void>;
  /** Sends them. Gives the seconds until all are done. */
  run(n: number): Promise<number>;
  processes(): Processes;
}

/** Aldis: its texts wait while its tenant is stopped. Done is what is settled. */
export function aldisContestant(side: Side): Contestant {
  return {
    name: 'Aldis',
    async fill(n) {
      await setSending(side, false);
      await acceptBacklog(side, n);
    },
    async run(n) {
      const before = (await side.progress()).sent;
      const began = performance.now();
      await setSending(side, true);
      await untilDone('every message to be sent', n, async () => (await side.progress()).sent - before, {
        deadlineMs: 600_000,
      });
      return (performance.now() - began) / 1000;
    },
    processes: side.processes,
    async [Symbol.asyncDispose]() {},
  };
}

/** undici by itself, in a program of its own. */
export async function undiciContestant(provider: Provider): Promise<Contestant> {
  const child = await start('bench/peers/undici.ts', ['--provider', provider.url], {
    ready: /^undici ready (http:\/\/\S+)$/m,
  });
  return {
    name: 'undici alone',
    ...driven(child.url),
    processes: () => ({ server: [child.pid], postgres: [], provider: [provider.pid] }),
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}

/** graphile-worker in a program and on a PostgreSQL of its own, which has the product's binaries and settings. */
export async function graphileContestant(folder: string, provider: Provider): Promise<Contestant> {
  await installPeers();
  await using started = new AsyncDisposableStack();
  const store = started.use(await startStore(folder));
  const child = started.use(
    await start('bench/peers/graphile.ts', ['--provider', provider.url, '--database', store.url], {
      env: { NO_LOG_SUCCESS: '1' },
      ready: /^graphile ready (http:\/\/\S+)$/m,
    }),
  );
  const stack = started.move();
  return {
    name: 'graphile-worker',
    ...driven(child.url),
    processes: () => ({ server: [child.pid], postgres: tree(store.pid), provider: [provider.pid] }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A program that does what it is told over HTTP: bench/peers/drive.ts. */
function driven(url: string): Pick<Contestant, 'fill' | 'run'> {
  const tell = async (what: string, n: number): Promise<number> => {
    const answer = await request(`${url}/${what}?n=${n}`, { method: 'POST', headersTimeout: 0 });
    if (answer.statusCode !== 200) throw new Error(`the peer answered ${answer.statusCode} to ${what}`);
    return ((await answer.body.json()) as { seconds: number }).seconds;
  };
  return {
    async fill(n) {
      await tell('fill', n);
    },
    run: (n) => tell('run', n),
  };
}
