import type { Direction, State } from './message.ts';

/** Lists that are written to a file. */
export const EXPORT_KINDS = ['messages', 'contacts'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_STATES = ['queued', 'running', 'complete', 'failed', 'cancelled'] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** Most exports of a tenant that are kept, and most that are not ended yet. */
export const MOST_EXPORTS = { kept: 100, open: 3 } as const;

/** What a list of messages is narrowed to, as it is stored: ids are our own, times ISO 8601. */
export interface StoredMessageFilter {
  sender_id?: string | undefined;
  contact_id?: string | undefined;
  conversation_id?: string | undefined;
  batch_id?: string | undefined;
  direction?: Direction | undefined;
  type?: string | undefined;
  states?: readonly State[] | undefined;
  error?: string | undefined;
  error_code?: number | undefined;
  open?: 'scheduled' | 'queued' | 'sending' | 'unconfirmed' | undefined;
  from?: string | undefined;
  until?: string | undefined;
}

/** The media type of an export's file. */
export function exportType(format: ExportFormat): string {
  return format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8';
}

/** What a file of an export is called by whoever downloads it: `messages-2026-12-01.csv`. */
export function exportFilename(kind: ExportKind, format: ExportFormat, createdAt: Date): string {
  return `${kind}-${createdAt.toISOString().slice(0, 10)}.${format}`;
}

/** Where a part of an export lies in the object store. @param hold whose part it is: no two holders write the same. */
export function exportPartKey(tenant: string, id: string, part: number, hold: number, format: ExportFormat): string {
  return `exports/${tenant}/${id}/part-${String(part).padStart(6, '0')}-${hold}.${format}`;
}

/**
 * How much of an export is done, in percent; null: nobody counted what there is. Rows come and go while it is written, so 100
 * is said of a complete one alone.
 */
export function exportPercent(state: ExportState, rows: number, total: number | null): number | null {
  if (state === 'complete') return 100;
  if (total === null) return null;
  return total === 0 ? 0 : Math.min(99, Math.floor((rows / total) * 100));
}

/** Milliseconds until an export that failed is tried again, after so many tries in a row; null: it is given up. */
export function nextExportTry(tries: number): number | null {
  return tries >= MOST_TRIES ? null : Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE);
}

const MOST_TRIES = 10;
const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 300_000;
