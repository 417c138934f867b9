import type { Static } from 'typebox';
import { AldisError } from '../../domain/errors.ts';
import type { ConversationId, TenantId } from '../../domain/ids.ts';
import { messageView } from '../../domain/message-view.ts';
import { findOnlyConversation } from '../../store/contacts.read.ts';
import { listMessages, type MessageFilter, type MessageTotal, WALKED } from '../../store/messages.read.ts';
import { readPageCursor, writePageCursor } from '../cursors.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { messageTotal } from '../message-total.ts';
import { integersOf } from '../query.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { messageFilter } from './message-filter.ts';
import { ListQuery, ROUTES } from './messages.schema.ts';

/** The list of messages, by cursor or by page. */
export function messageListRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys } = deps;
  app.get(
    '/api/v1/messages',
    { schema: ROUTES.list, onRequest: guard(keys, 'messages:read'), preValidation: integersOf(ListQuery) },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { limit, cursor, page } = request.query;
      const before = cursor === undefined ? null : readPageCursor(cursor);
      const offset = offsetOf(request.query);
      const filter = await messageFilter(deps, tenant_id, request.query);
      if (filter === null) return { messages: [], next_cursor: null, ...totalsOf(page, limit, NONE) };
      filter.conversation_id ??= await onlyConversation(deps, tenant_id, filter);
      let found = await listMessages(db, tenant_id, filter, before, limit, offset);
      // Who asks for the first page and is told that there is one match does not expect an empty page and a cursor.
      for (let walks = 1; page === 1 && found.messages.length === 0 && found.next !== null && walks < WALKS; walks++) {
        found = await listMessages(db, tenant_id, filter, found.next, limit);
      }
      return {
        messages: found.messages.map(messageView),
        next_cursor: found.next === null ? null : writePageCursor(found.next),
        ...(page === undefined ? {} : totalsOf(page, limit, await messageTotal(db, tenant_id, filter))),
      };
    },
  );
}

/**
 * The only conversation of a contact whose messages are asked for: it is walked as far as the page, while of several all that may be on it
 * is sorted. What failed, or is of a batch or open, has narrower ways.
 */
async function onlyConversation(
  { db }: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  { contact_id, sender_id, batch_id, error, error_code, open }: MessageFilter,
): Promise<ConversationId | undefined> {
  if (contact_id === undefined) return undefined;
  if ([batch_id, error, error_code, open].some((narrower) => narrower !== undefined)) return undefined;
  return (await findOnlyConversation(db, tenant, contact_id, sender_id ?? null)) ?? undefined;
}

/** How often 5,000 messages are looked at, at most, for a first page on which there is none. */
const WALKS = 20;
const NONE: MessageTotal = { total: 0, capped: false };

/**
 * How many messages stand before a page.
 * @throws {AldisError} `invalid_field` for a page with a cursor, or one that lies too deep.
 */
function offsetOf({ limit, cursor, page }: Static<typeof ListQuery>): number {
  if (page === undefined) return 0;
  const field = 'page';
  if (cursor !== undefined) throw new AldisError('invalid_field', 'Give page or cursor, not both.', { field });
  const last = Math.floor(WALKED / limit);
  if (page > last) {
    throw new AldisError(
      'invalid_field',
      `page must be at most ${last} with a limit of ${limit}: pages reach the newest 10,000 messages. To go deeper, leave page out and follow next_cursor.`,
      { field, details: { limit: last } },
    );
  }
  return (page - 1) * limit;
}

function totalsOf(page: number | undefined, limit: number, { total, capped }: MessageTotal) {
  if (page === undefined) return {};
  return { total, page, limit, total_pages: Math.ceil(total / limit), ...(capped ? { total_capped: true } : {}) };
}
