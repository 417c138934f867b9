import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import type { DraftFile, MediaDraft, MediaFiles } from '../domain/media-files.ts';
import { adviceFor, kindOf, LARGEST_DOCUMENT, mostBytes } from '../domain/media-types.ts';
import type { ObjectStore } from '../domain/object-store.ts';
import { fileTypeOf } from './file-type.ts';

export interface MediaFilesOptions {
  store: ObjectStore;
  /** Where drafts lie, on the disk of this machine. Of this process alone: what lies there at the start is removed. */
  drafts: string;
  /** The largest file that is taken in, in bytes. */
  maxFileSize: number;
}

/** Uploads that arrive at once; each may be as large as a file may be, on this machine's disk. */
const MOST_UPLOADS = 64;
/** Seconds after which it is worth trying again. */
const SOON = 5;

/**
 * Files of tenants in an object store. A draft lies on the disk until its hash is known: the hash is its key, and what is there
 * already is not stored again.
 */
export async function openMediaFiles({ store, drafts, maxFileSize }: MediaFilesOptions): Promise<MediaFiles> {
  await mkdir(drafts, { recursive: true, mode: 0o700 });
  for (const name of await readdir(drafts)) await rm(join(drafts, name), { recursive: true, force: true });
  let uploads = 0;

  async function draft(bytes: AsyncIterable<Uint8Array>, source: 'sent' | 'received'): Promise<MediaDraft> {
    const most = source === 'sent' ? Math.min(maxFileSize, LARGEST_DOCUMENT) : LARGEST_DOCUMENT;
    const path = join(drafts, randomUUID());
    try {
      const { size, sha256 } = await write(path, bytes, most);
      const { mime_type, animated } = await fileTypeOf(path);
      const found = { size, sha256, mime_type, animated };
      const file = source === 'sent' ? checked(found) : asReceived(found);
      return draftOf(store, path, file);
    } catch (error) {
      await rm(path, { force: true });
      if (isFull(error)) outOfReach(error);
      throw error;
    }
  }

  return {
    async draft(bytes, source) {
      if (source === 'received') return draft(bytes, source);
      if (uploads >= MOST_UPLOADS) throw new AldisError('overloaded', undefined, { retryAfter: SOON });
      uploads++;
      try {
        return await draft(bytes, source);
      } finally {
        uploads--;
      }
    },
    async open(tenant, sha256, range) {
      const found = await store.get(keyOf(tenant, sha256), range).catch(outOfReach);
      return found?.bytes ?? null;
    },
    remove: (tenant, sha256) => store.remove(keyOf(tenant, sha256)).catch(outOfReach),
  };
}

function draftOf(store: ObjectStore, path: string, file: DraftFile): MediaDraft {
  return {
    file,
    async keep(tenant) {
      const about = { type: file.mime_type };
      await store.put(keyOf(tenant, file.sha256), createReadStream(path), about).catch(outOfReach);
    },
    drop: () => rm(path, { force: true }),
  };
}

/** Whatever is wrong with a store, it is nobody's fault who asks, and may be over soon. */
function outOfReach(cause: unknown): never {
  const text = 'The store of files cannot be reached, or is full; try again in a moment.';
  throw new AldisError('unavailable', text, { retryAfter: SOON, cause });
}

function keyOf(tenant: TenantId, sha256: Buffer): string {
  return `messages/${tenant}/${sha256.toString('hex')}`;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Writes bytes to a new file. Who sends them is held up by the disk. */
async function write(path: string, bytes: AsyncIterable<Uint8Array>, most: number) {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > most) throw tooLarge(`The file is larger than ${sizeText(most)}.`, most);
      hash.update(chunk);
      for (let written = 0; written < chunk.length; ) {
        written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
      }
    }
  } finally {
    await file.close();
  }
  if (size === 0) throw new AldisError('invalid_field', 'The file is empty.', { field: 'file' });
  return { size, sha256: hash.digest() };
}

type Found = Omit<DraftFile, 'mime_type' | 'kind'> & { mime_type: string | null };

/** A file of a customer is taken as it is. One that is too large for what it is may go on as a document. */
function asReceived({ mime_type, ...file }: Found): DraftFile {
  const kind = kindOf(mime_type ?? '') ?? 'other';
  const tooLong = kind !== 'other' && file.size > mostBytes({ kind, animated: file.animated });
  return { ...file, mime_type: mime_type ?? 'application/octet-stream', kind: tooLong ? 'document' : kind };
}

/** Holds a file that is to be sent to what WhatsApp takes. */
function checked({ mime_type, ...file }: Found): DraftFile {
  const kind = kindOf(mime_type ?? '');
  if (mime_type === null || kind === null) {
    throw new AldisError('unsupported_type', `${adviceFor(mime_type)}.`, {
      field: 'file',
      details: { mime_type },
    });
  }
  const most = mostBytes({ kind, animated: file.animated });
  if (file.size > most) {
    const what =
      kind === 'sticker' ? (file.animated ? 'an animated sticker' : 'a static sticker') : `a file of this type`;
    throw tooLarge(`WhatsApp takes ${what} up to ${sizeText(most)}, and this one has ${file.size} bytes.`, most);
  }
  return { ...file, mime_type, kind };
}

function tooLarge(text: string, limit: number): AldisError {
  return new AldisError('payload_too_large', text, { field: 'file', details: { limit } });
}

function sizeText(bytes: number): string {
  return bytes % 1e6 === 0 ? `${bytes / 1e6} MB` : bytes % 1e3 === 0 ? `${bytes / 1e3} KB` : `${bytes} bytes`;
}
