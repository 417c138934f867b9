import type { Db } from '../db/pool.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { findQueueDepths, findStoreState, type StoreState } from '../store/metrics.read.ts';

/** Counting what waits reads all of due work: at most this often, in milliseconds, however often it is scraped. */
const COUNT_EVERY = 5000;

/** Counts how long statements take, and reads at a scrape what only the database knows. */
export function collectMetrics(metrics: Metrics, db: Db, inFlight: () => number, reportDoubtAfter: number): void {
  let countedAt = Number.NEGATIVE_INFINITY;
  const eventLag = createEventLag();
  db.onAnswer((seconds) => metrics.queryDuration.observe(seconds));
  metrics.onScrape('store', async () => {
    if (performance.now() - countedAt < COUNT_EVERY) return;
    countedAt = performance.now();
    const depths = await db.transaction(async (tx) => {
      await tx.script('set local enable_seqscan = on');
      return findQueueDepths(tx);
    });
    const labels = (lane: number, state: string) => ({ lane: String(lane), state });
    metrics.queueDepth.replace(depths.map((d) => ({ value: d.count, labels: labels(d.lane_id, d.state) })));
    const unconfirmed = depths.filter((d) => d.state === 'unconfirmed').reduce((sum, d) => sum + d.count, 0);
    metrics.unconfirmed.set(unconfirmed);
    metrics.queueOldest.replace(
      depths.filter((d) => d.state === 'queued').map((d) => ({ value: d.oldest, labels: { lane: String(d.lane_id) } })),
    );
    const state = await findStoreState(db, reportDoubtAfter);
    metrics.receiptsParked.set(state.parked);
    metrics.inboundBacklog.set(state.inbound_work);
    metrics.doubtsOverdue.set(state.overdue);
    metrics.eventLag.set(eventLag(state, performance.now()));
  });
  metrics.onScrape('process', () => {
    metrics.inFlight.set(inFlight());
    metrics.databaseConnections.replace(
      Object.entries(db.usage).map(([state, value]) => ({ value, labels: { state } })),
    );
  });
}

/**
 * For how many seconds events have been held back. An ordinary role is not told since when another's transaction is open, such as a
 * person's at a prompt: for those it counts since when the horizon has stood where it is.
 */
export function createEventLag(): (
  state: Pick<StoreState, 'horizon' | 'next' | 'oldest_write'>,
  now: number,
) => number {
  let stands = { horizon: '', since: 0 };
  return ({ horizon, next, oldest_write }, now) => {
    if (horizon === next) return 0;
    if (horizon !== stands.horizon) stands = { horizon, since: now };
    return Math.max(oldest_write, (now - stands.since) / 1000);
  };
}
