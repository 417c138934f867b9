import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { type Db, openPool } from '../db/pool.ts';
import { generatedFiles } from './generated-files.ts';

/**
 * `npm run generate`: writes every file that is made of the code, and names those that changed. Works from nothing: the
 * schema is read from an embedded database that lives for as long as this runs.
 */
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const TROUBLE_ONLY = { debug() {}, info() {}, warn: tell, error: tell };

for (const [path, content] of Object.entries(await inFreshDatabase(generatedFiles))) {
  const file = join(PROJECT, path);
  const changed = read(file) !== content;
  if (changed) writeFileSync(file, content);
  process.stdout.write(`${changed ? 'written  ' : 'the same '} ${path}\n`);
}

async function inFreshDatabase<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-generate-'));
  // Root steps down to another user for PostgreSQL, who has to get there.
  chmodSync(folder, 0o711);
  try {
    const postgres = await startEmbeddedPostgres({ folder, folderIsNamed: true, log: TROUBLE_ONLY });
    const db = openPool({ connection: postgres.connection, max: 2, onError: tell });
    try {
      await migrate(db);
      return await work(db);
    } finally {
      await db.close();
      await postgres.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(trouble: unknown): void {
  process.stderr.write(`${String(trouble)}\n`);
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
