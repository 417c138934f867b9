import type { Priority } from '../message.ts';

/**
 * How the messages that a sender may send are shared among its three priorities. By stride scheduling: each priority that has
 * work gets its weight's part, whatever the others ask for, and what one leaves the others may have.
 *
 * The bound: while all three have work, of 12 messages in a row 8 are high, 3 normal and 1 low. So the oldest low one leaves after
 * at most 11 others of its sender, and a high one that comes after a pause is the next to leave.
 */
export const WEIGHTS = [8, 3, 1] as const satisfies Readonly<Record<Priority, number>>;

/** One number for each priority: high, normal, low. */
export type ByPriority<T = number> = [high: T, normal: T, low: T];

const ALL: readonly Priority[] = [0, 1, 2];
/** A priority that had no work is looked at with so much room: it may have some now. */
const A_LOOK = 8;

export interface Priorities {
  /** How many of each to read, for so much room, that hardly more are read than may leave. */
  limits(room: number): ByPriority;
  /** Told how many there were, up to the limits. */
  found(counts: Readonly<ByPriority>): void;
  /** Whose turn it is among those that have work; null: none has. Counts the turn. */
  next(has: Readonly<ByPriority<boolean>>): Priority | null;
}

export function createPriorities(): Priorities {
  /** How far each has come: whoever is behind is next. */
  const passes: ByPriority = [0, 0, 0];
  const busy: ByPriority<boolean> = [false, false, false];
  let reached = 0;

  return {
    limits(room) {
      const weight = ALL.reduce<number>((sum, one) => sum + (busy[one] ? WEIGHTS[one] : 0), 0);
      const limit = (one: Priority): number => {
        if (weight === 0) return room;
        return busy[one] ? Math.min(room, Math.ceil((room * WEIGHTS[one]) / weight) + 1) : Math.min(room, A_LOOK);
      };
      return [limit(0), limit(1), limit(2)];
    },
    found(counts) {
      for (const one of ALL) {
        const has = counts[one] > 0;
        // Whoever had nothing to send has saved nothing up.
        if (has && !busy[one]) passes[one] = Math.max(passes[one], reached);
        busy[one] = has;
      }
    },
    next(has) {
      let first: Priority | null = null;
      for (const one of ALL) if (has[one] && (first === null || passes[one] < passes[first])) first = one;
      if (first === null) return null;
      reached = passes[first];
      passes[first] += 1 / WEIGHTS[first];
      return first;
    },
  };
}
