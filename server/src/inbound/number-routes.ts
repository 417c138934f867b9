import type { Db } from '../db/pool.ts';
import type { Clock } from '../runtime/clock.ts';
import { findSenderByNumber, type Route } from '../store/routes.read.ts';

/** Which sender a webhook is for, remembered for a short while. */
export interface NumberRoutes {
  find(app: string, phoneNumberId: string): Promise<Route | undefined>;
}

const KEEP = 10_000;
/** A number that is being added is not to be missed for long. */
const KEEP_UNKNOWN = 1000;
const MOST = 10_000;

export function createNumberRoutes(db: Db, clock: Clock): NumberRoutes {
  const known = new Map<string, { route: Route | undefined; until: number }>();
  return {
    async find(app, phoneNumberId) {
      const key = `${app} ${phoneNumberId}`;
      const now = clock.monotonic();
      const hit = known.get(key);
      if (hit && hit.until > now) return hit.route;
      const route = await findSenderByNumber(db, app, phoneNumberId);
      if (known.size >= MOST) known.clear();
      known.set(key, { route, until: now + (route ? KEEP : KEEP_UNKNOWN) });
      return route;
    },
  };
}
