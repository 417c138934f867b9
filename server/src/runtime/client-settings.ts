import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What the command line takes from its surroundings. It is kept apart from the server's configuration because a client
 * may run on another machine, where none of that configuration exists.
 */
export interface ClientSettings {
  /** `ALDIS_URL`: where the server is. */
  url: string | null;
  /** `ALDIS_API_KEY`: who asks. */
  apiKey: string | null;
  /** `ALDIS_DATA_DIR`, or `.aldis` in the project, as the server has it: where `npm start` leaves `credentials.json`. */
  dataFolder: string;
  /** `ALDIS_IMPORT_DEFAULT_COUNTRY`: the country of numbers written without one, such as `ID`. */
  defaultCountry: string | null;
  /** The folder that relative paths in arguments begin from. */
  argumentFolder: string;
}

const DEFAULT_DATA_FOLDER = new URL('../../../.aldis', import.meta.url);

/**
 * Reads the client's settings. An empty variable counts as absent.
 *
 * npm runs a script in the project's root and tells where the user stood in `INIT_CWD`; paths given to
 * `npm run aldis -- import contacts.csv` mean that folder. The variable is inherited by everything npm starts, so it
 * counts only when the script that runs is ours.
 */
export function clientSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd: string = process.cwd(),
): ClientSettings {
  const throughNpm = env.npm_lifecycle_event === 'aldis';
  return {
    url: env.ALDIS_URL || null,
    apiKey: env.ALDIS_API_KEY || null,
    dataFolder: env.ALDIS_DATA_DIR ? resolve(cwd, env.ALDIS_DATA_DIR) : fileURLToPath(DEFAULT_DATA_FOLDER),
    defaultCountry: env.ALDIS_IMPORT_DEFAULT_COUNTRY || null,
    argumentFolder: (throughNpm && env.INIT_CWD) || cwd,
  };
}
