import { AldisError } from '../../domain/errors.ts';
import { timeOfId } from '../../domain/ids.ts';
import { type EventPosition, type EventRow, findLogEnd, LOG_START, listEvents } from '../../store/events.read.ts';
import { readEventCursor, writeEventCursor } from '../cursors.ts';
import { createEventWaits } from '../event-wait.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { eventView } from '../message-view.ts';
import { integersOf } from '../query.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { EventsQuery, ROUTES } from './events.schema.ts';

/** The event log of a tenant, read from a cursor on. */
export function eventRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys } = deps;
  const waits = createEventWaits(deps);
  app.addHook('preClose', async () => waits.stop());

  app.get(
    '/api/v1/events',
    { schema: ROUTES.list, onRequest: guard(keys, 'events:read'), preValidation: integersOf(EventsQuery) },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { after: asked, limit, wait } = request.query;
      const after = await startOf(deps, asked);
      const look = () => listEvents(db, tenant_id, after, limit);
      const rows = wait === 0 ? await look() : await waits.untilFound(tenant_id, wait * 1000, request.signal, look);
      return chain(rows, after);
    },
  );
}

/**
 * Where to read on.
 * @throws {AldisError} `invalid_cursor` for what is none, or lies where this log has not come yet: it is of another one.
 */
async function startOf({ db }: HttpDeps, cursor: string | undefined): Promise<EventPosition> {
  if (cursor === undefined) return LOG_START;
  const position = cursor === 'now' ? LOG_START : readEventCursor(cursor);
  const { end, reached } = await findLogEnd(db, position.xid);
  if (!reached) throw new AldisError('invalid_cursor', undefined, { field: 'after' });
  return cursor === 'now' ? end : position;
}

/** Each event with its cursor and that of the one before it, beginning with the place that was asked for. */
function chain(rows: readonly EventRow[], after: EventPosition) {
  let prev = writeEventCursor(after);
  const events = rows.map((row) => {
    const cursor = writeEventCursor({ xid: row.xid, id: row.event_id });
    const event = {
      id: row.event_id,
      type: row.event_type,
      time: new Date(timeOfId(row.event_id)),
      cursor,
      prev,
      data: eventView(row),
    };
    prev = cursor;
    return event;
  });
  return { events, next_cursor: prev };
}
