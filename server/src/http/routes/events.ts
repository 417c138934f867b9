import { may, type Principal } from '../../access/principal.ts';
import { readVisible } from '../../access/visible-events.ts';
import { AldisError } from '../../domain/errors.ts';
import { type EventType, typesMatching } from '../../domain/event-catalogue.ts';
import { type EventCursors, eventCursors, isBefore, type ReadPosition } from '../../domain/event-cursor.ts';
import { type ConversationId, isReference, type TenantId } from '../../domain/ids.ts';
import { toldEvent } from '../../domain/told-event.ts';
import { findConversationId } from '../../store/contacts.read.ts';
import { findLogBounds } from '../../store/event-retention.read.ts';
import { type EventRow, LOG_START } from '../../store/events.read.ts';
import type { EventFilter } from '../../store/visible-events.read.ts';
import { createEventWaits } from '../event-wait.ts';
import { demand, guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
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
    {
      schema: ROUTES.list,
      onRequest: guard(keys, 'events:read', 'conversations:read'),
      preValidation: integersOf(EventsQuery),
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenant_id } = principal;
      const { after, limit, wait, types, conversation_id } = request.query;
      const filter: EventFilter = {
        user: viewerOf(principal),
        types: types === undefined ? null : typesOf(types),
        conversation: conversation_id === undefined ? null : await conversationOf(deps, tenant_id, conversation_id),
      };
      const cursors = eventCursors(tenant_id);
      const start = await startOf(deps, tenant_id, cursors, after);
      // Each look goes on where the one before came to, over events that are not for this reader.
      let place: ReadPosition = start;
      const look = async (): Promise<EventRow[]> => {
        const page = await readVisible(db, tenant_id, filter, place, limit);
        place = page.place;
        return page.rows;
      };
      const rows = wait === 0 ? await look() : await waits.untilFound(tenant_id, wait * 1000, request.signal, look);
      return chain(cursors, rows, start.seen ?? start, place);
    },
  );
}

/** For whose eyes: a user's, who needs no scope but that of conversations, or all of it for the tenant's software. */
function viewerOf(principal: Principal): string | null {
  if (principal.user_id === null || !may(principal, 'conversations:read')) demand(principal, 'events:read');
  return principal.user_id;
}

/** @throws {AldisError} `invalid_field` for a type that there is none of. */
function typesOf(text: string): EventType[] {
  return text.split(',').flatMap((pattern) => {
    const types = typesMatching(pattern.trim());
    if (types.length > 0) return types;
    throw new AldisError('invalid_field', `There is no event of the type ${JSON.stringify(pattern)}.`, {
      field: 'types',
    });
  });
}

/** The conversation of an own or external id. What is none has no events. */
async function conversationOf({ db }: HttpDeps, tenant: TenantId, name: string): Promise<ConversationId> {
  const found = isReference(name) ? await findConversationId(db, tenant, name) : null;
  return found ?? (LOG_START.id as ConversationId);
}

/**
 * Where to read on.
 * @throws {AldisError} `invalid_cursor` for what is none of this tenant's, or lies where this log has not come yet: it is of another
 * one; `cursor_expired` when events after it are kept no longer.
 */
async function startOf(
  { db }: HttpDeps,
  tenant: TenantId,
  cursors: EventCursors,
  cursor: string | undefined,
): Promise<ReadPosition> {
  const told = cursor === undefined || cursor === 'now' ? null : cursors.read(cursor);
  if (told === null && cursor !== undefined && cursor !== 'now') throw notOurs();
  const { end, reached, pruned } = await findLogBounds(db, tenant, told?.xid ?? LOG_START.xid);
  if (!reached) throw notOurs();
  if (told === null) return cursor === 'now' ? end : pruned;
  if (isBefore(told, pruned)) throw new AldisError('cursor_expired', undefined, { field: 'after' });
  return told;
}

function notOurs(): AldisError {
  return new AldisError('invalid_cursor', undefined, { field: 'after' });
}

/** Each event with its cursor and that of the one before it, beginning with the last one that was seen. */
function chain(cursors: EventCursors, rows: readonly EventRow[], seen: ReadPosition, place: ReadPosition) {
  let last = seen;
  let prev = cursors.write(seen);
  const events = rows.map((row) => {
    last = { xid: row.xid, id: row.event_id };
    const cursor = cursors.write(last);
    const { id, type, time, data } = toldEvent(row);
    const event = { id, type, time, cursor, prev, data };
    prev = cursor;
    return event;
  });
  return { events, next_cursor: cursors.write({ ...place, seen: last }) };
}
