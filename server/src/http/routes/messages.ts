import type { Accepted, AcceptedMessage, Idempotency } from '../../actions/accepted.ts';
import { AldisError } from '../../domain/errors.ts';
import { isUuid, type MessageId, type TenantId } from '../../domain/ids.ts';
import { PRIORITIES, type State, statusOf } from '../../domain/message.ts';
import { findUsedKey } from '../../store/idempotency-keys.read.ts';
import { findMessage, findMessageWithTrail, listMessages } from '../../store/messages.read.ts';
import { readPageCursor, writePageCursor } from '../cursors.ts';
import { guard, principalOf } from '../guard.ts';
import { historyView } from '../history-view.ts';
import type { HttpDeps } from '../http-deps.ts';
import { changeKeyOf, conflictError, idempotencyOf } from '../idempotency.ts';
import { messageView, statusView } from '../message-view.ts';
import { integersOf } from '../query.ts';
import { composeOne } from '../references.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { messageFilter } from './message-filter.ts';
import { ListQuery, ROUTES } from './messages.schema.ts';

/** Messages one by one: accepting, listing, reading, cancelling, retrying. */
export function messageRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, settings } = deps;
  const reading = guard(keys, 'messages:read');
  const writing = guard(keys, 'messages:write');

  app.post(
    '/api/v1/messages',
    { schema: ROUTES.accept, onRequest: writing, bodyLimit: settings.body_limit },
    async (request, reply) => {
      const { tenant_id } = principalOf(request);
      const idempotency = idempotencyOf(request);
      const composing = composeOne(deps, tenant_id, request.body, PRIORITIES.normal);
      const composed = composing instanceof Promise ? await composing : composing;
      const accepted =
        composed.kind === 'message'
          ? await deps.acceptMessage(tenant_id, composed.message, idempotency)
          : await acceptedBefore(deps, tenant_id, idempotency, composed.error);
      if (accepted.kind !== 'accepted') throw conflictError(accepted);
      if (accepted.replayed) reply.header('idempotency-replayed', 'true');
      return reply.code(202).send(acceptedAnswer(accepted.message));
    },
  );

  app.get(
    '/api/v1/messages',
    { schema: ROUTES.list, onRequest: reading, preValidation: integersOf(ListQuery) },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { limit, cursor } = request.query;
      const before = cursor === undefined ? null : readPageCursor(cursor);
      const filter = await messageFilter(deps, tenant_id, request.query);
      if (filter === null) return { messages: [], next_cursor: null };
      const page = await listMessages(db, tenant_id, filter, before, limit);
      return {
        messages: page.messages.map(messageView),
        next_cursor: page.next === null ? null : writePageCursor(page.next),
      };
    },
  );

  app.get(
    '/api/v1/messages/:id',
    { schema: { ...ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const message = await findMessageWithTrail(db, tenant_id, messageId(request.params.id));
      if (message === null) throw noMessage();
      return { ...messageView(message), history: historyView(message) };
    },
  );

  app.get(
    '/api/v1/messages/:id/status',
    { schema: { ...ROUTES.status, params: IdParameter }, onRequest: reading },
    async (request) => {
      const message = await findMessage(db, principalOf(request).tenant_id, messageId(request.params.id));
      if (message === null) throw noMessage();
      return statusView(message);
    },
  );

  app.post(
    '/api/v1/messages/:id/cancel',
    { schema: { ...ROUTES.cancel, params: IdParameter }, onRequest: writing },
    async (request) => {
      const id = messageId(request.params.id);
      const result = await deps.cancelMessage(principalOf(request).tenant_id, id, changeKeyOf(request, 'cancel', id));
      if (result === 'mismatch') throw conflictError({ kind: result });
      if (result === 'not_found') throw noMessage();
      if (result === 'too_late') throw new AldisError('not_cancellable');
      return stateAnswer(id, 'cancelled');
    },
  );

  app.post(
    '/api/v1/messages/:id/retry',
    { schema: { ...ROUTES.retry, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const id = messageId(request.params.id);
      const result = await deps.retryMessage(principalOf(request).tenant_id, id, changeKeyOf(request, 'retry', id));
      if (result === 'mismatch') throw conflictError({ kind: result });
      if (result === 'not_found') throw noMessage();
      if (result === 'not_failed') throw new AldisError('not_retryable');
      return reply.code(202).send(stateAnswer(id, 'queued'));
    },
  );
}

/**
 * The answer to a repeat of a request that was accepted once and would be refused now, because the time it names has passed
 * meanwhile, say. Same key and same body have the same answer.
 * @throws {AldisError} the refusal, when it is no such repeat.
 */
async function acceptedBefore(
  { db }: Pick<HttpDeps, 'db'>,
  tenant: TenantId,
  idempotency: Idempotency | null,
  refusal: AldisError,
): Promise<Accepted> {
  const used = idempotency && (await findUsedKey(db, tenant, idempotency.key));
  if (!used) throw refusal;
  if (used.message_id === null || !used.request_hash.equals(idempotency.hash)) return { kind: 'mismatch' };
  const message = await findMessage(db, tenant, used.message_id);
  return message ? { kind: 'accepted', replayed: true, message } : { kind: 'mismatch' };
}

function acceptedAnswer(message: AcceptedMessage) {
  return {
    id: message.id,
    status: 'queued' as const,
    state: 'queued' as const,
    sender_id: message.sender_id,
    contact_id: message.contact_id,
    conversation_id: message.conversation_id,
    to: message.address,
    type: message.type,
    created_at: message.created_at,
    scheduled_at: message.scheduled_at,
    warnings: [],
  };
}

function stateAnswer(id: MessageId, state: State) {
  return { id, status: statusOf(state), state };
}

/** What is no id of ours is not found, like the id of another tenant. */
function messageId(text: string): MessageId {
  if (!isUuid(text)) throw noMessage();
  return text as MessageId;
}

function noMessage(): AldisError {
  return new AldisError('not_found', 'There is no message of that id.', { field: 'id' });
}
