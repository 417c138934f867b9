import { migrateDatabase } from '../main.ts';
import { loadConfig } from '../runtime/config.ts';

/** Brings the database to this program's schema, and ends. @param flags settings, as on the command line */
export async function migrateStore(flags: readonly string[]): Promise<void> {
  await migrateDatabase(loadConfig({ argv: flags }));
}
