import type { BegunSend } from '../actions/begin-sends.ts';
import type { SenderId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Hold } from '../domain/schedule/schedule.ts';

/** What pauses let through: of a sender nothing, a probe, or everything. Times are milliseconds of the monotonic clock. */
export interface Gate {
  /** How many messages a sender may begin now: Infinity, 1 for a probe, 0. */
  room(sender: SenderId, now: number): number;
  /** Until when it may begin none. Infinity: until something changes; -Infinity: it may. */
  until(sender: SenderId): number;
  /** A message that is put off though its sender may send. */
  holds: Hold;
  /** Told of what has begun in a round, before the calls: which of them is a probe. */
  begun(sends: readonly BegunSend[]): void;
  /** Told of each outcome, before it is settled. */
  observe(send: BegunSend, outcome: Outcome): void;
  /** Reads what the database says of the senders of these lanes. */
  refresh(lanes: readonly number[]): Promise<void>;
}

/** Nothing is paused. */
export const OPEN_GATE: Gate = {
  room: () => Number.POSITIVE_INFINITY,
  until: () => Number.NEGATIVE_INFINITY,
  holds: () => null,
  begun: () => {},
  observe: () => {},
  refresh: () => Promise.resolve(),
};
