import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { type Chunk, chunksOf, type RefusedRow } from './chunks.ts';
import { type ChunkResult, type Journal, openJournal } from './journal.ts';
import type { ImportPlan } from './plan.ts';
import { createProgress } from './progress.ts';
import { createReport } from './report-file.ts';
import { uploadChunk } from './uploader.ts';

/** What an import has done so far. */
export interface Totals {
  rows: number;
  accepted: number;
  refused: number;
  /** The first row that was refused: often it is one mistake that refuses them all. */
  firstRefused: { line: number; reason: string } | null;
  /** Chunks that an earlier run had done. */
  resumed: number;
  batchIds: string[];
  /** False when it was stopped before the end. */
  complete: boolean;
}

export interface RunOptions {
  /** Rows a second, or null for as fast as the server takes them. */
  rate: number | null;
  /** What to do with a chunk whose answer was never seen and whose key the server may have forgotten. */
  unanswered: 'send' | 'skip' | null;
  stop: AbortSignal;
}

/** Milliseconds that the server is trusted to remember a key: an hour less than it does by default. */
const KEYS_REMEMBERED = 23 * 3_600_000;

/**
 * Sends a file's messages, chunk after chunk, and writes the rows that are refused, here or by the server, to a file.
 * Chunks that an earlier run has done are not asked for again.
 */
export async function runImport(
  plan: ImportPlan,
  client: Client,
  output: Output,
  options: RunOptions,
): Promise<Totals> {
  const journal = await openJournal(plan.paths.journal, `${plan.runId}@${client.account}`);
  const refused = await createReport(
    plan.paths.refused,
    ['line', 'error', 'reason', ...plan.csv.header],
    plan.csv.delimiter,
  );
  const progress = createProgress('importing', 'lines', plan.source.lines, output);
  const earlier = journal.results();
  const pace = createPace(options.rate, options.stop);
  const totals: Totals = {
    rows: 0,
    accepted: 0,
    refused: 0,
    firstRefused: null,
    resumed: 0,
    batchIds: [],
    complete: true,
  };
  try {
    for await (const chunk of chunksOf(plan.csv.records, plan.map, plan.chunkSize)) {
      const done = chunk.index < journal.done ? await earlier.next() : null;
      const result = done && !done.done ? done.value : await ask(plan, client, journal, chunk, options, pace);
      if (result === null) {
        totals.complete = false;
        break;
      }
      const refusals = allRefusals(chunk, result);
      for (const row of refusals) await refused.write(refusedFields(row, plan.csv.header.length));
      if (done) totals.resumed++;
      if (result.batchId !== null) totals.batchIds.push(result.batchId);
      totals.rows += chunk.rows.length + chunk.refused.length;
      totals.accepted += result.accepted;
      totals.refused += refusals.length;
      totals.firstRefused ??= refusals[0] ?? null;
      progress.update(chunk.lastLine, `${totals.accepted} accepted, ${totals.refused} refused`);
    }
    if (totals.complete) progress.update(plan.source.lines, `${totals.accepted} accepted, ${totals.refused} refused`);
  } finally {
    progress.stop();
    await earlier.return();
    await plan.csv.records.return();
    await refused.close();
    await journal.close();
  }
  return totals;
}

/** Maps every row and writes the refused ones, but asks the server for nothing. */
export async function rehearseImport(plan: ImportPlan): Promise<Totals & { sample: unknown[] }> {
  const refused = await createReport(
    plan.paths.refused,
    ['line', 'error', 'reason', ...plan.csv.header],
    plan.csv.delimiter,
  );
  const totals: Totals & { sample: unknown[] } = {
    rows: 0,
    accepted: 0,
    refused: 0,
    firstRefused: null,
    resumed: 0,
    batchIds: [],
    complete: true,
    sample: [],
  };
  try {
    for await (const chunk of chunksOf(plan.csv.records, plan.map, plan.chunkSize)) {
      for (const row of chunk.refused) await refused.write(refusedFields(row, plan.csv.header.length));
      totals.rows += chunk.rows.length + chunk.refused.length;
      totals.accepted += chunk.rows.length;
      totals.refused += chunk.refused.length;
      totals.firstRefused ??= chunk.refused[0] ?? null;
      for (const row of chunk.rows.slice(0, 3 - totals.sample.length)) totals.sample.push(row.body);
    }
  } finally {
    await refused.close();
  }
  return totals;
}

/** Asks for one chunk, in its time, and notes it. Null when the import was stopped before. */
async function ask(
  plan: ImportPlan,
  client: Client,
  journal: Journal,
  chunk: Chunk,
  options: RunOptions,
  pace: (rows: number) => Promise<void>,
): Promise<ChunkResult | null> {
  if (chunk.index === journal.done && journal.askedAt !== null && Date.now() - journal.askedAt > KEYS_REMEMBERED) {
    const answered = await settleForgotten(chunk, journal, options.unanswered);
    if (answered) return answered;
  }
  await pace(chunk.rows.length);
  if (options.stop.aborted) return null;
  if (chunk.rows.length > 0) await journal.asking(chunk.index);
  try {
    const result = await uploadChunk(client, plan.runId, chunk.index, chunk.rows);
    await journal.answered(chunk.index, result);
    return result;
  } catch (error) {
    if (options.stop.aborted && error instanceof CliError && error.exitCode === EXIT.unreachable) return null;
    throw error;
  }
}

/**
 * The last request of an earlier run got no answer, and that was so long ago that the server may not know its key any
 * more. Sending it again might send twice, leaving it out might send nothing: that is not ours to decide.
 */
async function settleForgotten(
  chunk: Chunk,
  journal: Journal,
  unanswered: RunOptions['unanswered'],
): Promise<ChunkResult | null> {
  if (unanswered === 'send') return null;
  const first = chunk.rows[0]?.line ?? chunk.lastLine;
  if (unanswered === null) {
    throw new CliError(
      EXIT.failure,
      'unanswered',
      `lines ${first} to ${chunk.lastLine} were asked for at ${new Date(journal.askedAt ?? 0).toISOString()}, the answer was ` +
        'never seen, and the server may have forgotten the request. See whether they were sent, then run again with ' +
        '--unanswered skip (they were) or --unanswered send (they were not).',
    );
  }
  const reason = 'asked for by an earlier run whose answer was never seen; skipped as told by --unanswered';
  const refused = chunk.rows.map(({ line }) => ({ line, error: 'unanswered', reason }));
  const result = { batchId: null, accepted: 0, refused };
  await journal.answered(chunk.index, result);
  return result;
}

/** Local and the server's refusals of a chunk, in the order of the file. */
function allRefusals(chunk: Chunk, result: ChunkResult): RefusedRow[] {
  const fields = new Map(chunk.rows.map((row) => [row.line, row.fields]));
  const remote = result.refused.map(
    (row): RefusedRow => ({ kind: 'refused', ...row, fields: fields.get(row.line) ?? [] }),
  );
  return [...chunk.refused, ...remote].sort((a, b) => a.line - b.line);
}

/** A refused row with its reason before it, so that a corrected report can be imported as it stands. */
function refusedFields(row: RefusedRow, width: number): (string | number)[] {
  return [row.line, row.error, row.reason, ...Array.from({ length: width }, (_, index) => row.fields[index] ?? '')];
}

/** Waits until so many rows may go, so that since the first one no more than `rate` a second went. */
function createPace(rate: number | null, stop: AbortSignal): (rows: number) => Promise<void> {
  let began: number | null = null;
  let gone = 0;
  return async (rows) => {
    began ??= performance.now();
    if (rate !== null) {
      const wait = began + (gone / rate) * 1_000 - performance.now();
      if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => {});
    }
    gone += rows;
  };
}
