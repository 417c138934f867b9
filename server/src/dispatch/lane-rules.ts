import { findQuietChanges, type QuietLook, readLaneLimits, releaseQuietHours } from '../actions/lane-rules.ts';
import type { Db } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { createQuietHours, type QuietHours } from '../domain/schedule/quiet-hours.ts';
import type { Candidate, Hold } from '../domain/schedule/schedule.ts';
import type { LaneLimit } from '../domain/schedule/unique-users.ts';
import { isTimeZone } from '../domain/time-zones.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import { findContactZones, findQuietHours } from '../store/messaging-limits.read.ts';

/** What holds for lanes and tenants beside their senders: how many users a portfolio may reach, and when it is quiet. */
export interface LaneRules {
  /** Reads them again: with the senders. @param owner the lanes that are ours. */
  refresh(owner: LaneClaim): Promise<void>;
  /** Reads of the contacts of messages in which time zone they are. undefined: nothing has to be read. */
  learn(candidates: readonly Candidate[]): Promise<void> | undefined;
  /** Puts off what is not to leave at night. */
  hold: Hold;
  /** By lane; those without a limit are absent. */
  readonly limits: ReadonlyMap<number, LaneLimit>;
}

export interface LaneRulesOptions {
  db: Db;
  signals: Signals;
  metrics: Pick<Metrics, 'messagingLimit' | 'messagingLimitUsed'>;
  /** The part of a portfolio's users, from 0 to 1, that is kept for authentication and utility. */
  reserve: number;
}

/** Refreshes after which contacts are asked about anew: five minutes. */
const FORGET_EVERY = 60;

export function createLaneRules({ db, signals, metrics, reserve }: LaneRulesOptions): LaneRules {
  const quiet = createQuietHours();
  let limits: ReadonlyMap<number, LaneLimit> = new Map();
  /** null: they were never read. */
  let known: ReadonlyMap<TenantId, QuietHours> | null = null;
  /** The epochs of the lanes that were ours at the last look. */
  let owned: ReadonlyMap<number, number> = new Map();
  /** Messages that are to be looked at again. */
  let looks: readonly QuietLook[] = [];
  let refreshes = 0;

  return {
    hold: quiet.hold,
    get limits() {
      return limits;
    },
    async refresh(owner) {
      if (++refreshes % FORGET_EVERY === 0) quiet.forget();
      const rows = await findQuietHours(db, owner.lanes);
      const hours = new Map(rows.map(({ tenant_id, quiet_hours }) => [tenant_id, quiet_hours]));
      await noteChanges(owner, known === null ? [] : changedBetween(known, hours));
      known = hours;
      quiet.replace(hours);
      for (const look of looks) {
        const rest = await releaseQuietHours(db, signals, owner, look);
        looks = looks.flatMap((one) => (one !== look ? [one] : rest === null ? [] : [rest]));
      }
      const used = await readLaneLimits(db, signals, owner, reserve);
      limits = used;
      const series = [...used.values()].map(({ portfolio, most, users }) => ({ labels: { portfolio }, most, users }));
      metrics.messagingLimit.replace(series.map(({ labels, most }) => ({ labels, value: most })));
      metrics.messagingLimitUsed.replace(series.map(({ labels, users }) => ({ labels, value: users })));
    },
    learn(candidates) {
      if (known === null || known.size === 0) return undefined;
      const unknown = candidates.filter(
        ({ tenant_id, conversation_id, category }) =>
          quiet.concerns(tenant_id, category) && !quiet.knows(conversation_id),
      );
      return unknown.length === 0 ? undefined : learnZones(unknown);
    },
  };

  /**
   * What is to be looked at again: messages of tenants whose hours changed; and in lanes that are newly ours of those whose hours changed
   * lately, for nobody may have owned them then.
   */
  async function noteChanges({ lanes, epochs }: LaneClaim, changed: readonly TenantId[]): Promise<void> {
    const now = new Map(lanes.map((lane, i) => [lane, epochs[i] as number]));
    const taken = lanes.filter((lane) => owned.get(lane) !== now.get(lane));
    const lately = taken.length > 0 ? await findQuietChanges(db, Date.now()) : [];
    owned = now;
    const going = looks
      .filter(({ tenant }) => !changed.includes(tenant))
      .map((look) => ({ ...look, lanes: look.lanes.filter((lane) => now.has(lane) && !taken.includes(lane)) }))
      .filter((look) => look.lanes.length > 0);
    const meanwhile = lately.filter((tenant) => !changed.includes(tenant));
    const look = (of: readonly number[]) => (tenant: TenantId) => ({ lanes: of, tenant, after: null });
    looks = [...going, ...changed.map(look(lanes)), ...meanwhile.map(look(taken))];
  }

  async function learnZones(candidates: readonly Candidate[]): Promise<void> {
    const contacts = await findContactZones(db, candidates);
    quiet.learn(
      contacts.map(({ conversation_id, zone }) => ({
        conversation: conversation_id,
        zone: zone !== null && isTimeZone(zone) ? zone : null,
      })),
    );
  }
}

/** The tenants whose quiet hours are others now, or that have none any more. */
function changedBetween(
  before: ReadonlyMap<TenantId, QuietHours>,
  now: ReadonlyMap<TenantId, QuietHours>,
): readonly TenantId[] {
  return [...before.keys()].filter((tenant) => JSON.stringify(before.get(tenant)) !== JSON.stringify(now.get(tenant)));
}
