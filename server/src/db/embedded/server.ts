import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { end, obtain, type Running, type ServerPlan } from './running.ts';

/*
 * A server that runs until it is told to stop:
 *
 *          ┌──────────────── ended by itself ────────────────┐
 *          ▼                                                 │
 *   found running ── asked for a connection ─► adopted ──► running ──► stopped
 *   found nothing ── started ──────────────────────────────►─┘
 *
 * The same road is taken at the start of the program and whenever the server ends by itself.
 */

/** A server kept running. */
export interface KeptServer {
  /** Of the server now; another one after it ended by itself. */
  readonly pid: number;
  /** Whether it ran already when we came. */
  readonly adopted: boolean;
  /** Shuts it down fast: sessions are cut, what they had committed is kept. May be called twice. */
  stop(): Promise<void>;
}

/** Pauses between starts of a server that keeps ending. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Starts the server, or adopts the one that runs, and keeps it running.
 * @throws {StartError} when a server is in the way that can be neither adopted nor ended, or ours does not start.
 */
export async function keepServer(plan: ServerPlan): Promise<KeptServer> {
  const stopping = new AbortController();
  let running = await obtain(plan, stopping.signal);
  const { adopted } = running;
  const ours = identityOf(plan.home.data);

  async function keep(): Promise<void> {
    let pause = 0;
    for (;;) {
      const since = performance.now();
      const how = await running.ended;
      if (stopping.signal.aborted) return;
      // Whatever lies there now, we hold no lock on it.
      if (identityOf(plan.home.data) !== ours) {
        return plan.log.error(`PostgreSQL has ended (${how}): its folder ${plan.home.data} was removed under it`);
      }
      plan.log.error(`PostgreSQL ended by itself (${how}) and is started again`);
      pause = performance.now() - since > LONGEST_PAUSE_MS ? 0 : Math.min(pause * 2 + FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      const again = await obtainSometime(plan, pause, stopping.signal);
      if (again === undefined) return;
      running = again;
      plan.log.warn(`PostgreSQL runs again, as process ${running.pid}`);
      if (stopping.signal.aborted) return await end(running, plan.log);
    }
  }
  const kept = keep();

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping.abort();
    await end(running, plan.log);
    await kept;
  }
  return {
    get pid() {
      return running.pid;
    },
    adopted,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Tells a folder from another one that was made later under the same name. */
function identityOf(folder: string): string | undefined {
  const found = fs.statSync(folder, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/** Tries again until it works or `signal` says to stop; then there is none. */
async function obtainSometime(plan: ServerPlan, first: number, signal: AbortSignal): Promise<Running | undefined> {
  for (let pause = first; !signal.aborted; pause = Math.min(pause * 2 + FIRST_PAUSE_MS, LONGEST_PAUSE_MS)) {
    try {
      await sleep(pause, undefined, { signal });
      return await obtain(plan, signal);
    } catch (error) {
      if (!signal.aborted) plan.log.error(error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}
