import type { UserId } from '../../domain/chat.ts';
import type { ConversationId } from '../../domain/ids.ts';

/**
 * Who types now, as far as this instance was told. Typing is a word, not an event: it is kept for a few seconds and ends by itself,
 * for whoever typed may be gone without saying so.
 */
export interface Typing {
  /** @returns whether that is to be told: it is new, or is said again after a while. */
  note(conversation: ConversationId, user: UserId, isTyping: boolean, now: number): boolean;
  /** Whether he types, as far as is known. */
  has(conversation: ConversationId, user: UserId): boolean;
  /** The user has said something. @returns whether he typed. */
  ended(conversation: ConversationId, user: UserId): boolean;
  /** Those who have not typed for a while; they are forgotten by that. */
  takeOverdue(now: number): { conversation: ConversationId; user: UserId }[];
}

/** Milliseconds after which it has ended, unless it is said again. */
const LASTS = 6000;
/** Milliseconds in which the same is not told twice. */
const QUIET = 1000;
/** Most who type at once in a tenant; more are not told of. */
const MOST = 10_000;

export function createTyping(): Typing {
  /** By conversation and user; the longest silent first. */
  const typing = new Map<string, { conversation: ConversationId; user: UserId; at: number }>();
  const keyOf = (conversation: ConversationId, user: UserId) => `${conversation}\0${user}`;

  return {
    note(conversation, user, isTyping, now) {
      const key = keyOf(conversation, user);
      if (!isTyping) return typing.delete(key);
      const before = typing.get(key);
      if (before && now - before.at < QUIET) return false;
      typing.delete(key);
      if (typing.size >= MOST) return false;
      typing.set(key, { conversation, user, at: now });
      return true;
    },
    has: (conversation, user) => typing.has(keyOf(conversation, user)),
    ended: (conversation, user) => typing.delete(keyOf(conversation, user)),
    takeOverdue(now) {
      const overdue: { conversation: ConversationId; user: UserId }[] = [];
      for (const [key, one] of typing) {
        if (now - one.at < LASTS) break;
        typing.delete(key);
        overdue.push({ conversation: one.conversation, user: one.user });
      }
      return overdue;
    },
  };
}
