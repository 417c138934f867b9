import { setTimeout as sleep } from 'node:timers/promises';
import { STATES, type State } from '../../domain/message.ts';
import {
  type Counts,
  isObject,
  type JsonObject,
  noCounts,
  optionalString,
  readBatchCounts,
  readMessages,
} from '../answers.ts';
import type { Client } from '../client.ts';
import { progressTo, type Waitable } from '../waiting.ts';
import type { Progress } from './progress.ts';
import type { ReportFile } from './report-file.ts';

/** Where the messages of an import stand. */
export interface Followed {
  byState: Counts;
  /** Whether all have reached the state waited for or failed; false when time was over. */
  settled: boolean;
}

/** Batches asked for in one round. */
const WINDOW = 32;
const SHORTEST_PAUSE = 200;
const LONGEST_PAUSE = 2_000;

/**
 * Follows the batches of an import until every message has reached `wanted` or failed.
 * @param patience gives up after so many milliseconds in which nothing changed
 */
export async function followBatches(
  client: Client,
  batchIds: readonly string[],
  wanted: Waitable,
  patience: number,
  progress: Progress,
  stop: AbortSignal,
): Promise<Followed> {
  const latest = new Map<string, Counts>();
  let open: readonly string[] = batchIds;
  let seen = '';
  let changedAt = performance.now();
  let pause = SHORTEST_PAUSE;
  for (;;) {
    const stillOpen: string[] = [];
    for (const batchId of open.slice(0, WINDOW)) {
      const path = `/api/v1/batches/${encodeURIComponent(batchId)}`;
      const counts = readBatchCounts(await client.request({ method: 'GET', path }));
      latest.set(batchId, counts);
      if (openOf(counts, wanted) > 0) stillOpen.push(batchId);
    }
    // Those that are not done go to the end: one that never settles must not hide the others.
    open = [...open.slice(WINDOW), ...stillOpen];

    const byState = sumOf(latest.values());
    const now = JSON.stringify(byState);
    if (now !== seen) {
      seen = now;
      changedAt = performance.now();
      pause = SHORTEST_PAUSE;
    }
    progress.update(sumWhere(byState, () => true) - openOf(byState, wanted), describeCounts(byState));
    if (open.length === 0) return { byState, settled: true };
    if (stop.aborted || performance.now() - changedAt > patience) return { byState, settled: false };
    await sleep(pause, undefined, { signal: stop }).catch(() => {});
    pause = Math.min(pause * 1.3, LONGEST_PAUSE);
  }
}

/** Writes the messages of these batches that failed, with the line of the file that each came from. */
export async function reportFailures(client: Client, batchIds: readonly string[], report: ReportFile): Promise<void> {
  for (const batchId of batchIds) {
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ batch_id: batchId, status: 'failed', limit: '100' });
      if (cursor !== null) query.set('cursor', cursor);
      const page = readMessages(await client.request({ method: 'GET', path: `/api/v1/messages?${query}` }));
      for (const message of page.messages) await report.write(failureRow(message));
      cursor = page.nextCursor;
    } while (cursor !== null);
  }
}

/** The columns of the report of failures. */
export const FAILURE_COLUMNS = ['line', 'to', 'id', 'state', 'error', 'code', 'reason'];

function failureRow(message: JsonObject): string[] {
  const metadata = isObject(message.metadata) ? message.metadata : {};
  const error = isObject(message.error) ? message.error : {};
  const reason = optionalString(error, 'detail') ?? optionalString(error, 'title') ?? '';
  const values = [metadata.line, message.to, message.id, message.state, error.error, error.code, reason];
  return values.map((value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : ''));
}

/** Counts in the order of a message's life, without the zeros: `3 sent, 12 delivered`. */
export function describeCounts(byState: Counts): string {
  const counts = STATES.filter((state) => byState[state] > 0).map((state) => `${byState[state]} ${state}`);
  return counts.join(', ') || 'nothing yet';
}

/** How many of the messages ended before the state waited for. */
export function failedOf(byState: Counts, wanted: Waitable): number {
  return sumWhere(byState, (state) => progressTo(wanted, state) === 'failed');
}

function openOf(byState: Counts, wanted: Waitable): number {
  return sumWhere(byState, (state) => progressTo(wanted, state) === 'open');
}

function sumWhere(byState: Counts, counts: (state: State) => boolean): number {
  return STATES.reduce((sum, state) => sum + (counts(state) ? byState[state] : 0), 0);
}

function sumOf(all: Iterable<Counts>): Counts {
  const sum = noCounts();
  for (const counts of all) {
    for (const state of STATES) sum[state] += counts[state];
  }
  return sum;
}
