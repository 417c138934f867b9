import { setTimeout as sleep } from 'node:timers/promises';
import { type HeldTenant, letTenantGo } from '../../actions/follow-events.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ConversationService } from '../../outside/conversation-service.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { EventPosition } from '../../store/events.read.ts';
import { listSentEvents, type SentEvent, type SentMessage } from '../../store/sent-messages.read.ts';
import { createFollower, type FollowerSurroundings } from '../follower.ts';
import { saidMessage } from './said-message.ts';

/**
 * Hands every message that became sent to the conversation service, from the event log: at least once, in the log's order
 * within each conversation. A pass takes a tenant, reads a page of its events, stores what is to be stored, and keeps how
 * far it came; a crash in between repeats what was not kept. While the service is away the tenant's events wait.
 */
export interface ForwarderOptions extends FollowerSurroundings {
  service: ConversationService;
  logger: Pick<Logger, 'error' | 'warn' | 'info'>;
  metrics: Pick<Metrics, 'conversationMessages'>;
}

/** The name of the position in the log. */
export const CONVERSATION_SERVICE = 'conversation_service';

const TENANTS_TOGETHER = 8;
const CALLS_EACH = 16;
const PAGE = 200;
/** Milliseconds after which another tenant has its turn. */
const TURN = 10_000;
const FIRST_REST = 250;
const LONGEST_REST = 30_000;
/** How often a message is offered that the service refuses, and milliseconds before the second time. */
const TRIES = 4;
const REFUSED_REST = 100;

/** A tenant whose last pass did not come to its end. */
interface Trouble {
  /** How long it rested, in milliseconds. 0: there was only more than its turn allows. */
  rest: number;
  /** Events beyond the kept place that are done: not offered again by this process. At most a page. */
  done: ReadonlySet<string>;
}

export function createForwarder(options: ForwarderOptions): Part {
  const { db, service, clock, logger, metrics, instance, lease } = options;
  const troubled = new Map<TenantId, Trouble>();
  let isAway = false;

  function warn(error: unknown): void {
    logger.warn({ error, part: 'conversation-service' }, 'forwarding to the conversation service failed');
  }

  async function pass(tenant: HeldTenant, ending: AbortSignal): Promise<number | null> {
    const { tenant_id } = tenant;
    const until = clock.monotonic() + TURN;
    const trouble = troubled.get(tenant_id);
    const done = new Set(trouble?.done);
    const events = await listSentEvents(db, tenant_id, tenant, PAGE);
    const conversations = byConversation(events.filter((event) => !done.has(event.event_id)));
    let away: string | null = null;

    async function storeInTurn(): Promise<void> {
      for (let next = conversations.shift(); next; next = conversations.shift()) {
        for (const { event_id, message } of next) {
          if (away !== null || ending.aborted || clock.monotonic() > until) return;
          const reason = await store(tenant, message, ending);
          if (reason === null) done.add(event_id);
          else {
            away ??= reason;
            return;
          }
        }
      }
    }
    // One call asks whether it is back before many do.
    await Promise.all(Array.from({ length: trouble?.rest ? 1 : CALLS_EACH }, storeInTurn));

    const end = events.findIndex((event) => event.message_id !== null && !done.has(event.event_id));
    const place = placeOf(end < 0 ? events.at(-1) : events[end - 1]) ?? tenant;
    const beyond = end < 0 ? [] : events.slice(end).map((event) => event.event_id);
    const pause = note(tenant_id, ending.aborted ? null : away, new Set(beyond.filter((id) => done.has(id))));
    await letTenantGo(db, tenant_id, CONVERSATION_SERVICE, instance, { place, rest: pause });
    return pause > 0 || end >= 0 || events.length === PAGE ? pause : null;
  }

  /** Stores one message, or gives up on one that is refused. @returns why it has to wait, or null when it is done. */
  async function store(
    { tenant_id, tenant_name }: HeldTenant,
    message: SentMessage,
    ending: AbortSignal,
  ): Promise<string | null> {
    const said = saidMessage(message);
    for (let tries = 1; ; tries++) {
      const storing = await service.store(tenant_name, said, ending);
      if (storing.kind === 'away') return storing.reason;
      if (storing.kind === 'stored') {
        metrics.conversationMessages.add(1, { result: 'stored' });
        return null;
      }
      if (tries === TRIES) {
        metrics.conversationMessages.add(1, { result: 'skipped' });
        const ids = { tenant_id, message_id: message.message_id, conversation_id: message.conversation_id };
        const about = { ...ids, part: 'conversation-service', status: storing.status };
        logger.error(about, 'the conversation service refuses a message; it is not stored there');
        return null;
      }
      const rested = await sleep(REFUSED_REST * 2 ** (tries - 1), true, { signal: ending }).catch(() => false);
      if (!rested) return 'stopping';
    }
  }

  /** Remembers what of a tenant's page is done, and says when the service goes and comes. @returns how long the tenant rests. */
  function note(tenant: TenantId, away: string | null, done: ReadonlySet<string>): number {
    const part = 'conversation-service';
    const before = troubled.get(tenant)?.rest ?? 0;
    const pause = away === null ? 0 : Math.min(Math.max(before * 2, FIRST_REST), LONGEST_REST);
    if (pause > 0 || done.size > 0) troubled.set(tenant, { rest: pause, done });
    else troubled.delete(tenant);
    if (away !== null && !isAway) {
      logger.warn({ part, tenant_id: tenant, reason: away }, 'the conversation service does not answer; messages wait');
    } else if (away === null && isAway && before > 0) {
      logger.info({ part }, 'the conversation service answers again');
    }
    if (away !== null || before > 0) isAway = away !== null;
    return pause;
  }

  return createFollower({
    db,
    signals: options.signals,
    clock,
    instance,
    consumer: CONVERSATION_SERVICE,
    alone: options.alone,
    adopts: true,
    together: TENANTS_TOGETHER,
    pollInterval: options.pollInterval,
    lease,
    longestRest: LONGEST_REST,
    pass,
    failed: warn,
  });
}

function placeOf(event: SentEvent | undefined): EventPosition | null {
  return event ? { xid: event.xid, id: event.event_id } : null;
}

/** The messages to store, each conversation's in order. */
function byConversation(events: readonly SentEvent[]): { event_id: string; message: SentMessage }[][] {
  const conversations = new Map<string, { event_id: string; message: SentMessage }[]>();
  for (const event of events) {
    if (event.message_id === null) continue;
    const said = { event_id: event.event_id, message: event };
    const others = conversations.get(event.conversation_id);
    if (others) others.push(said);
    else conversations.set(event.conversation_id, [said]);
  }
  return [...conversations.values()];
}
