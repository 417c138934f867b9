import { resolve } from 'node:path';
import { clientSettings } from '../runtime/client-settings.ts';

/** The file that an argument names, absolute: a relative path begins where the user stands, also when npm runs us elsewhere. */
export function argumentPath(path: string): string {
  return resolve(clientSettings().argumentFolder, path);
}
