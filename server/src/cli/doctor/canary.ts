import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { place } from '../../actions/set-up.ts';
import type { Queryable } from '../../db/pool.ts';
import { readOrMakeKey } from '../../runtime/data-folder.ts';
import { createSealer, type Sealer, WrongKey } from '../../runtime/sealer.ts';
import type { Config } from '../../runtime/settings.ts';

const findCanary = { name: 'canary_find', text: "select value from settings where key = 'mark_key'" };

/** The keys that are configured, or the data folder's. Null when there are none: none is made. */
export function findSealer(config: Config): Sealer | null {
  const keys = config.secrets.encryption_keys;
  if (keys.length > 0)
    return createSealer(keys.map(({ version, key }) => ({ version, key: Buffer.from(key, 'base64') })));
  if (!existsSync(join(config.data_dir, 'secret.key'))) return null;
  return createSealer([{ version: 1, key: readOrMakeKey(config.data_dir) }]);
}

/**
 * Whether the keys at hand open what the database was set up with. `unused`: it was not set up yet, so any key will do.
 */
export async function openCanary(tx: Queryable, config: Config): Promise<'right' | 'wrong' | 'missing' | 'unused'> {
  const [row] = await tx.query<{ value: unknown }>(findCanary);
  if (typeof row?.value !== 'string') return 'unused';
  const sealer = findSealer(config);
  if (!sealer) return 'missing';
  try {
    sealer.open(Buffer.from(row.value, 'base64'), place.fact('mark_key'));
    return 'right';
  } catch (error) {
    if (error instanceof WrongKey) return 'wrong';
    throw error;
  }
}
