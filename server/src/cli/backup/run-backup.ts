import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { writeBackupFile } from '../../db/backup/file.ts';
import { readDatabase } from '../../db/backup/write.ts';
import { clientSettings } from '../../runtime/client-settings.ts';
import { loadConfig } from '../../runtime/config.ts';
import { version } from '../../version.ts';
import { CliError, EXIT, usageError } from '../exit-codes.ts';
import { openToRead } from '../open-database.ts';
import type { Output } from '../output.ts';

/**
 * Writes the whole database to a file. The server may be at work.
 * @param flags settings, as those of start
 * @throws {CliError} `usage` when the file is there and `replace` is not said
 */
export async function backUp(name: string, flags: readonly string[], replace: boolean, output: Output): Promise<void> {
  const loaded = loadConfig({ argv: flags });
  const file = resolve(clientSettings().argumentFolder, name);
  if (existsSync(file) && !replace) throw usageError(`${file} exists: name another file, or give --replace`);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new CliError(EXIT.failure, 'file', `there is no folder ${folder}: make it first`);
  const began = performance.now();
  const database = await openToRead(loaded);
  try {
    const { header, count } = await writeBackupFile(file, (write) => readDatabase(database.db, version, write));
    const { size } = await stat(file);
    const seconds = Math.round(performance.now() - began) / 1000;
    const result = {
      file,
      made_at: header.made_at,
      migration: header.migration,
      tables: header.tables.length,
      rows: count,
      bytes: size,
      seconds,
    };
    output.result(result, `${file}: ${count} rows of ${header.tables.length} tables, ${size} bytes, in ${seconds} s`);
    output.note(
      loaded.config.secrets.encryption_keys.length > 0
        ? 'Keep ALDIS_SECRETS_ENCRYPTION_KEYS in another place: the backup is of no use without these keys, and they are not in it.'
        : `Keep a copy of ${resolve(loaded.config.data_dir, 'secret.key')} in another place: the backup is of no use without this key, and it is not in it.`,
    );
  } finally {
    await database.close();
  }
}
