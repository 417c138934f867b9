import type { Queryable } from '../../db/pool.ts';
import type { Config } from '../../runtime/settings.ts';
import { findStoreState } from '../../store/metrics.read.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Messages that have been unconfirmed for so long that a person is told: no receipts come for their numbers. */
export async function checkDoubts(db: Queryable, config: Config): Promise<Finding> {
  const after = config.engine.doubt_report_after;
  const { overdue } = await findStoreState(db, after);
  if (overdue === 0) return ok('doubts', 'no message has been unconfirmed for long');
  return warn(
    'doubts',
    `${overdue === 1 ? '1 message has' : `${overdue} messages have`} been unconfirmed for more than ${Math.round(after / 1000)} s, and no receipts come`,
    'check that webhooks reach this server: nothing is decided until they do',
  );
}
