import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { TenantId } from '../domain/ids.ts';
import { type EventRow, listEvents } from '../store/events.read.ts';
import { type EventFilter, findScanEnd, listVisibleEvents } from '../store/visible-events.read.ts';

/** A part of what a reader may see. */
export interface VisiblePage {
  rows: EventRow[];
  /** How far the log was read: the last of the rows, or beyond it where what follows is not for this reader. */
  place: EventPosition;
  /** Nothing lies after the place now. */
  ended: boolean;
}

/** Events that are looked at for one page, however few of them are for the reader. */
const MOST_SCANNED = 1000;

/**
 * Reads on in a tenant's log, leaving out what a filter leaves out: at most `limit` events, of those that come next. None
 * means that there is none among them: unless it has ended, ask again from the place.
 */
export async function readVisible(
  db: Queryable,
  tenant: TenantId,
  filter: EventFilter,
  after: EventPosition,
  limit: number,
): Promise<VisiblePage> {
  if (filter.user === null && filter.types === null && filter.conversation === null) {
    const rows = await listEvents(db, tenant, after, limit);
    return { rows, place: placeOf(rows.at(-1)) ?? after, ended: rows.length < limit };
  }
  const end = await findScanEnd(db, tenant, after, MOST_SCANNED);
  if (end === null) return { rows: [], place: after, ended: true };
  const rows = await listVisibleEvents(db, tenant, filter, after, end, limit);
  const full = rows.length === limit;
  const place = (full && placeOf(rows.at(-1))) || { xid: end.xid, id: end.id };
  return { rows, place, ended: !full && end.scanned < MOST_SCANNED };
}

function placeOf(row: EventRow | undefined): EventPosition | null {
  return row ? { xid: row.xid, id: row.event_id } : null;
}
