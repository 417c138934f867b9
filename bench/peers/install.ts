import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/**
 * Installs the peers' packages from their own lock file, unless they are there: nobody needs them but who compares.
 * @throws {Error} with what npm said
 */
export async function installPeers(): Promise<void> {
  if (existsSync(`${FOLDER}node_modules/graphile-worker`)) return;
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER });
}
