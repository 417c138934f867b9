import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { restoreBackup } from '../../db/backup/load.ts';
import { clientSettings } from '../../runtime/client-settings.ts';
import { loadConfig } from '../../runtime/config.ts';
import { StartError } from '../../runtime/start-error.ts';
import { openCanary } from '../doctor/canary.ts';
import { openAlone } from '../open-database.ts';
import type { Output } from '../output.ts';

/**
 * Restores a backup into an empty database. No server may run in the data folder.
 * @param flags settings, as those of start
 * @param resume goes on sending what was open when the backup was made
 */
export async function restore(name: string, flags: readonly string[], resume: boolean, output: Output): Promise<void> {
  const loaded = loadConfig({ argv: flags });
  const file = resolve(clientSettings().argumentFolder, name);
  // Told before a database is made for it.
  if (!existsSync(file)) throw new StartError(`${file}: there is no such file`);
  const began = performance.now();
  const database = await openAlone(loaded);
  try {
    let keyIsMissing = false;
    const { header, count, open, stopped } = await restoreBackup(database.db, file, {
      resume,
      note: (text) => output.note(text),
      async inspect(tx) {
        const key = await openCanary(tx, loaded.config);
        if (key === 'wrong') throw wrongKey(loaded.config.data_dir);
        keyIsMissing = key === 'missing';
      },
    });
    const seconds = Math.round(performance.now() - began) / 1000;
    const result = {
      file,
      made_at: header.made_at,
      made_by: header.version,
      rows: count,
      tables: header.tables.length,
      open_messages: open,
      sending_stopped: stopped,
      key_missing: keyIsMissing,
      seconds,
    };
    output.result(result, `${count} rows of ${header.tables.length} tables, as of ${header.made_at}, in ${seconds} s`);
    if (keyIsMissing) {
      output.note(
        `Before the start put the secret.key of the old data folder into ${loaded.config.data_dir}, or name its keys in ALDIS_SECRETS_ENCRYPTION_KEYS.`,
      );
    }
    if (open > 0) output.note(openNote(open, header.made_at, stopped));
  } finally {
    await database.close();
  }
}

function openNote(open: number, madeAt: string, stopped: boolean): string {
  const messages = open === 1 ? 'A message was' : `${open} messages were`;
  return stopped
    ? `${messages} queued or under way at ${madeAt}, and may have been sent since. Sending is stopped for every tenant, so that none is sent twice: ` +
        'cancel what has been sent, then start each: aldis tenant change TENANT --processing yes, or POST /processor/start with its key. (restore --resume does not stop.)'
    : `${messages} queued or under way at ${madeAt} and will be sent at the next start.`;
}

function wrongKey(folder: string): StartError {
  return new StartError(
    `the encryption key here is not the one of the backup: nothing was restored; replace ${join(folder, 'secret.key')} by the old one, or name its keys in ALDIS_SECRETS_ENCRYPTION_KEYS`,
  );
}
