import { may, type Principal } from '../../access/principal.ts';
import type { ChatMessage, UserId } from '../../domain/chat.ts';
import { chatViewOf } from '../../domain/chat-view.ts';
import { AldisError } from '../../domain/errors.ts';
import { isUuid, type MessageId, type TenantId } from '../../domain/ids.ts';
import { PRIORITIES } from '../../domain/message.ts';
import { readTimesChange } from '../../domain/message-times.ts';
import { messageView } from '../../domain/message-view.ts';
import { findMessagePlace, findSaidMessages } from '../../store/customer-history.read.ts';
import { findMessage, findMessageWithTrail } from '../../store/messages.read.ts';
import { acceptComposed } from '../accepting.ts';
import { demand, guard, principalOf } from '../guard.ts';
import { historyView } from '../history-view.ts';
import type { HttpDeps } from '../http-deps.ts';
import { changeKeyOf, conflictError, idempotencyOf, patchKeyOf } from '../idempotency.ts';
import { acceptedAnswer, stateAnswer } from '../message-answers.ts';
import { checkSees, placeOf } from '../message-place.ts';
import { statusView } from '../message-view.ts';
import { recordOne } from '../recording.ts';
import { composeOne } from '../references.ts';
import { sayInConversation, userOf } from '../say-in-conversation.ts';
import { IdParameter, withoutNulls } from '../schemas.ts';
import { canonicalRequest } from '../single-request.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { addressedRequest } from '../whatsapp-words.ts';
import { ROUTES } from './messages.schema.ts';
import { retryRefused } from './messages-retry.ts';

/** Messages one by one: accepting, reading, changing their times, marking as read, cancelling, retrying. */
export function messageRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, settings } = deps;
  const reading = guard(keys, 'messages:read');
  const writing = guard(keys, 'messages:write');

  app.post(
    '/api/v1/messages',
    {
      schema: ROUTES.accept,
      onRequest: guard(keys, 'messages:write', 'conversations:write'),
      bodyLimit: settings.body_limit,
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenant_id } = principal;
      const asked = withoutNulls(request.body);
      const { conversation_id, whatsapp_message_id, ...rest } = asked;
      if (whatsapp_message_id !== undefined) {
        demand(principal, 'messages:write');
        const { fresh, message } = await recordOne(deps, tenant_id, asked, whatsapp_message_id);
        return reply.code(fresh ? 201 : 200).send(acceptedAnswer(message, message.state, []));
      }
      const idempotency = idempotencyOf(request);
      if (conversation_id !== undefined) {
        const said = await sayInConversation(deps, principal, conversation_id, rest, idempotency);
        if (said.replayed) reply.header('idempotency-replayed', 'true');
        const answer =
          said.kind === 'chat' ? said.message : acceptedAnswer(said.message, 'queued', said.warnings ?? []);
        return reply.code(202).send(answer);
      }
      demand(principal, 'messages:write');
      const composing = composeOne(deps, tenant_id, canonicalRequest(addressedRequest(rest)), PRIORITIES.normal);
      const composed = composing instanceof Promise ? await composing : composing;
      const { replayed, message, warnings = [] } = await acceptComposed(deps, tenant_id, composed, idempotency);
      if (replayed) reply.header('idempotency-replayed', 'true');
      return reply.code(202).send(acceptedAnswer(message, 'queued', warnings));
    },
  );

  app.get(
    '/api/v1/messages/:id',
    {
      schema: { ...ROUTES.read, params: IdParameter },
      onRequest: guard(keys, 'messages:read', 'conversations:read'),
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenant_id, user_id } = principal;
      const id = messageId(request.params.id);
      if (user_id === null && may(principal, 'messages:read')) {
        const message = await findMessageWithTrail(db, tenant_id, id);
        if (message !== null) return { ...messageView(message), history: historyView(message) };
      }
      const said = await findSaid(deps, principal, id);
      if (said === null) throw noMessage();
      return said;
    },
  );

  app.patch(
    '/api/v1/messages/:id',
    { schema: { ...ROUTES.change, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const id = messageId(request.params.id);
      const change = readTimesChange(request.body);
      const asks = Object.keys(change).length > 0;
      const key = patchKeyOf(request, id);
      const result = asks ? await deps.rescheduleMessage(tenant_id, id, change, key) : 'nothing';
      if (result === 'mismatch') throw conflictError({ kind: result });
      const message = result === 'not_found' ? null : await findMessage(db, tenant_id, id);
      if (message === null) throw noMessage();
      if (result === 'nothing') {
        throw new AldisError('missing_field', 'Give scheduled_at, expires_at, or both.', { field: 'scheduled_at' });
      }
      if (result !== 'changed') throw new AldisError(result === 'batch_incomplete' ? result : 'too_late');
      return messageView(message);
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
      onRequest: guard(keys, 'messages:write', 'conversations:write'),
      async handler(request) {
        const principal = principalOf(request);
        const { kind } = await placeOf(deps, principal, request.params.id);
        const id = messageId(request.params.id);
        if (kind === 'chat') {
          await readAs(deps, principal.tenant_id, userOf(principal), id);
          return stateAnswer(id, 'read');
        }
        const result = await deps.markRead(principal.tenant_id, id);
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
      const { tenant_id } = principalOf(request);
      const id = messageId(request.params.id);
      const result = await deps.cancelMessage(tenant_id, id, changeKeyOf(request, 'cancel', id));
      if (result === 'mismatch') throw conflictError({ kind: result });
      if (result === 'not_found') throw noMessage();
      if (result === 'too_late') {
        const message = await findMessage(db, tenant_id, id);
        const incomplete = message?.state === 'queued' && message.due_at === null;
        throw new AldisError(incomplete ? 'batch_incomplete' : 'not_cancellable');
      }
      return stateAnswer(id, 'cancelled');
    },
  );

  app.post(
    '/api/v1/messages/:id/retry',
    { schema: { ...ROUTES.retry, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const { tenant_id } = principalOf(request);
      const id = messageId(request.params.id);
      const anyway = request.body?.accept_duplicate ?? false;
      const key = changeKeyOf(request, anyway ? 'retry anyway' : 'retry', id);
      const result = await deps.retryMessage(tenant_id, id, key, anyway);
      if (result === 'mismatch') throw conflictError({ kind: result });
      if (result === 'not_found') throw noMessage();
      if (result !== 'queued') throw await retryRefused(deps, tenant_id, id, result);
      return reply.code(202).send(stateAnswer(id, 'queued'));
    },
  );
}

/**
 * A message as those see it who are in its conversation: one between users, a note, or one of WhatsApp. null: there is none of that id.
 * @throws {AldisError} `not_participant`
 */
async function findSaid({ db, chat }: HttpDeps, principal: Principal, id: MessageId): Promise<ChatMessage | null> {
  const { tenant_id, user_id } = principal;
  const place = await findMessagePlace(db, tenant_id, id);
  if (place === null || !may(principal, 'conversations:read')) return null;
  if (place.kind === 'chat') return chat.message(tenant_id, user_id, id);
  await checkSees({ chat }, principal, place.conversation_id);
  const [message] = await findSaidMessages(db, tenant_id, [id]);
  return message === undefined ? null : chatViewOf(message, message.state);
}

/** @throws {AldisError} `not_found`, `not_participant` */
async function readAs({ chat }: HttpDeps, tenant: TenantId, user: UserId, message: string): Promise<void> {
  const [marked = 'not_found'] = await chat.markRead(tenant, [{ user, message }]);
  if (marked === 'not_found') throw noMessage();
  if (marked === 'not_participant') throw new AldisError(marked);
}

/** What is no id of ours is not found, like the id of another tenant. */
function messageId(text: string): MessageId {
  if (!isUuid(text)) throw noMessage();
  return text as MessageId;
}

function noMessage(): AldisError {
  return new AldisError('not_found', 'There is no message of that id.', { field: 'id' });
}
