import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/**
 * The files that the server itself keeps in its data folder: what a script needs to drive it, and the key that encrypts
 * secrets when the configuration names none. Both are for the owner's eyes only.
 */
export interface Credentials {
  url: string;
  api_key: string;
  operator_key: string;
  tenant_id: string;
  sender_id: string;
  sender_ids: readonly string[];
  simulator_url: string | null;
  whatsapp_app_secret: string;
  whatsapp_verify_token: string;
  phone_number_id: string;
  phone_number_ids: readonly string[];
}

const CREDENTIALS = 'credentials.json';
const KEY = 'secret.key';

/** The keys of the last start, where they can be read: they go on to be valid. */
export function readLastKeys(folder: string): { apiKey: string | null; operatorKey: string | null } {
  const text = read(join(folder, CREDENTIALS));
  try {
    const last: unknown = text === null ? null : JSON.parse(text);
    return { apiKey: keyIn(last, 'api_key'), operatorKey: keyIn(last, 'operator_key') };
  } catch {
    return { apiKey: null, operatorKey: null };
  }
}

function keyIn(last: unknown, name: string): string | null {
  if (typeof last !== 'object' || last === null) return null;
  const value: unknown = Reflect.get(last, name);
  return typeof value === 'string' && value.length >= 24 ? value : null;
}

/** Writes credentials.json anew, whole or not at all. */
export function writeCredentials(folder: string, credentials: Credentials): void {
  writePrivately(folder, CREDENTIALS, `${JSON.stringify(credentials, null, 2)}\n`);
}

/** Whether the folder has an encryption key of its own. */
export function hasKey(folder: string): boolean {
  return existsSync(join(folder, KEY));
}

/**
 * The folder's own encryption key, made at the first start.
 * @throws {StartError} when the file is there and holds no key.
 */
export function readOrMakeKey(folder: string): Buffer {
  const text = read(join(folder, KEY));
  if (text === null) {
    const key = randomBytes(32);
    writePrivately(folder, KEY, `${key.toString('base64')}\n`);
    return key;
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32) {
    throw new StartError(`${join(folder, KEY)} holds no key of 32 bytes in base64: restore it from your backup`);
  }
  return key;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Durable before it has its name, so that a power cut leaves the old file or the new one. */
function writePrivately(folder: string, name: string, text: string): void {
  const draft = join(folder, `${name}.new`);
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, join(folder, name));
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
