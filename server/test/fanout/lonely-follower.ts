import { openPool } from '../../src/db/pool.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { memorySignals } from '../../src/signals/signals.ts';

/** What a follower of the event log has around it in a process of its own. @param lease milliseconds, as text. */
export function surroundings(database: string, lease: string) {
  return {
    db: openPool({ connection: database, max: 3, onError() {} }),
    signals: memorySignals(),
    clock: systemClock,
    logger: { error() {}, warn() {}, info() {} },
    metrics: createMetrics({ version: 'test', node: false }),
    instance: newId<InstanceId>(),
    alone: false,
    pollInterval: 10,
    lease: Number(lease),
  };
}
