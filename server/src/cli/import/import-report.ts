import type { State } from '../../domain/message.ts';
import type { Client } from '../client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import type { Waitable } from '../waiting.ts';
import { describeCounts, FAILURE_COLUMNS, type Followed, failedOf, followBatches, reportFailures } from './follower.ts';
import { type RunOptions, rehearseImport, runImport, type Totals } from './import-run.ts';
import type { ImportPlan } from './plan.ts';
import { createProgress } from './progress.ts';
import { createReport } from './report-file.ts';

export interface ReportedRun extends RunOptions {
  /** The state to follow the messages to, or null to end when they are accepted. */
  wanted: Waitable | null;
  /** Gives up following after so many milliseconds without a change. */
  timeout: number;
}

/** What `--json` prints. */
interface Summary {
  file: string;
  import: string;
  rows: number;
  accepted: number;
  refused: number;
  /** Documents of a dump that were sent before it was made; null for a CSV file. */
  already_sent: number | null;
  batches: number;
  /** Requests that an earlier run had done already. */
  resumed_batches: number;
  complete: boolean;
  /** Null without `--wait`. */
  by_state: Record<State, number> | null;
  failed: number | null;
  refused_file: string | null;
  failed_file: string | null;
  seconds: number;
}

/** Runs an import, follows it if wanted, prints what came of it, and returns the exit code that says so. */
export async function importTo(plan: ImportPlan, client: Client, output: Output, run: ReportedRun): Promise<ExitCode> {
  const began = performance.now();
  const totals = await runImport(plan, client, output, run);
  const following = run.wanted !== null && totals.complete && totals.batchIds.length > 0;
  const followed = following ? await follow(client, totals, run.wanted ?? 'delivered', output, run) : null;
  const failed = followed && run.wanted ? failedOf(followed.byState, run.wanted) : null;
  if (failed) await writeFailures(plan, client, totals);
  const summary: Summary = {
    ...countsOf(plan, totals),
    by_state: followed?.byState ?? null,
    failed,
    failed_file: failed ? plan.paths.failed : null,
    seconds: Math.round(performance.now() - began) / 1_000,
  };
  output.result(summary, describe(summary, totals));
  if (!totals.complete || run.stop.aborted) return EXIT.interrupted;
  if (followed && !followed.settled) return EXIT.notReached;
  return totals.refused > 0 || (failed ?? 0) > 0 ? EXIT.partly : EXIT.ok;
}

/** Checks a file without sending: prints what would be sent, and returns the exit code. */
export async function rehearse(plan: ImportPlan, output: Output): Promise<ExitCode> {
  const { sample, ...totals } = await rehearseImport(plan);
  const counts = countsOf(plan, totals);
  const text = [
    `${totals.rows} rows: ${totals.accepted} would be sent, ${totals.refused} refused${whereRefused(counts)}`,
    ...describeFirst(totals),
    ...describeSent(counts),
    ...sample.map((body) => JSON.stringify(body)),
  ];
  output.result({ ...counts, dry_run: true, sample }, text.join('\n'));
  return totals.refused > 0 ? EXIT.partly : EXIT.ok;
}

async function follow(
  client: Client,
  totals: Totals,
  wanted: Waitable,
  output: Output,
  run: ReportedRun,
): Promise<Followed> {
  const progress = createProgress(`until ${wanted}`, 'messages', totals.accepted, output);
  try {
    return await followBatches(client, totals.batchIds, wanted, run.timeout, progress, run.stop);
  } finally {
    progress.stop();
  }
}

async function writeFailures(plan: ImportPlan, client: Client, totals: Totals): Promise<void> {
  const report = await createReport(plan.paths.failed, FAILURE_COLUMNS);
  try {
    await reportFailures(client, totals.batchIds, report);
  } finally {
    await report.close();
  }
}

function countsOf(plan: ImportPlan, totals: Totals) {
  return {
    file: plan.source.path,
    import: plan.runId.slice(0, 16),
    rows: totals.rows,
    accepted: totals.accepted,
    refused: totals.refused,
    already_sent: 'alreadySent' in plan.csv ? plan.csv.alreadySent : null,
    batches: totals.batchIds.length,
    resumed_batches: totals.resumed,
    complete: totals.complete,
    refused_file: totals.refused > 0 ? plan.paths.refused : null,
  };
}

function describe(summary: Summary, totals: Totals): string {
  const lines = [
    `${summary.rows} rows: ${summary.accepted} accepted, ${summary.refused} refused${whereRefused(summary)}`,
  ];
  lines.push(...describeFirst(totals), ...describeSent(summary));
  if (totals.resumed > 0 && totals.resumed === totals.batchIds.length) {
    lines.push('this import was finished before; nothing was sent again (to send it once more: --again NAME)');
  } else if (totals.resumed > 0) {
    lines.push(`${totals.resumed} of ${totals.batchIds.length} batches were done by an earlier run`);
  }
  if (summary.by_state) lines.push(`messages: ${describeCounts(summary.by_state)}`);
  if (summary.failed_file) lines.push(`failed ones, with the reason: ${summary.failed_file}`);
  return lines.join('\n');
}

function describeFirst({ firstRefused: first }: Pick<Totals, 'firstRefused'>): string[] {
  return first === null ? [] : [`the first of them, line ${first.line}: ${first.reason}`];
}

function describeSent({ already_sent }: Pick<Summary, 'already_sent'>): string[] {
  return already_sent ? [`${already_sent} more have the status "sent" in the file and were left out`] : [];
}

function whereRefused(summary: { refused_file: string | null }): string {
  return summary.refused_file === null ? '' : ` (why: ${summary.refused_file})`;
}
