import { timeOfId } from '../domain/ids.ts';
import { createOfflineNotifier } from '../fanout/offline/offline-notifier.ts';
import { createPruneEvents } from '../jobs/prune-events.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import { findConsumerLags } from '../store/event-retention.read.ts';
import type { Common } from './engine.ts';

/** Looking how far consumers are asks once for each tenant and consumer: at most this often, in milliseconds. */
const LAGS_EVERY = 5000;
/**
 * In milliseconds. Long, for so long a tenant rests after a pass that failed: devices are to be there again after an outage of the
 * database before it is looked who is away.
 */
const OFFLINE_LEASE = 30_000;

/**
 * What keeps the event log and follows it: its pruning, users who are away; and how far all consumers are.
 * @param alone this process is the only instance.
 */
export function buildEventStream(config: Config, common: Common, alone: boolean): Part[] {
  const { db, clock, metrics } = common;
  let lookedAt = Number.NEGATIVE_INFINITY;
  metrics.onScrape('event-consumers', async () => {
    if (clock.monotonic() - lookedAt < LAGS_EVERY) return;
    lookedAt = clock.monotonic();
    const lags = await findConsumerLags(db);
    metrics.consumerLag.replace(
      lags.map(({ consumer, oldest }) => ({
        value: oldest === null ? 0 : Math.max(0, clock.now() - timeOfId(oldest)) / 1000,
        labels: { consumer },
      })),
    );
  });
  return [
    createPruneEvents({ ...common, retention: config.events.retention }),
    createOfflineNotifier({
      ...common,
      alone,
      delay: config.offline.delay,
      maxAge: config.offline.max_age,
      pollInterval: config.engine.poll_interval,
      lease: OFFLINE_LEASE,
    }),
  ];
}
