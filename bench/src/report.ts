import { cpus, totalmem } from 'node:os';
import { median, round } from './figures.ts';
import type { Measure, Run } from './measure.ts';

/** Where the figures come from: they mean nothing without. */
export function machine(): Record<string, unknown> {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memory_gb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    at: new Date().toISOString(),
  };
}

/** A table for people: what was measured, the floor beside it, the gate and whether it holds. */
export function table(measures: readonly Measure[]): string {
  const rows = measures.map((measure) => [
    measure.name,
    measure.unit,
    String(round(measure.product)),
    measure.floor === null ? '' : String(round(measure.floor)),
    measure.ratio === null ? '' : measure.ratio.toFixed(2),
    measure.gate ?? '',
    measure.gate === null ? '' : measure.pass ? 'holds' : 'MISSED',
  ]);
  const head = ['what', 'unit', 'product', 'floor', 'ratio', 'gate', ''];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const ruler = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const below = measures.flatMap((measure) => [
    ...(measure.notes ?? []).map((note) => `${measure.name}: ${note}.`),
    ...cpuLines(measure),
  ]);
  return [line(head), ruler, ...rows.map(line), '', ...below, ''].join('\n');
}

/** CPU milliseconds a message, by process. */
function cpuLines({ name, runs }: Measure): string[] {
  return (['product', 'floor'] as const).flatMap((side) => {
    const parts = cpuMedians(runs[side]);
    return parts.length === 0 ? [] : [`${name}: CPU of the ${side}, ms each: ${parts.join(', ')}.`];
  });
}

function cpuMedians(runs: readonly Run[]): string[] {
  const first = runs[0]?.cpu;
  if (!first) return [];
  return Object.keys(first).map((process) => {
    const ms = median(runs.map((run) => run.cpu?.[process as keyof typeof first] ?? Number.NaN));
    return `${process} ${ms.toFixed(3)}`;
  });
}
