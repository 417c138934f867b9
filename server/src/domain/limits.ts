import { AldisError } from './errors.ts';

/**
 * The limits that a message counts against when it is accepted: its tenant's in a calendar month and its sender's on a day,
 * both by UTC. A place is taken by accepting, and given back by ending without having been sent.
 */
export interface Caps {
  /** Messages that the tenant may send in a month; null: as many as it likes. */
  monthly: number | null;
  /** Messages that the sender may accept on a day; null: as many as it likes. */
  daily: number | null;
}

/** No limits at all. */
export const NO_CAPS: Caps = { monthly: null, daily: null };

/** What stands in `messages.reserved` for each limit that a message holds a place of. */
export const HELD = { month: 1, day: 2 } as const;
export type LimitPeriod = keyof typeof HELD;

/** Which limit has no room, as the table of errors calls it, and when its window ends; null: who counts does not say. */
export interface LimitReached {
  code: 'quota_exceeded' | 'daily_limit_reached';
  resets_at: Date | null;
}

/** The caps of a message: its own where there are such, else those of the configuration. null: nothing limits it. */
export function capsOf(own: Caps, usual: Caps): Caps | null {
  const monthly = own.monthly ?? usual.monthly;
  const daily = own.daily ?? usual.daily;
  return monthly === null && daily === null ? null : { monthly, daily };
}

/** When the window that begins at a time ends. */
export function windowEnd(period: LimitPeriod, startsAt: Date): Date {
  const end = new Date(startsAt);
  if (period === 'day') end.setUTCDate(end.getUTCDate() + 1);
  else end.setUTCMonth(end.getUTCMonth() + 1);
  return end;
}

/** What a client is told of a limit without room. @param now milliseconds since 1970 */
export function limitError({ code, resets_at }: LimitReached, now: number): AldisError {
  if (resets_at === null) return new AldisError(code);
  const retryAfter = Math.max(1, Math.ceil((resets_at.getTime() - now) / 1000));
  return new AldisError(code, undefined, { details: { resets_at: resets_at.toISOString() }, retryAfter });
}
