import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { usageError } from '../exit-codes.ts';

/** The ways of writing text that are told apart. Windows-1252 is what programs mean by Latin-1. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** A file to import, as the first pass over it found it. */
export interface Source {
  path: string;
  encoding: Encoding;
  /** SHA-256 of the bytes, in hexadecimal: the same content is the same import. */
  sha256: string;
  /** Physical lines, for the progress bar. */
  lines: number;
}

/**
 * Reads a file once, without keeping it: what it holds, how it is written, how long it is.
 * @throws {CliError} `usage` when it is no file of text
 */
export async function inspectSource(path: string): Promise<Source> {
  if (!(await stat(path)).isFile()) throw usageError(`${path} is no regular file; an import reads it twice`);
  const hash = createHash('sha256');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let validUtf8 = true;
  let lines = 0;
  let last = 0x0a;
  let start: Buffer | null = null;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 256 * 1024 });
  for await (const bytes of chunks) {
    start ??= Buffer.from(bytes.subarray(0, 4));
    hash.update(bytes);
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines++;
    last = bytes[bytes.length - 1] ?? last;
    validUtf8 &&= decodes(utf8, bytes, true);
  }
  if (start === null) throw usageError(`${path} is empty`);
  if (start.toString('latin1').startsWith('PK\x03\x04')) {
    throw usageError(`${path} is a spreadsheet; export it as CSV first`);
  }
  validUtf8 &&= decodes(utf8, Buffer.alloc(0), false);
  if (last !== 0x0a) lines++;
  return { path, encoding: encodingOf(start, validUtf8), sha256: hash.digest('hex'), lines };
}

function encodingOf(start: Buffer, validUtf8: boolean): Encoding {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return validUtf8 ? 'utf-8' : 'windows-1252';
}

function decodes(decoder: TextDecoder, bytes: Buffer, stream: boolean): boolean {
  try {
    decoder.decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
