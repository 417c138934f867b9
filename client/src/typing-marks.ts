/** What was told of the user's typing, so that each key pressed is not told. Typing is a word: what is not told in time is not told. */
export interface TypingMarks {
  /** @returns whether that is to be written. */
  note(conversation: string, isTyping: boolean): boolean;
  /** He said it, which ends typing on the server. */
  said(conversation: string): void;
  clear(): void;
}

/** Milliseconds after which it is told again. The server lets it end after 6 s. */
const AGAIN = 3000;
const LASTS = 6000;
/** Conversations in which one types at once; the oldest are forgotten beyond it. */
const MOST = 100;

export function createTypingMarks(now: () => number = () => performance.now()): TypingMarks {
  const told = new Map<string, number>();
  return {
    note(conversation, isTyping) {
      const at = told.get(conversation);
      const age = at === undefined ? Number.POSITIVE_INFINITY : now() - at;
      if (!isTyping) {
        told.delete(conversation);
        return age < LASTS;
      }
      if (age < AGAIN) return false;
      told.delete(conversation);
      told.set(conversation, now());
      const [oldest] = told.keys();
      if (told.size > MOST && oldest !== undefined) told.delete(oldest);
      return true;
    },
    said(conversation) {
      told.delete(conversation);
    },
    clear() {
      told.clear();
    },
  };
}
