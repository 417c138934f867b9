import { openLoad } from '../src/load.ts';
import { compareWithLedger, untilSettled } from './acknowledged.ts';
import type { Cluster } from './cluster.ts';
import { plainMessage, type SteadyLoad } from './steady-load.ts';

const SETTLED_WITHIN_MS = 120_000;

/**
 * What holds at the end of every drill of a cluster: nothing acknowledged is lost, nothing is doubled while receipts flow, and
 * nothing is open 120 s after `since`.
 */
export async function judgeCluster(
  cluster: Cluster,
  load: Pick<SteadyLoad, 'acknowledged' | 'breaches' | 'counts'>,
  since: number,
  log: (text: string) => void,
  breaches: string[],
): Promise<Record<string, number>> {
  const { simulator, credentials, senders, db } = cluster;
  const { acknowledged } = load;
  await using api = openLoad(credentials.url, 32, { authorization: `Bearer ${credentials.api_key}` });
  const trickle = (n: number) => senders.map((sender) => plainMessage(`trickle ${n} ${sender}`, sender).body);
  const withinMs = SETTLED_WITHIN_MS - (performance.now() - since);
  const unsettled = await untilSettled({ api, acknowledged, trickle, withinMs, log, breaches });
  const settledAfter = Math.round((performance.now() - since) / 1000);
  if (unsettled > 0) breaches.push(`${unsettled} messages are still open after ${SETTLED_WITHIN_MS / 1000} s`);
  const compared = await compareWithLedger({ api, simulator, acknowledged }, breaches);
  const [resent] = await db.query<{ n: number }>({
    name: 'drill_resent',
    text: `select count(*)::int as n from attempts where outcome = 'resend'`,
  });
  breaches.push(...load.breaches);
  return {
    ...compared,
    unsettled,
    settled_after_s: settledAfter,
    sent_once_more_by_policy: resent?.n ?? 0,
    unanswered: load.counts.unanswered,
  };
}
