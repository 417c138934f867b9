import type { TenantId } from '../domain/ids.ts';

/**
 * When a follower looks at which tenant. One of which a signal came is looked at at once, and some times more, for what was told of may
 * not be readable yet: a transaction that began before is still under way. Under load looks keep a distance, so that one pass takes
 * what many signals told. Nothing here is sure: who follows also walks over all tenants now and then.
 */
export interface Looks {
  /** A signal came. `sooner`: the follower may sleep for too long. `full`: too many are known; a walk over all is to find it. */
  told(tenant: TenantId, now: number): 'planned' | 'sooner' | 'full';
  /** The tenants that are to be looked at now. What comes of it is told by one of the three below. */
  due(now: number, limit: number): TenantId[];
  /** Events of it are being handed on: no look until `done`. */
  begun(tenant: TenantId): void;
  /** @param rest milliseconds that nobody looks at it; 0: there is more, or may be. Null: nothing is known. */
  done(tenant: TenantId, now: number, rest: number | null): void;
  /** Nothing was there for us. @param followed whether its log is followed at all. */
  missed(tenant: TenantId, now: number, followed: boolean): void;
  /** When the next look is due, as `now` counts; infinite: none is planned. */
  next(): number;
}

interface Look {
  at: number;
  /** No look before. */
  notBefore: number;
  /** Looks in vain since something was found or told. */
  misses: number;
  state: 'waits' | 'under way' | 'stranger';
  /** Told while it was under way, or a stranger. */
  again: boolean;
}

/** Milliseconds between two looks at a tenant of which signals keep coming. */
const DISTANCE = 20;
/** Milliseconds to the next look after so many in vain. */
const AFTER_MISSES: readonly number[] = [5, 20, 80, 250, 500, 2000];
/** For so long a tenant that is not followed is left alone, in milliseconds. */
const STRANGE_FOR = 1000;
/** Tenants at most. */
const MOST = 2000;

export function createLooks(): Looks {
  const looks = new Map<TenantId, Look>();

  return {
    told(tenant, now) {
      const look = looks.get(tenant);
      if (look === undefined) {
        if (looks.size >= MOST) return 'full';
        looks.set(tenant, { at: now, notBefore: now, misses: 0, state: 'waits', again: false });
        return 'sooner';
      }
      if (look.state !== 'waits') {
        look.again = true;
        return 'planned';
      }
      look.misses = 0;
      const at = Math.max(now, look.notBefore);
      if (at >= look.at) return 'planned';
      look.at = at;
      return 'sooner';
    },
    due(now, limit) {
      const found: TenantId[] = [];
      for (const [tenant, look] of looks) {
        if (look.at > now || look.state === 'under way') continue;
        if (look.state === 'stranger' && !look.again) {
          looks.delete(tenant);
          continue;
        }
        Object.assign(look, { state: 'waits', again: false });
        if (found.push(tenant) === limit) break;
      }
      return found;
    },
    begun(tenant) {
      const look = { at: Number.POSITIVE_INFINITY, notBefore: 0, misses: 0, state: 'under way', again: false } as const;
      looks.set(tenant, { ...look });
    },
    done(tenant, now, rest) {
      const again = looks.get(tenant)?.again ?? false;
      const notBefore = now + (rest ?? DISTANCE);
      const at = rest === null && !again ? notBefore + (AFTER_MISSES[0] ?? 0) : notBefore;
      looks.set(tenant, { at, notBefore, misses: 0, state: 'waits', again: false });
    },
    missed(tenant, now, followed) {
      const look = looks.get(tenant);
      if (look === undefined) return;
      look.notBefore = now + DISTANCE;
      const pause = AFTER_MISSES[look.misses++];
      if (!followed) Object.assign(look, { state: 'stranger', at: now + STRANGE_FOR });
      else if (pause === undefined) looks.delete(tenant);
      else look.at = now + pause;
    },
    next() {
      let next = Number.POSITIVE_INFINITY;
      for (const { at, state, again } of looks.values()) {
        if (at < next && (state === 'waits' || (state === 'stranger' && again))) next = at;
      }
      return next;
    },
  };
}
