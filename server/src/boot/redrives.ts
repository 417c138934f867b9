import { createRedrives, type RedriveActions } from '../actions/redrives.ts';
import { createRedriveJob } from '../jobs/redrives.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Sending failed messages again by filter: what the door needs of it, and the job that does it. */
export interface Redrives {
  actions: RedriveActions;
  job: Part;
}

/** Milliseconds. A redrive of this instance is begun at once; others are left behind by an instance that is gone. */
const POLL = 5000;

export function buildRedrives(config: Config, { db, signals, logger }: Common): Redrives {
  return {
    actions: createRedrives({ db, signals }),
    job: createRedriveJob({
      db,
      signals,
      logger: logger.child({ part: 'redrives' }),
      usual: { monthly: config.limits.monthly_quota, daily: config.limits.per_day },
      validity: config.messages.validity,
      pollInterval: POLL,
    }),
  };
}
