import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { leastLimit } from '../domain/messaging-limit.ts';
import type { LaneLimit } from '../domain/schedule/unique-users.ts';
import type { Signals } from '../signals/signals.ts';
import { findLaneLimits, type LaneLimitRow } from '../store/messaging-limits.read.ts';
import { releaseNextPutOff, releasePutOff } from '../store/put-off.write.ts';
import { notePutOffReleased } from '../store/reached-users.write.ts';
import { findInstallationFact, writeInstallationFact } from '../store/set-up.write.ts';

/** What a lane with a limit has used of it. */
export interface LaneUse extends LaneLimit {
  portfolio: string;
  /** Users that count, some for up to a minute longer than they have to. */
  users: number;
}

/** Sending waits while they are released. */
const MOST_TOGETHER = 10_000;

/**
 * Reads how many users the lanes of an owner may reach. Where a limit was raised since messages were put off for it, as many
 * as it now lets are made due at once.
 * @param reserve the part from 0 to 1 that is kept for authentication and utility.
 * @returns by lane; those without a limit are absent.
 */
export async function readLaneLimits(
  db: Db,
  signals: Signals,
  owner: LaneClaim,
  reserve: number,
): Promise<Map<number, LaneUse>> {
  const limits = new Map<number, LaneUse>();
  for (const row of await findLaneLimits(db, owner.lanes)) {
    const most = leastLimit(row.words);
    if (most !== null) {
      const reserved = Math.floor(most * reserve);
      limits.set(row.lane_id, { most, reserved, portfolio: row.portfolio_id, users: row.users });
    }
    if (row.put_off_under !== null && (most === null || most > row.put_off_under)) {
      await release(db, owner, row, most);
      signals.notify(`due:${row.lane_id}`);
    }
  }
  return limits;
}

/** As many as a raise lets, a step at each reading. What was put off since looks at the new limit already. */
async function release(db: Db, owner: LaneClaim, row: LaneLimitRow, most: number | null): Promise<void> {
  const before = row.put_off_under ?? 0;
  const wanted = Math.min(most === null ? MOST_TOGETHER : most - before, MOST_TOGETHER);
  const what = { lanes: [row.lane_id], cause: 'messaging_limit', tenant: null } as const;
  const released = await retryingOnConflict(() => releasePutOff(db, owner, what, wanted));
  const isOver = released < wanted || (most !== null && before + wanted >= most);
  const noted = isOver ? most : most === null ? row.put_off_under : before + wanted;
  // Last: whoever is killed before it releases once more.
  if (noted !== row.put_off_under) {
    await retryingOnConflict(() => notePutOffReleased(db, owner, row.lane_id, noted));
  }
}

/** The fact of the installation that says whose quiet hours changed, and when: milliseconds since 1970 by tenant. */
const QUIET_CHANGES = 'quiet_hours_changed';
/** Milliseconds: longer than any message waits for a morning, by whatever clock. */
const CHANGE_MATTERS = 48 * 3_600_000;

/** Notes that a tenant's quiet hours change: whoever takes one of its lanes over later has to look at what waits there. */
export async function noteQuietChange(tx: Queryable, tenant: TenantId, now: number): Promise<void> {
  await writeInstallationFact(tx, QUIET_CHANGES, { ...(await changesSince(tx, now - CHANGE_MATTERS)), [tenant]: now });
}

/** Whose quiet hours changed lately: their messages may wait for a morning that was meant before. */
export async function findQuietChanges(db: Db, now: number): Promise<TenantId[]> {
  return Object.keys(await changesSince(db, now - CHANGE_MATTERS)) as TenantId[];
}

async function changesSince(tx: Queryable, since: number): Promise<Record<string, number>> {
  const fact = await findInstallationFact(tx, QUIET_CHANGES);
  const all: [string, unknown][] = typeof fact === 'object' && fact !== null ? Object.entries(fact) : [];
  return Object.fromEntries(all.filter((one): one is [string, number] => typeof one[1] === 'number' && one[1] > since));
}

/** Messages of a tenant that wait for the morning and are to be looked at again. */
export interface QuietLook {
  lanes: readonly number[];
  tenant: TenantId;
  /** The last that was looked at; null: none was yet. */
  after: MessageId | null;
}

/**
 * Has some of the messages looked at again that wait for the morning: the quiet hours have changed. Sending waits meanwhile, so they
 * are some at a time, each once.
 * @returns what is left to look at; null: nothing.
 */
export async function releaseQuietHours(
  db: Db,
  signals: Signals,
  owner: LaneClaim,
  { lanes, tenant, after }: QuietLook,
  most = MOST_TOGETHER,
): Promise<QuietLook | null> {
  const what = { lanes, cause: 'quiet_hours', tenant } as const;
  const { released, last } = await retryingOnConflict(() => releaseNextPutOff(db, owner, what, after, most));
  if (released > 0) for (const lane of lanes) signals.notify(`due:${lane}`);
  return last === null ? null : { lanes, tenant, after: last };
}
