import type { Static } from 'typebox';
import { AldisError } from '../../domain/errors.ts';
import { type BatchId, isUuid, type TenantId } from '../../domain/ids.ts';
import { STATES, type State, type Status, statusOf } from '../../domain/message.ts';
import { parseTime, TIME_FORMAT } from '../../domain/times.ts';
import { findContactId, findConversationId } from '../../store/contacts.read.ts';
import type { MessageFilter } from '../../store/messages.read.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { ListQuery } from './messages.schema.ts';

/** Milliseconds. */
export const DAY = 86_400_000;

/**
 * What a list is asked for, with external ids turned into own ones.
 * @returns null when it names a record that does not exist: then nothing matches.
 * @throws {AldisError} `invalid_field` for a date that is none, or dates in the wrong order.
 */
export async function messageFilter(
  { db, senders }: Pick<HttpDeps, 'db' | 'senders'>,
  tenant: TenantId,
  query: Static<typeof ListQuery>,
): Promise<MessageFilter | null> {
  const { sender_id, contact_id, conversation_id, batch_id } = query;
  const filter: MessageFilter = {
    direction: query.direction,
    type: query.type,
    ...statesOf(query),
    error: query.error,
    error_code: query.error_code,
    from: dateOf('start_date', query.start_date, 0),
    until: dateOf('end_date', query.end_date, DAY - 1),
  };
  if (filter.from && filter.until && filter.from > filter.until) {
    throw new AldisError('invalid_field', 'start_date is after end_date.', { field: 'start_date' });
  }
  if (sender_id !== undefined) {
    filter.sender_id = (await senders.find(tenant, [sender_id])).get(sender_id)?.id;
    if (filter.sender_id === undefined) return null;
  }
  if (contact_id !== undefined) {
    filter.contact_id = (await findContactId(db, tenant, contact_id)) ?? undefined;
    if (filter.contact_id === undefined) return null;
  }
  if (conversation_id !== undefined) {
    filter.conversation_id = (await findConversationId(db, tenant, conversation_id)) ?? undefined;
    if (filter.conversation_id === undefined) return null;
  }
  if (batch_id !== undefined) {
    if (!isUuid(batch_id)) return null;
    filter.batch_id = batch_id as BatchId;
  }
  return filter;
}

/**
 * The states that are asked for, by the documented word or by the true one.
 * @throws {AldisError} `invalid_field` for both.
 */
function statesOf({ status, state }: Static<typeof ListQuery>): Pick<MessageFilter, 'states' | 'open'> {
  if (state === undefined) return { states: status === undefined ? undefined : rowStatesOf(status) };
  if (status !== undefined)
    throw new AldisError('invalid_field', 'Give state or status, not both.', { field: 'state' });
  switch (state) {
    case 'scheduled':
    case 'queued':
    case 'sending':
    case 'unconfirmed':
      return { open: state };
    default:
      return { states: [state] };
  }
}

/** The states in a message's own row that a documented word covers; open ones all stand there as queued. */
function rowStatesOf(status: Status): State[] {
  return STATES.filter((state) => statusOf(state) === status && state !== 'sending' && state !== 'unconfirmed');
}

/**
 * A day or a moment. `rest`: how much later the moment is that a day stands for.
 * @throws {AldisError} `invalid_field`
 */
export function dateOf(field: string, text: string | undefined, rest: number): Date | undefined {
  if (text === undefined) return undefined;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const time = parseTime(day ? `${text}T00:00:00Z` : text);
  if (time === null) {
    throw new AldisError('invalid_field', `${field} must be a day, like 2026-12-01, or ${TIME_FORMAT}.`, { field });
  }
  return new Date(day ? time + rest : time);
}
