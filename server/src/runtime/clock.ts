/**
 * Where time comes from. Parts that decide by time take a clock, so that a test can be at any time at once.
 */
export interface Clock {
  /** Milliseconds since 1970, as the calendar goes. It may jump when the machine's clock is set: never measure with it. */
  now(): number;
  /** Milliseconds since some start, never going back and never jumping: for leases, deadlines and durations. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
