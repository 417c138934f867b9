/**
 * Pacing: at most `most` messages leave in each window of `span` ms. A window begins with the first message that leaves
 * after the last one was over; what does not fit waits for the next. So a backlog leaves as batches at intervals, and a
 * restart in the middle of a window finds what it has used. Times are milliseconds since 1970, of the clock that
 * windows are kept by.
 */
export interface Pace {
  kind: PaceKind;
  most: number;
  span: number;
}

/** `minute`: so many a minute. `batch`: so many each interval. A sender may have both. */
export type PaceKind = 'minute' | 'batch';

export interface PaceWindow {
  startedAt: number;
  used: number;
}

/** What a sender's own row and the configuration say; null: nothing. */
export interface PaceSettings {
  per_minute: number | null;
  batch_size: number | null;
  processing_interval_ms: number | null;
}

/** The paces a sender keeps: its own numbers go before the configured ones. None for nearly all. */
export function pacesOf(own: PaceSettings, configured: PaceSettings): Pace[] {
  const paces: Pace[] = [];
  const perMinute = own.per_minute ?? configured.per_minute;
  if (perMinute !== null) paces.push({ kind: 'minute', most: perMinute, span: 60_000 });
  const size = own.batch_size ?? configured.batch_size;
  const interval = own.processing_interval_ms ?? configured.processing_interval_ms;
  if (size !== null && interval !== null) paces.push({ kind: 'batch', most: size, span: interval });
  return paces;
}

/** How many may leave now. */
export function paceRoom(pace: Pace, last: PaceWindow | undefined, now: number): number {
  return Math.max(0, pace.most - (openAt(pace, last, now)?.used ?? 0));
}

/** The window after `count` messages left now. */
export function paceAfter(pace: Pace, last: PaceWindow | undefined, now: number, count: number): PaceWindow {
  const { startedAt, used } = openAt(pace, last, now) ?? { startedAt: now, used: 0 };
  return { startedAt, used: used + count };
}

/** Milliseconds until one may leave. 0: now. */
export function paceWait(pace: Pace, last: PaceWindow | undefined, now: number): number {
  const window = openAt(pace, last, now);
  return window && window.used >= pace.most ? window.startedAt + pace.span - now : 0;
}

/** The window that is open, if one is. A clock that was set back far does not keep one open for longer than its span. */
function openAt({ span }: Pace, last: PaceWindow | undefined, now: number): PaceWindow | undefined {
  return last && Math.abs(now - last.startedAt) < span ? last : undefined;
}
