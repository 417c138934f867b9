import { createReadStream } from 'node:fs';
import type { Encoding } from './source.ts';

/** A physical line, without its end. */
export interface Line {
  /** From 1, as editors count. */
  number: number;
  /** Null when the line is longer than `LONGEST_LINE`: it is passed over, not held. */
  text: string | null;
}

/** In characters. The longest text that WhatsApp takes has 4,096. */
export const LONGEST_LINE = 65_536;

/**
 * The lines of a file, one after the other; at most a line and a chunk are in memory. Lines may end with LF, CRLF or CR,
 * and the last one need not end. A byte order mark is no part of the first.
 */
export async function* readLines(path: string, encoding: Encoding): AsyncGenerator<Line, void> {
  const decoder = new TextDecoder(encoding);
  let number = 0;
  let rest = '';
  let tooLong = false;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 64 * 1024 });
  for await (const bytes of chunks) {
    const lines = splitLines(rest + decoder.decode(bytes, { stream: true }));
    rest = lines.pop() ?? '';
    for (const text of lines) {
      yield { number: ++number, text: tooLong || text.length > LONGEST_LINE ? null : text };
      tooLong = false;
    }
    if (rest.length > LONGEST_LINE) {
      tooLong = true;
      rest = rest.endsWith('\r') ? '\r' : '';
    }
  }
  const last = (rest + decoder.decode()).replace(/\r$/, '');
  if (last !== '' || tooLong) yield { number: ++number, text: tooLong ? null : last };
}

/** Splits at line ends; what follows the last one is the last element. A final CR stays on it: LF may follow. */
function splitLines(text: string): string[] {
  const open = text.endsWith('\r');
  const lines = (open ? text.slice(0, -1) : text).split(/\r\n|\n|\r/);
  if (open) lines.push(`${lines.pop() ?? ''}\r`);
  return lines;
}
