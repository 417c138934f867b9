import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isObject } from './answers.ts';
import type { Client } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';

/** Milliseconds that a file of the largest size may take on a slow line. */
const TIMEOUT = 600_000;

/** A file that is stored there. */
export interface UploadedFile {
  id: string;
  kind: string;
}

/**
 * Stores a file on the server, streamed. The same content is stored once, so that it may be tried again.
 * @throws {CliError} `usage` for what cannot be read; what `request` throws.
 */
export async function uploadFile(client: Client, path: string): Promise<UploadedFile> {
  const form = new FormData();
  form.append('file', await blobOf(path), basename(path));
  const answer = await client.request({
    method: 'POST',
    path: '/api/v1/media',
    body: form,
    repeatable: true,
    timeout: TIMEOUT,
  });
  const { id, kind } = isObject(answer) ? answer : {};
  if (typeof id !== 'string' || typeof kind !== 'string') {
    throw new CliError(EXIT.failure, 'strange_answer', 'the server does not say which file it stored');
  }
  return { id, kind };
}

async function blobOf(path: string): Promise<Blob> {
  try {
    // Of a folder a blob is made as well; only reading it fails, and out of anybody's reach.
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    return await openAsBlob(path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(`${path} cannot be read: ${missing ? 'there is no such file' : why}`);
  }
}
