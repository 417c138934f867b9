const ISO = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** How a time is to be written, for messages to people. */
export const TIME_FORMAT = 'an ISO 8601 time with a zone, like 2026-12-01T15:00:00Z';

/**
 * Reads an ISO 8601 time that names its zone: one without would mean another moment on another machine.
 * @returns milliseconds since 1970, or null when it is none.
 */
export function parseTime(text: string): number | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, year, month, day] = match;
  // Date.parse takes 30 February as 2 March.
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
