import { type FileHandle, open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import type { FileType } from '../domain/media-types.ts';

/** What the detector calls types otherwise than WhatsApp does. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'audio/x-m4a': 'audio/mp4',
  'video/x-m4v': 'video/mp4',
  // A document that is written in XML is a text to whoever gets it.
  'application/xml': 'text/plain',
};

/**
 * Finds out what a file is by its content alone.
 * @returns null for `mime_type` when nothing tells.
 */
export async function fileTypeOf(path: string): Promise<Pick<FileType, 'animated'> & { mime_type: string | null }> {
  // What a detector makes of a broken file is no type; that it broke over it is no news.
  const found = await fileTypeFromFile(path).catch(() => undefined);
  const named = found && (OTHER_NAMES[found.mime] ?? found.mime);
  const file = await open(path, 'r');
  try {
    if (named === 'image/webp') return { mime_type: named, animated: await isAnimated(file) };
    if (named === 'application/x-cfb') return { mime_type: await officeType(file), animated: null };
    const plain = named === undefined || named === 'text/plain';
    return { mime_type: plain ? ((await isText(file)) ? 'text/plain' : null) : named, animated: null };
  } finally {
    await file.close();
  }
}

/** WebP says so in the flags of its extended header (developers.google.com/speed/webp/docs/riff_container). */
async function isAnimated(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(21), 0, 21, 0);
  return bytesRead === 21 && buffer.toString('latin1', 12, 16) === 'VP8X' && ((buffer[20] as number) & 2) !== 0;
}

const PIECE = 64 << 10;

/** Whether it is UTF-8 all through, without a zero byte. */
async function isText(file: FileHandle): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const piece = Buffer.alloc(PIECE);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    const read = piece.subarray(0, bytesRead);
    if (read.includes(0)) return false;
    try {
      decoder.decode(read, { stream: bytesRead > 0 });
    } catch {
      return false;
    }
    if (bytesRead === 0) return at > 0;
    at += bytesRead;
  }
}

/** The streams by which the programs of the old Office are told apart, as their names stand in the folder of the file. */
const STREAMS: readonly [name: Buffer, type: string][] = [
  ['WordDocument', 'application/msword'],
  ['Workbook', 'application/vnd.ms-excel'],
  ['Book', 'application/vnd.ms-excel'],
  ['PowerPoint Document', 'application/vnd.ms-powerpoint'],
].map(([name = '', type = '']) => [Buffer.from(`${name}\0`, 'utf16le'), type]);

const ENTRY = 128;
const MOST_ENTRIES = 512;

/**
 * Which program a compound file is of. Its folder begins in the sector that its header names ([MS-CFB] 2.2, 2.6); that of the
 * root and of the first streams is enough.
 */
async function officeType(file: FileHandle): Promise<string | null> {
  const { buffer: header, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  if (bytesRead < 512) return null;
  const sector = 2 ** Math.min(header.readUInt16LE(30), 16);
  const start = (header.readUInt32LE(48) + 1) * sector;
  const folder = Buffer.alloc(Math.min(sector, ENTRY * MOST_ENTRIES));
  const read = await file.read(folder, 0, folder.length, start);
  for (let at = 0; at + ENTRY <= read.bytesRead; at += ENTRY) {
    for (const [name, type] of STREAMS) if (folder.subarray(at, at + name.length).equals(name)) return type;
  }
  return null;
}
