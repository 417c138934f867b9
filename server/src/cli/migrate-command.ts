/** Brings the store to this program's schema, and ends. @param flags settings, as on the command line */
export async function migrateStore(_flags: readonly string[]): Promise<void> {
  throw new Error('not wired yet');
}
