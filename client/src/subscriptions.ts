import type { AldisError } from './api-error.ts';
import type { Outbox } from './outbox.ts';
import { newName } from './waiting.ts';

export interface Subscription {
  /** Whose presence: users who share a conversation with this one; software may name any. */
  users?: readonly string[];
  /** Of software that speaks for no user: only events of these types; `chat.*` means all that begin so. */
  types?: readonly string[];
  /** Of software: only events of these conversations. */
  conversations?: readonly string[];
}

/** What a socket has subscribed to, which each new connection is told again. */
export interface Subscriptions {
  add(subscription: Subscription): Promise<void>;
  remove(users?: readonly string[]): Promise<void>;
  /** There is a new connection. Before the outbox is opened. */
  open(): void;
}

export function createSubscriptions(outbox: Outbox, failed: (error: unknown) => void): Subscriptions {
  const users = new Set<string>();
  let telling = false;
  let filter: Pick<Subscription, 'types' | 'conversations'> = {};

  async function tell({ users: named, types, conversations }: Subscription, first?: true): Promise<void> {
    const payload = {
      client_id: newName(),
      ...(named && { users: [...named] }),
      ...(types && { types: [...types] }),
      ...(conversations && { conversations: [...conversations] }),
    };
    await outbox.push({ type: 'subscribe', payload, repeatable: true, ...(first && { first }) });
  }

  /** Tells all of it again, before what was asked for since. Of whom one may know nothing any more is left out by the way. */
  async function tellAgain(): Promise<void> {
    for (;;) {
      const { types, conversations } = filter;
      if (users.size === 0 && !types && !conversations) return;
      try {
        return await tell({ ...filter, ...(users.size > 0 && { users: [...users] }) }, true);
      } catch (error) {
        const { code, details } = error as AldisError;
        if (code === 'closed') return;
        failed(error);
        // He has left the conversation that was shared: the others are still there.
        const stranger = details?.['user_id'];
        if (typeof stranger !== 'string' || !users.delete(stranger)) return;
      }
    }
  }

  return {
    async add(subscription) {
      await tell(subscription);
      for (const user of subscription.users ?? []) users.add(user);
      const { types, conversations } = subscription;
      filter = { ...filter, ...(types && { types }), ...(conversations && { conversations }) };
    },
    async remove(named) {
      const payload = { client_id: newName(), ...(named && { users: [...named] }) };
      await outbox.push({ type: 'unsubscribe', payload, repeatable: true });
      for (const user of named ?? [...users]) users.delete(user);
      if (named === undefined) filter = {};
    },
    open() {
      if (telling) return;
      telling = true;
      void tellAgain().finally(() => {
        telling = false;
      });
    },
  };
}
