import { type HeldTenant, letTenantGo } from '../../actions/follow-events.ts';
import { followConversing, notifyOffline, OFFLINE, type OfflineNotice } from '../../actions/notify-offline.ts';
import type { ChatMessage, UserId } from '../../domain/chat.ts';
import { chatViewOf } from '../../domain/chat-view.ts';
import type { EventPosition } from '../../domain/event-cursor.ts';
import { type ConversationId, type TenantId, timeOfId } from '../../domain/ids.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Signals } from '../../signals/signals.ts';
import { findLivingOf } from '../../store/devices.read.ts';
import type { EventRow } from '../../store/events.read.ts';
import { findDeletedMessages, listPlaces, listReached, NEWS, type Reached } from '../../store/offline-users.read.ts';
import { listVisibleEvents } from '../../store/visible-events.read.ts';
import { createFollower, type FollowerSurroundings } from '../follower.ts';

/**
 * Tells of users who were away when a message came for them, so that a push service can call them. Follows the event log some seconds
 * behind: whoever had a socket by then, or got the message by another way, is not told of. Each user is told of each message once, but
 * not of what is old by the time it is looked at: nobody wants a push for each message of an outage; nor of what is deleted by then.
 */
export interface OfflineOptions extends FollowerSurroundings {
  signals: Signals;
  logger: Pick<Logger, 'warn'>;
  metrics: Pick<Metrics, 'offlineSkipped'>;
  /** How long after a message, in milliseconds. */
  delay: number;
  /** How much later it is still told, in milliseconds. */
  maxAge: number;
}

const TENANTS_TOGETHER = 2;
const PAGE = 1000;
/** Notices of one transaction; those of one message are not parted. */
const MOST_NOTICES = 2000;
/** How long a tenant rests at least whose next event is too young, in milliseconds: so that a busy one is not read one by one. */
const LEAST_REST = 250;

export function createOfflineNotifier(options: OfflineOptions): Part {
  const { db, clock, instance, delay, maxAge, metrics } = options;

  async function pass(tenant: HeldTenant): Promise<number | null> {
    const { tenant_id } = tenant;
    const places = await listPlaces(db, tenant_id, tenant, PAGE);
    const before = clock.now() - delay;
    const young = places.findIndex((place) => timeOfId(place.id) > before);
    const old = young < 0 ? places : places.slice(0, young);
    const end = old.at(-1) ?? tenant;
    const rest = young < 0 ? 0 : Math.max(LEAST_REST, timeOfId(places[young]?.id ?? '') - before);
    const since = before - maxAge;
    const told = old.filter((place) => place.news);
    if (!told.some((place) => timeOfId(place.id) >= since)) {
      const kept = await letTenantGo(db, tenant_id, OFFLINE, instance, { place: end, rest });
      if (kept && told.length > 0) metrics.offlineSkipped.add(told.length);
      return places.length === PAGE ? rest : rest || null;
    }
    const filter = { user: null, types: NEWS, conversation: null };
    const news = await listVisibleEvents(db, tenant_id, filter, tenant, end, PAGE);
    const { notices, place, skipped } = await noticesOf(tenant_id, news, since, end);
    const pause = place === end ? rest : 0;
    const kept = await notifyOffline(options, tenant_id, instance, notices, { place, rest: pause });
    if (kept && skipped > 0) metrics.offlineSkipped.add(skipped);
    return places.length === PAGE || place !== end ? pause : pause || null;
  }

  /**
   * Who is to be told of what, and up to where that is: not to the end where it would be too much for once.
   * @param since milliseconds since 1970. Of what is older nobody is told.
   * @returns `skipped`: how many messages were older.
   */
  async function noticesOf(
    tenant: TenantId,
    news: readonly EventRow[],
    since: number,
    end: EventPosition,
  ): Promise<{ notices: OfflineNotice[]; place: EventPosition; skipped: number }> {
    const isStale = (event: EventRow) => timeOfId(event.event_id) < since;
    const conversations = [...new Set(news.flatMap((event) => (isStale(event) ? [] : event.conversation_id)))];
    const reached = byConversation(await listReached(db, tenant, conversations));
    const users = [...new Set([...reached.values()].flat().map((one) => one.user_id))];
    const asked = users.map((user_id) => ({ tenant_id: tenant, user_id }));
    const live = new Set<UserId>(asked.length === 0 ? [] : (await findLivingOf(db, asked)).map((one) => one.user_id));
    const gone = users.length === 0 ? new Set<string>() : await findDeletedMessages(db, tenant, saidIn(news));
    const notices: OfflineNotice[] = [];
    let place: EventPosition | null = null;
    let skipped = 0;
    for (const event of news) {
      if (notices.length >= MOST_NOTICES) return { notices, place: place ?? end, skipped };
      place = { xid: event.xid, id: event.event_id };
      if (isStale(event)) {
        skipped++;
        continue;
      }
      const message = messageOf(event);
      // The log has it as it was said; a push would show what its author has taken back.
      if (message.deleted_at !== null || gone.has(message.id)) continue;
      for (const one of reached.get(event.conversation_id) ?? []) {
        if (live.has(one.user_id) || !isNewTo(one, event.xid, message)) continue;
        notices.push(noticeOf(one, message));
      }
    }
    return { notices, place: end, skipped };
  }

  return createFollower({
    db,
    signals: options.signals,
    clock,
    instance,
    consumer: OFFLINE,
    alone: options.alone,
    adopts: () => followConversing(db),
    together: TENANTS_TOGETHER,
    pollInterval: options.pollInterval,
    lease: options.lease,
    longestRest: Math.max(LEAST_REST, delay),
    pass,
    failed: (error) => options.logger.warn({ error, part: OFFLINE }, 'telling of users who are away failed'),
  });
}

function messageOf(event: EventRow): ChatMessage {
  if (event.id !== null) return chatViewOf(event, event.data.state);
  return (event.data as { message: ChatMessage }).message;
}

/** The messages between users among events. */
function saidIn(news: readonly EventRow[]): string[] {
  return news.flatMap((event) => (event.id === null ? messageOf(event).id : []));
}

/** Whether a message is news to someone: not his own, from his time there, and not on a device of his yet. */
function isNewTo({ user_id, joined_xid, delivered_seq }: Reached, xid: string, { user_id: author, seq }: ChatMessage) {
  return author !== user_id && BigInt(joined_xid) <= BigInt(xid) && (seq === null || delivered_seq < seq);
}

function noticeOf({ user_id, conversation_id, unread }: Reached, message: ChatMessage): OfflineNotice {
  const mentioned = message.mentions.some((mention) => mention.user_id === user_id);
  return { user_id, conversation_id, message, mentioned, unread };
}

function byConversation(reached: readonly Reached[]): Map<ConversationId, Reached[]> {
  const map = new Map<ConversationId, Reached[]>();
  for (const one of reached) {
    const others = map.get(one.conversation_id);
    if (others) others.push(one);
    else map.set(one.conversation_id, [one]);
  }
  return map;
}
