import { isRecord } from '../answer.ts';
import { listOf } from './values.ts';

type Profile = Record<string, unknown>;

/** The people whom a change describes in `contacts[]`, by each of their names. */
export interface Profiles {
  of(waId: unknown, userId: unknown): Profile | undefined;
  /** The only one, when there is one. */
  only: Profile | undefined;
}

/** Reads `contacts[]` once for all items of a change. */
export function readProfiles(contacts: unknown): Profiles {
  const all = listOf(contacts).filter(isRecord);
  const named = new Map<unknown, Profile>();
  for (const one of all) {
    for (const name of [one['wa_id'], one['user_id']]) if (typeof name === 'string') named.set(name, one);
  }
  return {
    of: (waId, userId) => named.get(userId) ?? named.get(waId),
    only: all.length === 1 ? all[0] : undefined,
  };
}
