import {
  EXPORTS,
  findLeftExports,
  type HeldExport,
  holdExport,
  type LeftExport,
  letGoOfExport,
  recordExportFailure,
  recordExportStep,
  recordFilesRemoved,
  takeExport,
} from '../actions/exports.ts';
import type { Db } from '../db/pool.ts';
import { type ExportKind, exportPartKey, exportType } from '../domain/export.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { ObjectStore } from '../domain/object-store.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { listExportParts } from '../store/exports.read.ts';
import { EXPORT_PAGES, type ExportPage, type ExportViews } from './export-pages.ts';
import { type RowWriter, rowWriter } from './export-rows.ts';

/**
 * Writes exports: one at a time an instance, a part at a time, each a file of the object store. What is recorded stays: whoever
 * goes on after a restart begins behind the last part. Between two parts another export has its turn, the one that was left
 * alone longest. Also removes the files of those that have expired, or ended without being complete.
 */
export interface ExportsOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'info' | 'warn'>;
  instance: InstanceId;
  store: ObjectStore;
  views: ExportViews;
  /** The fields of a record, in the order of their columns. */
  columns: Readonly<Record<ExportKind, readonly string[]>>;
  /** Milliseconds that an export is kept when it has ended. */
  keep: number;
  /** Milliseconds between looks for what no signal tells of. */
  pollInterval: number;
  /** Rows of a part; for tests. */
  partRows?: number;
  /** Milliseconds an export is held without a sign of life; for tests. */
  lease?: number;
}

const PART_ROWS = 20_000;
const PAGE = 1000;
/** Rows that are written as text before the store takes them: nothing else of the process waits long for it. */
const AT_A_TIME = 100;
/** Milliseconds after which an export whose holder has died is anybody's. */
const LEASE = 15_000;
/** How often in a lease a holder says that he lives, and hears that the export was cancelled. */
const RENEWALS = 5;
/** Milliseconds: a part in which hardly anything is found ends, so that a restart does not look again. */
const LONGEST_PART = 20_000;
const LEFT_TOGETHER = 20;

export function createExportJob(options: ExportsOptions): Part {
  const { db, signals, logger, instance, store, views, columns, keep, lease = LEASE } = options;
  const partRows = options.partRows ?? PART_ROWS;
  let unlisten = () => {};

  const rounds = createRounds({
    every: options.pollInterval,
    atOnce: true,
    async round(ending) {
      const held = await takeExport(db, instance, lease);
      if (held !== null) {
        rounds.wake();
        await writePart(held, ending);
      }
      await removeLeft(ending);
    },
    failed: (error) => logger.warn({ error }, 'looking for exports failed'),
  });

  async function writePart(held: HeldExport, ending: AbortSignal): Promise<void> {
    const about = { tenant_id: held.tenant_id, export_id: held.id };
    const writing = new AbortController();
    const renewal = setInterval(() => {
      holdExport(db, held, lease).then(
        (ours) => ours || writing.abort(),
        // It is tried again; should the lease end before, nothing is recorded of this holder.
        () => {},
      );
    }, lease / RENEWALS).unref();
    try {
      await removeUnrecorded(held);
      const written = await write(held, ending, writing);
      // Should the answer to this be lost, the file stays: whoever holds the export next knows whether it is recorded.
      const recorded = await recordExportStep(db, held, written, { lease, keep });
      await failpoint('export.after_commit');
      if (!recorded) await store.remove(keyOf(held, held.parts + 1, held.holds));
      if (!recorded || written.position !== null) await letGoOfExport(db, held);
      else logger.info({ ...about, rows: held.rows + written.rows }, 'an export is complete');
    } catch (error) {
      if (writing.signal.aborted) {
        await letGoOfExport(db, held);
        return;
      }
      const detail = error instanceof Error ? error.message : String(error);
      const given = await recordExportFailure(db, held, detail, keep);
      logger.warn({ ...about, error, given_up: given }, 'a part of an export could not be written');
    } finally {
      clearInterval(renewal);
    }
  }

  /**
   * Writes the next part, if there is anything to write.
   * @param writing is aborted, and this throws, when the export was cancelled, is somebody else's, or this instance stops.
   */
  async function write(held: HeldExport, ending: AbortSignal, writing: AbortController) {
    const began = performance.now();
    const writer = rowWriter(held.format, columns[held.kind], held.bom);
    const step = { rows: 0, size: null as number | null, position: held.position };

    async function next(): Promise<ExportPage> {
      if (ending.aborted) writing.abort();
      writing.signal.throwIfAborted();
      const limit = Math.min(PAGE, partRows - step.rows);
      const page = await EXPORT_PAGES[held.kind](db, views, held, step.position, limit);
      step.rows += page.rows.length;
      step.position = page.next;
      return page;
    }
    const more = () =>
      step.position !== null && step.rows < partRows && performance.now() - began < LONGEST_PART && !ending.aborted;

    // What has no rows yet is no file yet.
    let page = await next();
    while (page.rows.length === 0 && more()) page = await next();
    const head = held.parts === 0 ? writer.head : '';
    const empty = page.rows.length === 0 && (head === '' || step.position !== null);
    if (empty) return step;
    const about = { type: exportType(held.format) };
    const bytes = linesOf(writer, head, page, more, next);
    await failpoint('export.before_put');
    const { size } = await store.put(keyOf(held, held.parts + 1, held.holds), bytes, about);
    await failpoint('export.after_put');
    step.size = size;
    return step;
  }

  /** A holder that died may have left the file of a part that was never recorded. */
  async function removeUnrecorded(held: HeldExport): Promise<void> {
    for (let hold = Math.max(1, held.last_hold); hold < held.holds; hold++) {
      await store.remove(keyOf(held, held.parts + 1, hold));
    }
  }

  async function removeLeft(ending: AbortSignal): Promise<void> {
    const left = await findLeftExports(db, LEFT_TOGETHER);
    for (const one of left) {
      if (ending.aborted) return;
      try {
        await removeFiles(one);
        await recordFilesRemoved(db, one);
      } catch (error) {
        logger.warn({ error, tenant_id: one.tenant_id, export_id: one.id }, 'the files of an export were not removed');
        return;
      }
    }
    if (left.length >= LEFT_TOGETHER) rounds.wake();
  }

  async function removeFiles(left: LeftExport): Promise<void> {
    for (const { part, hold } of await listExportParts(db, left.tenant_id, left.id)) {
      await store.remove(keyOf(left, part, hold));
    }
    for (let hold = Math.max(1, left.last_hold); hold <= left.holds; hold++) {
      await store.remove(keyOf(left, left.parts + 1, hold));
    }
  }

  return part(
    'exports',
    async () => {
      unlisten = signals.listen(EXPORTS, rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
    },
  );
}

async function* linesOf(
  writer: RowWriter,
  head: string,
  first: ExportPage,
  more: () => boolean,
  next: () => Promise<ExportPage>,
): AsyncGenerator<Buffer> {
  if (head !== '') yield Buffer.from(head);
  for (let page = first; ; page = await next()) {
    for (let from = 0; from < page.rows.length; from += AT_A_TIME) {
      yield Buffer.from(writer.write(page.rows.slice(from, from + AT_A_TIME)));
    }
    if (!more()) return;
  }
}

function keyOf({ tenant_id, id, format }: LeftExport | HeldExport, part: number, hold: number): string {
  return exportPartKey(tenant_id, id, part, hold, format);
}
