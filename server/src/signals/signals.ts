import type { UserId } from '../domain/chat.ts';
import type { ConversationId, MessageId, TemplateId, TenantId } from '../domain/ids.ts';

/**
 * "Something changed" between the parts of Aldis, and between instances. A signal carries nothing and may be lost:
 * whoever waits also looks by itself from time to time, so that a lost one costs latency only.
 */
export type Topic =
  /** Work may have become due in a lane. */
  | `due:${number}`
  /** Raw webhooks were stored. */
  | 'inbound'
  /** Events of a tenant were committed. */
  | `events:${TenantId}`
  /** The same, of whatever tenant. Only listened to: it comes with each of the above. */
  | 'events'
  /** A message has been sent, or has failed. */
  | `message:${MessageId}`
  /** WhatsApp is to be told that a message was read. */
  | 'read_marks'
  /** WhatsApp is to be told whom a sender blocks. */
  | 'blocked_users'
  /** Tenants or senders were changed: their limits, their credentials, whether they send. */
  | 'senders'
  /** Queues were shut or opened. */
  | 'pauses'
  /** Templates were changed, or what WhatsApp is to be told of them. */
  | 'templates'
  /** WhatsApp was told of a template, or did not take it. */
  | `template:${TemplateId}`
  /** Customers' files are to be fetched. */
  | 'media'
  /** Exports are to be written, or removed. */
  | 'exports'
  /** Deliveries to customers' webhooks may be due, or endpoints were changed. */
  | 'webhooks'
  /** A redrive has begun. */
  | 'redrives'
  /** Accounts are to be looked at, or work of their senders is to be moved. */
  | 'accounts'
  /** An account, by WhatsApp's id, was looked at. */
  | `account:${string}`
  /** Meta apps were changed: their secrets. */
  | 'apps'
  /** API keys were changed or revoked. */
  | 'keys';

/** What is told and not kept: it reaches those who listen now, or nobody. As JSON at most a few hundred bytes. */
export type Word =
  | { kind: 'typing'; tenant: TenantId; conversation: ConversationId; user: UserId; is_typing: boolean; at: number }
  /** `last_seen`: milliseconds since 1970; null: never. */
  | { kind: 'presence'; tenant: TenantId; user: UserId; online: boolean; last_seen: number | null };

export interface Signals {
  /** Tells all who listen on a topic, soon. Never throws. */
  notify(topic: Topic): void;
  /**
   * Calls `listener` at each notice until the returned function is called. On `events` it is given the tenant; nothing, when notices of
   * any may have been missed.
   */
  listen(topic: Topic, listener: (tenant?: TenantId) => void): () => void;
  /** Says something to all instances, this one too. Never throws. */
  say(word: Word): void;
  /** Calls `listener` with each word until the returned function is called. */
  hear(listener: (word: Word) => void): () => void;
}

/** Signals of one process, and what a bus between processes needs of them. */
export interface LocalSignals extends Signals {
  /** Tells all who listen, on whatever topic: what was told meanwhile is not known. */
  notifyAll(): void;
  /** Whether anybody listens on a topic. */
  isHeard(topic: Topic): boolean;
}

const OF_TENANT = 'events:';

/** Signals within one process: a notice reaches its listeners before `notify` returns. */
export function memorySignals(): LocalSignals {
  const listeners = new Map<Topic, Set<(tenant?: TenantId) => void>>();
  const hearers = new Set<(word: Word) => void>();
  return {
    say(word) {
      for (const hearer of hearers) hearer(word);
    },
    hear(listener) {
      hearers.add(listener);
      return () => hearers.delete(listener);
    },
    notify(topic) {
      const set = listeners.get(topic);
      if (set) for (const listener of set) listener();
      const all = topic.startsWith(OF_TENANT) ? listeners.get('events') : undefined;
      if (all) for (const listener of all) listener(topic.slice(OF_TENANT.length) as TenantId);
    },
    notifyAll() {
      // Who begins to listen for that is not told: he is about to look anyway.
      for (const set of [...listeners.values()]) for (const listener of [...set]) listener();
    },
    isHeard: (topic) => listeners.has(topic),
    listen(topic, listener) {
      let set = listeners.get(topic);
      if (!set) {
        set = new Set();
        listeners.set(topic, set);
      }
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(topic);
      };
    },
  };
}
