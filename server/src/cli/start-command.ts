import { startServer } from '../main.ts';
import { loadConfig } from '../runtime/config.ts';

/** Runs the server until it is told to stop. @param flags settings, as on the command line */
export async function start(flags: readonly string[]): Promise<void> {
  await startServer(loadConfig({ argv: flags }));
}
