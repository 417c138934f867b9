import type { MessageId, TemplateId, TenantId } from '../domain/ids.ts';

/**
 * "Something changed" between the parts of Aldis, and later between instances. A signal carries nothing and may be lost:
 * whoever waits also looks by itself from time to time, so that a lost one costs latency only.
 */
export type Topic =
  /** Work may have become due in a lane. */
  | `due:${number}`
  /** Raw webhooks were stored. */
  | 'inbound'
  /** Events of a tenant were committed. */
  | `events:${TenantId}`
  /** A message has been sent, or has failed. */
  | `message:${MessageId}`
  /** WhatsApp is to be told that a message was read. */
  | 'read_marks'
  /** WhatsApp is to be told whom a sender blocks. */
  | 'blocked_users'
  /** Tenants or senders were changed: their limits, their credentials, whether they send. */
  | 'senders'
  /** Templates were changed, or what WhatsApp is to be told of them. */
  | 'templates'
  /** WhatsApp was told of a template, or did not take it. */
  | `template:${TemplateId}`
  /** Customers' files are to be fetched. */
  | 'media'
  /** Exports are to be written, or removed. */
  | 'exports'
  /** Accounts are to be looked at, or work of their senders is to be moved. */
  | 'accounts'
  /** An account, by WhatsApp's id, was looked at. */
  | `account:${string}`
  /** Meta apps were changed: their secrets. */
  | 'apps'
  /** API keys were changed or revoked. */
  | 'keys';

export interface Signals {
  /** Tells all who listen on a topic, soon. Never throws. */
  notify(topic: Topic): void;
  /** Calls `listener` at each notice until the returned function is called. */
  listen(topic: Topic, listener: () => void): () => void;
}

/** Signals within one process: a notice reaches its listeners before `notify` returns. */
export function memorySignals(): Signals {
  const listeners = new Map<Topic, Set<() => void>>();
  return {
    notify(topic) {
      const set = listeners.get(topic);
      if (set) for (const listener of set) listener();
    },
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
