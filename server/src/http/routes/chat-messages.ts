import type { Principal } from '../../access/principal.ts';
import { checkChatEmoji, checkEdit } from '../../domain/chat-rules.ts';
import { AldisError } from '../../domain/errors.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { MessagePlace } from '../../store/customer-history.read.ts';
import { findMessage } from '../../store/messages.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { changeKeyOf, idempotencyOf } from '../idempotency.ts';
import { acceptedAnswer, stateAnswer } from '../message-answers.ts';
import { placeOf } from '../message-place.ts';
import { integersOf } from '../query.ts';
import { sayInConversation, userOf } from '../say-in-conversation.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp, HttpReply } from '../typebox-provider.ts';
import { CHAT_MESSAGE_ROUTES } from './chat-messages.schema.ts';
import { SaidPage } from './conversation-messages.schema.ts';
import { onePage, saidList } from './conversation-messages.ts';

/** What is done to a message after it was said: edited, deleted, reacted and answered to. */
export function chatMessageRoutes(app: HttpApp, deps: HttpDeps): void {
  const { keys, chat } = deps;
  const reading = guard(keys, 'conversations:read');
  // Of WhatsApp messages as well, which keys without conversations may change.
  const writing = guard(keys, 'messages:write', 'conversations:write');

  app.put(
    '/api/v1/messages/:id',
    { schema: { ...CHAT_MESSAGE_ROUTES.edit, params: IdParameter }, onRequest: writing },
    async (request) => {
      const principal = principalOf(request);
      const { id, kind } = await placeOf(deps, principal, request.params.id);
      if (kind === 'whatsapp') throw new AldisError('not_supported_by_whatsapp');
      return chat.edit(principal.tenant_id, userOf(principal), id, checkEdit(request.body));
    },
  );

  app.delete(
    '/api/v1/messages/:id',
    { schema: { ...CHAT_MESSAGE_ROUTES.remove, params: IdParameter }, onRequest: writing },
    async (request) => {
      const principal = principalOf(request);
      const place = await placeOf(deps, principal, request.params.id);
      if (place.kind === 'chat') return chat.remove(principal.tenant_id, userOf(principal), place.id);
      return takeBack(deps, principal, place);
    },
  );

  /** @param emoji empty: the reaction is taken back. */
  async function react(reply: HttpReply, principal: Principal, given: string, emoji: string, key: Key) {
    const { id, kind, conversation_id } = await placeOf(deps, principal, given);
    if (kind === 'chat') {
      return chat.react(principal.tenant_id, userOf(principal), id, checkChatEmoji(emoji));
    }
    const said = { content: { reaction: { message_id: id, emoji } } };
    const done = await sayInConversation(deps, principal, conversation_id, said, key);
    if (done.kind === 'chat') throw new Error('a reaction to a WhatsApp message became a chat message');
    if (done.replayed) reply.header('idempotency-replayed', 'true');
    return reply.code(202).send(acceptedAnswer(done.message, 'queued', done.warnings ?? []));
  }

  app.post(
    '/api/v1/messages/:id/reactions',
    { schema: { ...CHAT_MESSAGE_ROUTES.react, params: IdParameter }, onRequest: writing },
    (request, reply) =>
      react(reply, principalOf(request), request.params.id, request.body.emoji, idempotencyOf(request)),
  );

  app.delete(
    '/api/v1/messages/:id/reactions',
    { schema: { ...CHAT_MESSAGE_ROUTES.unreact, params: IdParameter }, onRequest: writing },
    (request, reply) => {
      const { id } = request.params;
      return react(
        reply,
        principalOf(request),
        id,
        '',
        changeKeyOf(request, 'take the reaction back from', id as MessageId),
      );
    },
  );

  app.get(
    '/api/v1/messages/:id/edits',
    { schema: { ...CHAT_MESSAGE_ROUTES.edits, params: IdParameter }, onRequest: reading },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      return { edits: await chat.listEdits(tenant_id, user_id, request.params.id) };
    },
  );

  app.get(
    '/api/v1/messages/:id/replies',
    {
      schema: { ...CHAT_MESSAGE_ROUTES.replies, params: IdParameter },
      onRequest: reading,
      preValidation: integersOf(SaidPage),
    },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      return saidList(await chat.thread(tenant_id, user_id, request.params.id, onePage(request.query)));
    },
  );
}

type Key = ReturnType<typeof idempotencyOf>;

/** Cancels a WhatsApp message that has not left. What a user said, he takes back himself. */
async function takeBack(
  deps: Pick<HttpDeps, 'db' | 'cancelMessage'>,
  { tenant_id, user_id }: Principal,
  { id: given, direction, author_id }: MessagePlace & { id: string },
) {
  const id = given as MessageId;
  if (direction === 'inbound') throw new AldisError('not_supported_by_whatsapp');
  if (user_id !== null && user_id !== author_id) throw new AldisError('not_yours');
  if ((await deps.cancelMessage(tenant_id, id, null)) !== 'cancelled') {
    const message = await findMessage(deps.db, tenant_id, id);
    if (message?.state === 'queued' && message.due_at === null) throw new AldisError('batch_incomplete');
    if (message?.state !== 'cancelled') throw new AldisError('not_supported_by_whatsapp');
  }
  return stateAnswer(id, 'cancelled');
}
