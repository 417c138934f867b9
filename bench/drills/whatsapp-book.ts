/** What was promised in a drill, for its verdict: kept as each answer comes, and not before. */
export interface Book {
  /** Acknowledged messages, by id. */
  messages: Map<string, Promised>;
  /** What customers sent, by the provider's id: the size of its file; null: it has none. */
  received: Map<string, number | null>;
  /** Names of templates that were taken. */
  templates: Set<string>;
  /** Exports that were taken, with the messages that had been acknowledged before. */
  exports: Map<string, ReadonlySet<string>>;
  /** Who opted out, and when that was answered, in milliseconds since 1970. */
  optedOut: Map<string, number>;
  /** Who wrote that he wants no more. */
  saidStop: Set<string>;
  /** Whom the default sender blocks. */
  blocked: Set<string>;
  /** Numbers of accounts that were added. */
  numbers: Set<string>;
  /** Ids of messages that are scheduled for next year: they fill the exports. */
  filler: Set<string>;
  /** Numbers that a message a second goes to while the rest is settled. */
  trickle: Set<string>;
  /** What was answered otherwise than promised, in words. */
  contradictions: string[];
}

export interface Promised {
  to: string;
  /** What the provider is to have of it, in this order: the types of its messages. */
  arrives: readonly string[];
  /** `either`: its recipient opted out while it was waiting. */
  ends: 'sent' | 'failed' | 'either';
}

export function newBook(): Book {
  return {
    messages: new Map(),
    received: new Map(),
    templates: new Set(),
    exports: new Map(),
    optedOut: new Map(),
    saidStop: new Set(),
    blocked: new Set(),
    numbers: new Set(),
    filler: new Set(),
    trickle: new Set(),
    contradictions: [],
  };
}
