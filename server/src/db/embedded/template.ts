import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Binaries, findNative, readyBinaries } from './binaries.ts';
import { makeCluster } from './cluster.ts';
import { findHome, prepareFolder, SYSTEM_FOLDER } from './home.ts';
import type { EmbeddedLog } from './log.ts';

/*
 * `initdb` does not run for a user without an entry in /etc/passwd, as a container started with `--user 1234` has: then
 * a database made beforehand is unpacked. The image's build makes it, as a user who has an entry.
 */

/** Where the template of these programs lies. */
export function templateOf({ version }: Pick<Binaries, 'version'>, system: string = SYSTEM_FOLDER): string {
  return path.join(system, `template-${version}`);
}

/**
 * Makes the template, readable by everybody, unless it is there. It holds no secret: its superuser's password is changed
 * in each copy before anything else is done with it.
 * @returns the template's folder.
 */
export async function makeTemplate({
  log,
  native = findNative(),
  system = SYSTEM_FOLDER,
}: {
  log: EmbeddedLog;
  native?: string;
  system?: string;
}): Promise<string> {
  const draft = prepareFolder(path.join(system, `template.${randomBytes(4).toString('hex')}`));
  try {
    const home = findHome(draft, { folderIsNamed: true, system, log });
    const binaries = readyBinaries(native, home, system, log);
    const template = templateOf(binaries, system);
    if (fs.existsSync(template)) return template;
    await makeCluster(home, binaries, template);
    openForReading(home.data);
    fs.chmodSync(home.superuserPassword, 0o644);
    fs.chmodSync(home.root, 0o755);
    fs.renameSync(home.root, template);
    return template;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

function openForReading(folder: string): void {
  fs.chmodSync(folder, 0o755);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) openForReading(at);
    else fs.chmodSync(at, 0o644);
  }
}
