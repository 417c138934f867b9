import type { AcceptedMessage } from '../../actions/accepted.ts';
import { AldisError } from '../../domain/errors.ts';
import { isUuid, type MessageId } from '../../domain/ids.ts';
import { PRIORITIES, type State, statusOf } from '../../domain/message.ts';
import { findMessage, findMessageWithTrail } from '../../store/messages.read.ts';
import { acceptComposed } from '../accepting.ts';
import { guard, principalOf } from '../guard.ts';
import { historyView } from '../history-view.ts';
import type { HttpDeps } from '../http-deps.ts';
import { changeKeyOf, conflictError, idempotencyOf } from '../idempotency.ts';
import { messageView, statusView } from '../message-view.ts';
import { recordOne } from '../recording.ts';
import { composeOne } from '../references.ts';
import { IdParameter } from '../schemas.ts';
import { canonicalRequest, inConversation } from '../single-request.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { ROUTES } from './messages.schema.ts';
import { whyNotRetryable } from './messages-retry.ts';

/** Messages one by one: accepting, reading, marking as read, cancelling, retrying. */
export function messageRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, settings } = deps;
  const reading = guard(keys, 'messages:read');
  const writing = guard(keys, 'messages:write');

  app.post(
    '/api/v1/messages',
    { schema: ROUTES.accept, onRequest: writing, bodyLimit: settings.body_limit },
    async (request, reply) => {
      const { tenant_id } = principalOf(request);
      const { conversation_id, whatsapp_message_id, ...rest } = request.body;
      if (whatsapp_message_id !== undefined) {
        const { fresh, message } = await recordOne(deps, tenant_id, request.body, whatsapp_message_id);
        return reply.code(fresh ? 201 : 200).send(acceptedAnswer(message, message.state, []));
      }
      const idempotency = idempotencyOf(request);
      const canonical = canonicalRequest(rest);
      const asked =
        conversation_id === undefined ? canonical : await inConversation(deps, tenant_id, canonical, conversation_id);
      const composing = composeOne(deps, tenant_id, asked, PRIORITIES.normal);
      const composed = composing instanceof Promise ? await composing : composing;
      const { replayed, message, warnings = [] } = await acceptComposed(deps, tenant_id, composed, idempotency);
      if (replayed) reply.header('idempotency-replayed', 'true');
      return reply.code(202).send(acceptedAnswer(message, 'queued', warnings));
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

  // queue-service documents PUT, chat-service POST.
  for (const method of ['PUT', 'POST'] as const) {
    app.route({
      method,
      url: '/api/v1/messages/:id/read',
      schema: { ...ROUTES.markRead, params: IdParameter },
      onRequest: writing,
      async handler(request) {
        const id = messageId(request.params.id);
        const result = await deps.markRead(principalOf(request).tenant_id, id);
        if (result === 'not_found') throw noMessage();
        if (result === 'outbound') throw new AldisError('cannot_mark_read');
        return stateAnswer(id, 'read');
      },
    });
  }

  app.post(
    '/api/v1/messages/:id/typing',
    { schema: { ...ROUTES.typing, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const id = messageId(request.params.id);
      const result = await deps.showTyping(principalOf(request).tenant_id, id);
      if (result === 'not_found') throw noMessage();
      if (result === 'outbound') throw new AldisError('cannot_mark_read');
      return reply.code(202).send(stateAnswer(id, 'read'));
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
      const { tenant_id } = principalOf(request);
      const id = messageId(request.params.id);
      const result = await deps.retryMessage(tenant_id, id, changeKeyOf(request, 'retry', id));
      if (result === 'mismatch') throw conflictError({ kind: result });
      if (result === 'not_found') throw noMessage();
      if (result === 'not_failed') throw await whyNotRetryable(deps, tenant_id, id);
      return reply.code(202).send(stateAnswer(id, 'queued'));
    },
  );
}

function acceptedAnswer(message: AcceptedMessage, state: State, warnings: readonly string[]) {
  return {
    id: message.id,
    status: statusOf(state),
    state,
    sender_id: message.sender_id,
    contact_id: message.contact_id,
    conversation_id: message.conversation_id,
    to: message.address,
    type: message.type,
    created_at: message.created_at,
    scheduled_at: message.scheduled_at,
    warnings: [...warnings],
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
