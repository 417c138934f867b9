import type { MessagePage, PageAsked } from '../../actions/chat.ts';
import { AldisError } from '../../domain/errors.ts';
import { isReference, type TenantId } from '../../domain/ids.ts';
import { findConversation } from '../../store/contacts.read.ts';
import { customerHistory } from '../customer-history.ts';
import { demand, guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { checkSees } from '../message-place.ts';
import { integersOf } from '../query.ts';
import { userOf } from '../say-in-conversation.ts';
import { IdParameter } from '../schemas.ts';
import { createShowCustomer } from '../show-customer.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { CONVERSATION_MESSAGE_ROUTES, SaidPage } from './conversation-messages.schema.ts';

/** What was said in a conversation, and that somebody is about to say something. */
export function conversationMessageRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, chat, clock, signals } = deps;
  const showCustomer = createShowCustomer(deps);

  app.get(
    '/api/v1/conversations/:id/messages',
    {
      schema: { ...CONVERSATION_MESSAGE_ROUTES.history, params: IdParameter },
      onRequest: guard(keys, 'conversations:read'),
      preValidation: integersOf(SaidPage),
    },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const page = onePage(request.query);
      const { id, type } = await conversationOfPath(db, tenant_id, request.params.id);
      if (type !== 'customer') return saidList(await chat.history(tenant_id, user_id, id, page));
      await checkSees(deps, principalOf(request), id);
      return saidList(await customerHistory(db, tenant_id, id, page));
    },
  );

  app.post(
    '/api/v1/conversations/:id/typing',
    {
      schema: { ...CONVERSATION_MESSAGE_ROUTES.typing, params: IdParameter },
      onRequest: guard(keys, 'conversations:write'),
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenant_id: tenant, user_id: user } = principal;
      const { is_typing } = request.body;
      const { id: conversation, type } = await conversationOfPath(db, tenant, request.params.id);
      if (type !== 'customer') userOf(principal);
      else if (user === null) demand(principal, 'messages:write');
      const verdict = await chat.mayWrite(tenant, conversation, user);
      if (verdict !== 'ok') throw new AldisError(verdict);
      if (user !== null) signals.say({ kind: 'typing', tenant, conversation, user, is_typing, at: clock.now() });
      if (type === 'customer' && is_typing) await showCustomer(tenant, conversation);
      return reply.code(202).send({ conversation_id: conversation, is_typing });
    },
  );
}

/** @throws {AldisError} `invalid_field` for two places. */
export function onePage(page: PageAsked): PageAsked {
  if (page.before_id === undefined || page.after_id === undefined) return page;
  throw new AldisError('invalid_field', 'before_id and after_id do not go together; give one of the two.', {
    field: 'after_id',
  });
}

/** A page as it is answered. */
export function saidList({ messages, more }: MessagePage) {
  return { messages, next_cursor: more ? (messages.at(-1)?.id ?? null) : null };
}

async function conversationOfPath(db: HttpDeps['db'], tenant: TenantId, reference: string) {
  const found = isReference(reference) ? await findConversation(db, tenant, reference) : null;
  if (found === null) throw new AldisError('not_found', 'There is no conversation of that id.', { field: 'id' });
  return found;
}
