import type { Db } from '../db/pool.ts';
import { persistently, retryingOnConflict } from '../db/retry.ts';
import type { PauseCause } from '../domain/causes.ts';
import { newId, type SenderId, type TenantId } from '../domain/ids.ts';
import { longestProbe, type Pause, PROBES, probeFactor, TOKEN_CAUSES } from '../domain/pause.ts';
import type { PauseScope } from '../domain/provider-errors.ts';
import { atLeast } from '../domain/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { findPause } from '../store/pauses.read.ts';
import {
  deleteBreakers,
  deletePauses,
  deleteSenderPauses,
  type EndedPause,
  insertPauses,
  releaseCountry,
  type ToldPause,
} from '../store/pauses.write.ts';

/** What was told of a sender, and what it shuts. */
export interface Trouble extends ToldPause {
  /** Milliseconds that the provider asked to wait, if it did. */
  wish?: number | null;
  /** Narrower breakers that this one stands for. */
  within?: readonly { scope: PauseScope; key: string }[];
}

const MOST_RELEASED = 1000;

/**
 * Shuts the queues that are in trouble. One that is shut for that cause already waits longer for its next probe when one was due.
 * @param random a number from 0 to 1, by which the waits for probes are spread.
 */
export async function openPauses(
  db: Db,
  signals: Signals,
  troubles: readonly Trouble[],
  random: () => number = Math.random,
): Promise<void> {
  if (troubles.length === 0) return;
  const pauses = troubles.map(({ within: _, wish = null, ...trouble }) => {
    const { base, cap } = PROBES[trouble.cause];
    const factor = probeFactor(trouble.cause, random());
    const longest = longestProbe(trouble.cause);
    return { id: newId(), ...trouble, base, cap, factor, least: atLeast(wish), longest };
  });
  const within = troubles.flatMap((trouble) => trouble.within ?? []);
  const written = await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      const rows = await insertPauses(tx, pauses);
      if (within.length > 0) await deleteBreakers(tx, within);
      await failpoint('pause.before_commit');
      return rows;
    }),
  );
  await failpoint('pause.after_commit');
  if (written.length > 0) signals.notify('pauses');
}

/** Brings to the database what calls have shown, for as long as it takes: queues that are in trouble, and those whose probe went well. */
export async function recordPauses(
  db: Db,
  signals: Signals,
  troubles: readonly Trouble[],
  over: readonly string[],
  random: () => number,
): Promise<void> {
  await persistently(() => openPauses(db, signals, troubles, random));
  if (over.length > 0) await ended(db, signals, await persistently(() => deletePauses(db, over)));
}

/** What a person's wish to end a pause came to. `not_yours`: it holds the tenant's senders, and is not the tenant's alone. */
export type EndedByPerson = Pause | 'not_found' | 'not_yours';

/**
 * Opens a queue again because a person says so. If what shut it lasts, the next message shuts it again.
 * @param tenant whose it has to be; null: an operator ends any.
 */
export async function endPause(db: Db, signals: Signals, tenant: TenantId | null, id: string): Promise<EndedByPerson> {
  const pause = await findPause(db, tenant, id);
  if (pause === null) return 'not_found';
  if (tenant !== null && pause.tenant_id !== tenant) return 'not_yours';
  const rows = await retryingOnConflict(() => deletePauses(db, [id]));
  if (rows.length === 0) return 'not_found';
  await ended(db, signals, rows);
  return pause;
}

/** Opens the queues of senders again that wait for another token: it was given, or the one they have was found to be good. */
export async function endTokenPauses(
  db: Db,
  signals: Signals,
  senders: readonly SenderId[],
  causes: readonly PauseCause[] = TOKEN_CAUSES,
): Promise<number> {
  const rows = await retryingOnConflict(() => deleteSenderPauses(db, senders, causes));
  await ended(db, signals, rows);
  return rows.length;
}

async function ended(db: Db, signals: Signals, rows: readonly EndedPause[]): Promise<void> {
  if (rows.length === 0) return;
  signals.notify('pauses');
  for (const { scope, key } of rows) if (scope === 'country') await releaseToCountry(db, signals, key);
}

/**
 * Makes due what an account had put off because of a country: messages wait for their time, and nothing else would wake them before it.
 * Called when the pause ends, and by each instance that put messages off when it learns of that.
 * @param key of the pause: APP/ACCOUNT/COUNTRY.
 */
export async function releaseToCountry(db: Db, signals: Signals, key: string): Promise<void> {
  const [app = '', account = ''] = key.split('/');
  for (;;) {
    const lanes = await retryingOnConflict(() => releaseCountry(db, app, account, MOST_RELEASED));
    for (const lane of new Set(lanes)) signals.notify(`due:${lane}`);
    if (lanes.length < MOST_RELEASED) return;
  }
}
