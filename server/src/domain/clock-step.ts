/** A reading of the database's clock, between two of the own monotonic one. Milliseconds. */
export interface ClockReading {
  /** The database's clock, since 1970. */
  wall: number;
  /** The monotonic clock when it was asked for, and when the answer was there. */
  asked: number;
  answered: number;
}

/**
 * By how many milliseconds at least the database's clock was set on (positive) or back (negative) between two readings; 0:
 * what it shows can be what the monotonic clock says has passed. A machine that slept looks like a clock that was set on.
 */
export function clockStep(before: ClockReading, now: ClockReading): number {
  const shown = now.wall - before.wall;
  const most = now.answered - before.asked;
  const least = now.asked - before.answered;
  if (shown > most) return shown - most;
  return shown < least ? shown - least : 0;
}
