import type { IncomingHttpHeaders } from 'node:http';
import rangeParser from 'range-parser';

/**
 * The one range of a file that is asked for (RFC 9110, 14). null: the whole of it, also when several ranges are asked for, or
 * one of another content; `none`: no byte of it lies in the range.
 * @param etag of the content there is.
 */
export function byteRange(
  headers: IncomingHttpHeaders,
  size: number,
  etag: string,
): { start: number; end: number } | 'none' | null {
  const { range } = headers;
  if (range === undefined || (headers['if-range'] !== undefined && headers['if-range'] !== etag)) return null;
  // More than there is at the end is all of it, which the parser does not know.
  const last = /^bytes=-(\d{1,15})$/.exec(range)?.[1];
  if (size > 0 && last !== undefined && Number(last) >= size) return { start: 0, end: size - 1 };
  const ranges = rangeParser(size, range, { combine: true });
  if (ranges === -1) return 'none';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}
