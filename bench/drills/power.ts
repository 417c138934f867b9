import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../src/child.ts';
import { openLoad, pour } from '../src/load.ts';
import { tree } from '../src/procfs.ts';
import { type Aldis, type Credentials, launchAldis, readCredentials, startAldis } from '../src/product.ts';
import { newCustomer } from '../src/requests.ts';
import { startSimulator } from '../src/simulator.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { type LoopDisk, loopDisk } from './loop-disk.ts';
import { seeded } from './random.ts';

/*
 * power: the power fails under the data folder, again and again. The first cut of each new disk comes during the first
 * start. After every cut Aldis must start on what is left, and know each message it had acknowledged.
 */

const WRITERS = 32;
/** Cuts on one disk; then a new one, so that first starts are met as well. */
const CUTS_A_DISK = 5;
/** Of messages acknowledged before earlier cuts, so many are asked for again after each. */
const OLDER_ASKED = 200;

export async function power({ seed, short, log }: DrillOptions): Promise<Verdict> {
  const cuts = short ? 5 : 100;
  const random = seeded(seed);
  const breaches: string[] = [];
  let acknowledged = 0;
  let lost = 0;
  let unopenable = 0;
  let asked = 0;
  let older: string[] = [];

  await using simulator = await startSimulator();
  await using disk = await loopDisk('1500M');
  const folder = join(disk.path, 'data');
  const start = (): Promise<Aldis> => startAldis({ folder, simulatorUrl: simulator.url });

  for (let cut = 0; cut < cuts; cut++) {
    const firstStart = cut % CUTS_A_DISK === 0;
    if (firstStart) {
      if (cut > 0) await disk.format();
      mkdirSync(folder, { mode: 0o755 });
      older = [];
    }
    const afterMs = firstStart ? random.integer(50, 2500) : random.integer(300, short ? 2500 : 5000);
    const child = launchAldis({ folder, simulatorUrl: simulator.url });
    const fresh = await cutUnderWriters(disk, child, folder, { fromLaunch: firstStart, afterMs });
    acknowledged += fresh.length;
    await disk.restore();

    let aldis: Aldis;
    try {
      aldis = await start();
    } catch (error) {
      unopenable++;
      breaches.push(`cut ${cut}: cannot be opened: ${String(error).slice(-1500)}`);
      await disk.format();
      mkdirSync(folder, { mode: 0o755 });
      older = [];
      continue;
    }
    const again = Array.from({ length: Math.min(OLDER_ASKED, older.length) }, () => random.pick(older));
    const missing = await missingOf(aldis, [...fresh, ...again]);
    asked += fresh.length + again.length;
    lost += missing.length;
    if (missing.length > 0)
      breaches.push(`cut ${cut}: ${missing.length} acknowledged messages lost, first ${missing[0]}`);
    log(`cut ${cut}${firstStart ? ' (first start)' : ''}: ${fresh.length} acknowledged, ${missing.length} lost`);
    older.push(...fresh);
    await aldis.child.stop();
  }
  return { drill: 'power', seed, short, counts: { cuts, acknowledged, asked, lost, unopenable }, breaches };
}

/** Cuts while many write, a while after the launch or after it is ready; gives the ids that were acknowledged. */
async function cutUnderWriters(
  disk: LoopDisk,
  child: Child,
  folder: string,
  { fromLaunch, afterMs }: { fromLaunch: boolean; afterMs: number },
): Promise<string[]> {
  const ids: string[] = [];
  let isCut = false;
  const writing = child.ready
    .then(() => readCredentials(folder))
    .then(
      (credentials) => writeUntilCut(credentials, ids),
      (error: unknown) => {
        // Cut before it was ready, or before anyone could read what it wrote: nobody could write.
        if (!isCut) throw error;
      },
    );
  if (!fromLaunch) await child.ready;
  await sleep(afterMs);
  const all = tree(child.pid);
  isCut = true;
  disk.cut();
  // The power takes every process with it, the database's too.
  for (const pid of all) killHard(pid);
  await child.exited;
  await writing;
  return ids;
}

async function writeUntilCut(credentials: Credentials, ids: string[]): Promise<void> {
  await using load = openLoad(credentials.url, WRITERS, { authorization: `Bearer ${credentials.api_key}` });
  await pour(WRITERS, WRITERS, async () => {
    for (;;) {
      const body = JSON.stringify({ recipient_phone: newCustomer(), content: { text: 'Will you still be there?' } });
      try {
        const answer = await load.ask('/api/v1/messages', { method: 'POST', body });
        // Whenever it is said: what is acknowledged must be there.
        if (answer.status === 202) ids.push((answer.body as { id: string }).id);
      } catch {
        return;
      }
    }
  });
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** Asks Aldis for each; gives those it does not know. */
async function missingOf({ credentials }: Aldis, ids: readonly string[]): Promise<string[]> {
  await using load = openLoad(credentials.url, WRITERS, { authorization: `Bearer ${credentials.api_key}` });
  const missing: string[] = [];
  await pour(ids.length, WRITERS, async (i) => {
    const id = ids[i] ?? '';
    const { status } = await load.ask(`/api/v1/messages/${id}`);
    if (status !== 200) missing.push(id);
  });
  return missing;
}
