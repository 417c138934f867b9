import { forgetEvents } from '../actions/prune-events.ts';
import type { Db } from '../db/pool.ts';
import { firstIdAt, type TenantId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import { findPrunable } from '../store/event-retention.read.ts';
import { LOG_START } from '../store/events.read.ts';

/** Forgets events that are older than their retention, tenant by tenant, in small steps. */
export interface PruneEventsOptions {
  db: Db;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  /** How long events are kept, in milliseconds. */
  retention: number;
  /** Milliseconds from one round to the next (60000). */
  every?: number;
}

const EVERY = 60_000;
const TENANTS = 100;

export function createPruneEvents({ db, clock, logger, retention, every = EVERY }: PruneEventsOptions): Part {
  async function round(ending: AbortSignal): Promise<void> {
    const now = clock.now();
    let behind = LOG_START.id as TenantId;
    for (;;) {
      const tenants = await findPrunable(db, behind, firstIdAt(now - retention), TENANTS);
      for (const tenant of tenants) {
        while (!ending.aborted && (await forgetEvents(db, tenant, retention, now))) {
          // A step at a time, so that nothing else waits long.
        }
        if (ending.aborted) return;
        behind = tenant;
      }
      if (tenants.length < TENANTS) return;
    }
  }

  const rounds = createRounds({
    every,
    round,
    failed: (error) => logger.warn({ error, part: 'prune events' }, 'forgetting old events failed'),
  });
  return part('prune-events', async () => rounds.start(), rounds.stop);
}
