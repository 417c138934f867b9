import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { StartError } from '../runtime/start-error.ts';
import type { HttpApp } from './typebox-provider.ts';

/** Where certificate and key are. */
export interface TlsPaths {
  cert_file: string;
  key_file: string;
}

/** Both files as they are, PEM. */
export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

/**
 * Reads both files, and makes sure that they can be used together.
 * @throws {StartError} that says which file is at fault.
 */
export function readTls({ cert_file, key_file }: TlsPaths): TlsFiles {
  const files = { cert: read('server.tls.cert_file', cert_file), key: read('server.tls.key_file', key_file) };
  check(`server.tls.cert_file ${cert_file} holds no certificate in PEM`, () => new X509Certificate(files.cert));
  check(`server.tls.key_file ${key_file} holds no private key in PEM`, () => createSecureContext({ key: files.key }));
  check(`${key_file} is not the key of the certificate in ${cert_file}`, () => createSecureContext(files));
  return files;
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new StartError(`${name} ${file}: ${why}`, { cause: error });
  }
}

function check(trouble: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw new StartError(trouble, { cause: error });
  }
}

/** Told when a pair is taken or refused. */
export interface TlsReports {
  renewed(validUntil: string): void;
  refused(error: unknown): void;
}

/** Milliseconds between two looks. Renewals replace files by links or names, which a watch on the file does not see. */
const LOOK_EVERY = 1000;

/**
 * Takes the files anew whenever one of them changes; open connections keep what they began with. While the two do not fit
 * (one of them may just be being written) the old pair stays, and each change is tried again.
 * @returns what ends it.
 */
export function renewTls(app: HttpApp, paths: TlsPaths, reports: TlsReports, every = LOOK_EVERY): () => void {
  let last = fingerprint(paths);
  const timer = setInterval(() => {
    const now = fingerprint(paths);
    if (now === last) return;
    last = now;
    try {
      const files = readTls(paths);
      if (app.server instanceof Server) app.server.setSecureContext(files);
      reports.renewed(new X509Certificate(files.cert).validTo);
    } catch (error) {
      reports.refused(error);
    }
  }, every).unref();
  return () => clearInterval(timer);
}

/** Another one when a file was written, replaced or taken away. */
function fingerprint({ cert_file, key_file }: TlsPaths): string {
  return [cert_file, key_file]
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found ? `${found.ino}/${found.size}/${found.mtimeMs}` : 'none';
    })
    .join(' ');
}
