import type { MessageAct } from './inbound-message.ts';

/** What a customer said to a message with one sign. `emoji` null: taken back; kept, so that an older one that comes late stays out. */
export interface CustomerReaction {
  /** The contact. */
  by: string;
  /** What he was called: phone number or business-scoped user id. */
  from: string;
  emoji: string | null;
  /** ISO 8601. */
  at: string;
}

/** What can be done to a message after it was sent, as it stands. */
export interface ActedOn {
  content: Record<string, unknown> | null;
  reactions: readonly CustomerReaction[] | null;
  edited_at: Date | null;
  deleted_at: Date | null;
}

/** An act, which contact did it under which name, and when, in milliseconds since 1970. */
export interface Acted {
  act: MessageAct;
  by: string;
  from: string;
  at: number;
}

/** What acts changed; null: it stays. */
export interface ActChange {
  content: Record<string, unknown> | null;
  reactions: CustomerReaction[] | null;
  edited_at: number | null;
  deleted_at: number | null;
}

/** Most reactions of one message that are kept: one person reacts once, and in a group of 1,024 not everybody does. */
const MOST_REACTIONS = 1024;

/**
 * What a message becomes by acts, told in any order and any number: the latest of each kind counts, one reaction a person. Of two in
 * the same moment the one that is told last counts. An edit changes the text, and the text before the first edit is kept; what was
 * deleted stays here, and says so.
 */
export function changeByActs(message: ActedOn, acts: readonly Acted[]): ActChange {
  let { content } = message;
  let editedAt = message.edited_at?.getTime() ?? null;
  let deletedAt = message.deleted_at?.getTime() ?? null;
  let reactions = message.reactions ?? [];
  const changed = { edited: false, deleted: false, reacted: false };
  for (const { act, by, from, at } of acts) {
    if (act.kind === 'edit' && at >= (editedAt ?? 0)) {
      content = editedContent(content, act.text);
      editedAt = at;
      changed.edited = true;
    } else if (act.kind === 'revoke' && deletedAt === null) {
      deletedAt = at;
      changed.deleted = true;
    } else if (act.kind === 'reaction') {
      const before = reactions.filter((one) => one.by === by);
      if (before.some((one) => Date.parse(one.at) > at)) continue;
      const mine: CustomerReaction = { by, from, emoji: act.emoji, at: new Date(at).toISOString() };
      reactions = [...reactions.filter((one) => one.by !== by), mine].slice(-MOST_REACTIONS);
      changed.reacted = true;
    }
  }
  return {
    content: changed.edited ? content : null,
    reactions: changed.reacted ? [...reactions] : null,
    edited_at: changed.edited ? editedAt : null,
    deleted_at: changed.deleted ? deletedAt : null,
  };
}

function editedContent(content: Record<string, unknown> | null, text: string | null): Record<string, unknown> {
  const { text: before = null, ...rest } = content ?? {};
  return {
    ...(text !== null && { text }),
    ...rest,
    original_text: 'original_text' in rest ? rest['original_text'] : before,
  };
}
