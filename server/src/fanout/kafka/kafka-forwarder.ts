import { type HeldTenant, letTenantGo } from '../../actions/follow-events.ts';
import { type EventPosition, eventCursors } from '../../domain/event-cursor.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { KafkaPublisher, KafkaRecord } from '../../outside/kafka.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { type Part, part } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { listEvents } from '../../store/events.read.ts';
import { createFollower, type FollowerSurroundings } from '../follower.ts';
import { recordOf, type TopicNames } from './cloud-event.ts';

/**
 * Hands every event to Kafka, from the event log: at least once, in the log's order of each key. A pass takes a tenant, publishes a page
 * of its events, and keeps how far it came; a crash in between repeats what was not kept. While the brokers are away the events wait.
 */
export interface KafkaForwarderOptions extends FollowerSurroundings {
  publisher: KafkaPublisher;
  names: TopicNames;
  logger: Pick<Logger, 'error' | 'warn' | 'info'>;
  metrics: Pick<Metrics, 'kafkaPublish' | 'kafkaEvents' | 'kafkaErrors'>;
}

export interface KafkaForwarder extends Part {
  /** Why the brokers take no events from this instance, as far as it has seen lately. */
  trouble(): string | null;
}

/** The name of the position in the log. */
export const KAFKA = 'kafka';

const TENANTS_TOGETHER = 4;
const PAGE = 500;
/** Characters of records that are published together: brokers take 1 MB unless told otherwise. */
const MOST_TOGETHER = 400_000;
/** Milliseconds after which another tenant has its turn. */
const TURN = 10_000;
const FIRST_REST = 250;
const LONGEST_REST = 5000;
/** Milliseconds for which a failure counts. Another instance may have taken the tenant meanwhile, and be well. */
const TROUBLE_COUNTS = 6 * LONGEST_REST;
/** Tenants whose trouble is remembered. */
const MOST_TROUBLED = 10_000;

interface Chunk {
  records: KafkaRecord[];
  /** Of the last of them. */
  place: EventPosition;
}

export function createKafkaForwarder(options: KafkaForwarderOptions): KafkaForwarder {
  const { db, publisher, names, clock, logger, metrics, instance } = options;
  /**
   * How long a tenant rests whose events are not taken, in milliseconds. Each for itself: what the brokers refuse of one, a topic that
   * is not there, they take of others.
   */
  const rests = new Map<TenantId, number>();
  let isAway = false;
  let failure = { reason: '', at: Number.NEGATIVE_INFINITY };

  async function pass(tenant: HeldTenant, ending: AbortSignal): Promise<number | null> {
    const { tenant_id } = tenant;
    const until = clock.monotonic() + TURN;
    let place: EventPosition = tenant;
    let away = false;
    const { chunks, full } = await chunksOf(tenant);
    for (const chunk of chunks) {
      if (ending.aborted || clock.monotonic() > until) break;
      await failpoint('kafka.before_publish');
      away = !(await publish(tenant_id, chunk.records, ending));
      if (away) break;
      await failpoint('kafka.after_publish');
      place = chunk.place;
    }
    const pause = away && !ending.aborted ? (rests.get(tenant_id) ?? FIRST_REST) : 0;
    await failpoint('kafka.before_commit');
    await letTenantGo(db, tenant_id, KAFKA, instance, { place, rest: pause });
    await failpoint('kafka.after_commit');
    return pause > 0 || full || place !== (chunks.at(-1)?.place ?? place) ? pause : null;
  }

  /** The tenant's next events, as they are published together. `full`: there may be more. */
  async function chunksOf(tenant: HeldTenant): Promise<{ chunks: Chunk[]; full: boolean }> {
    const cursors = eventCursors(tenant.tenant_id);
    const chunks: Chunk[] = [];
    let after: EventPosition = tenant;
    let room = 0;
    const rows = await listEvents(db, tenant.tenant_id, tenant, PAGE);
    for (const row of rows) {
      const record = recordOf(tenant.tenant_id, row, after, cursors, names);
      after = { xid: row.xid, id: row.event_id };
      room -= record.value.length;
      const chunk = chunks.at(-1);
      if (chunk && room >= 0) {
        chunk.records.push(record);
        chunk.place = after;
      } else {
        chunks.push({ records: [record], place: after });
        room = MOST_TOGETHER - record.value.length;
      }
    }
    return { chunks, full: rows.length === PAGE };
  }

  /** Publishes records in order; one that no broker takes is left out. @returns false when the brokers are away. */
  async function publish(tenant: TenantId, records: readonly KafkaRecord[], ending: AbortSignal): Promise<boolean> {
    const began = clock.monotonic();
    const answer = await publisher.publish(records, ending);
    switch (answer.kind) {
      case 'stored':
        metrics.kafkaPublish.observe((clock.monotonic() - began) / 1000);
        metrics.kafkaEvents.add(records.length, { result: 'published' });
        if (rests.delete(tenant)) {
          if (isAway) logger.info({ part: KAFKA }, 'Kafka takes events again');
          isAway = false;
        }
        if (rests.size === 0) failure.at = Number.NEGATIVE_INFINITY;
        return true;
      case 'too_large': {
        const [first, ...others] = records;
        if (first && others.length === 0) {
          metrics.kafkaEvents.add(1, { result: 'skipped' });
          const about = { part: KAFKA, topic: first.topic, key: first.key, size: first.value.length };
          logger.error(about, 'Kafka takes no event of this size: it is left out');
          return true;
        }
        for (const record of records) if (!(await publish(tenant, [record], ending))) return false;
        return true;
      }
      case 'away': {
        if (ending.aborted) return false;
        metrics.kafkaErrors.add(1);
        failure = { reason: answer.reason, at: clock.monotonic() };
        const topics = [...new Set(records.map(({ topic }) => topic))].join(' ');
        const about = { part: KAFKA, tenant_id: tenant, topics, reason: answer.reason };
        if (!isAway) logger.warn(about, 'Kafka does not take events; they wait');
        isAway = true;
        if (rests.size >= MOST_TROUBLED) rests.clear();
        rests.set(tenant, Math.min(Math.max((rests.get(tenant) ?? 0) * 2, FIRST_REST), LONGEST_REST));
        return false;
      }
    }
  }

  const follower = createFollower({
    db,
    signals: options.signals,
    clock,
    instance,
    consumer: KAFKA,
    alone: options.alone,
    adopts: true,
    together: TENANTS_TOGETHER,
    pollInterval: options.pollInterval,
    lease: options.lease,
    longestRest: LONGEST_REST,
    pass,
    failed: (error) => logger.warn({ error, part: KAFKA }, 'publishing to Kafka failed'),
  });
  return {
    ...part(KAFKA, follower.start, async () => {
      await follower.stop();
      await publisher.close();
    }),
    trouble: () => (clock.monotonic() - failure.at < TROUBLE_COUNTS ? failure.reason : null),
  };
}
