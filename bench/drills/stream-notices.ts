import type { LoggedEvent } from './stream-log.ts';

/** When a device had an open socket, in milliseconds of the clock. */
export interface Span {
  from: number;
  /** Infinity: it is open. */
  to: number;
}

/** Who could have been reached, as far as the drill knows. */
export interface Reachable {
  /** Users who never had a device, by conversation. */
  away: ReadonlyMap<string, readonly string[]>;
  /** Of each user who has devices, when each of them was connected. */
  spans: ReadonlyMap<string, readonly Span[]>;
  /** While these lasted no instance could say that it lives, so that nobody was there. */
  outages: readonly Span[];
}

/** Of one kind no more are told. */
const MOST_TOLD = 3;

/**
 * Holds the notifications of a whole log against what the drill knows. Who has no device is told of each message of his conversations
 * exactly once; nobody is told of a message twice, nor of his own; and nobody who had the same socket open from the message until the notification.
 * @returns what is otherwise, in words
 */
export function compareNotices(log: readonly LoggedEvent[], { away, spans, outages }: Reachable): string[] {
  const breaches: string[] = [];
  const breach = (kind: string, all: readonly string[]): void => {
    if (all.length > 0) breaches.push(`${all.length} notifications ${kind}: ${all.slice(0, MOST_TOLD).join(', ')}`);
  };
  const told = new Map<string, LoggedEvent>();
  const twice: string[] = [];
  const own: string[] = [];
  const there: string[] = [];
  for (const event of log) {
    if (event.type !== 'notification.offline') continue;
    const { user, message, author, id } = event;
    const what = `${user} of ${message}`;
    if (told.has(what)) twice.push(what);
    told.set(what, event);
    if (user === author) own.push(what);
    if (user === null || message === null) continue;
    const [said, now] = [timeOf(message), timeOf(id)];
    const excused = outages.some(({ from, to }) => from <= now && said <= to);
    const reached = spans.get(user)?.some(({ from, to }) => from <= said && to >= now) ?? false;
    if (reached && !excused) there.push(`${what} at ${new Date(now).toISOString()}`);
  }
  const missing: string[] = [];
  for (const { type, conversation, message, author } of log) {
    if (type !== 'chat.created') continue;
    for (const user of away.get(conversation ?? '') ?? []) {
      if (user !== author && !told.has(`${user} of ${message}`)) missing.push(`${user} of ${message}`);
    }
  }
  breach('are missing', missing);
  breach('came twice', twice);
  breach('are for the author', own);
  breach('are for a user whose device was connected all the while', there);
  return breaches;
}

/** When a UUIDv7 was made, in milliseconds (RFC 9562). */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
