import type { Static } from 'typebox';
import { may, type Principal } from '../../access/principal.ts';
import type { NewConversation } from '../../actions/chat.ts';
import type { UserId } from '../../domain/chat.ts';
import { checkConversationFields, checkParticipants, checkUserId } from '../../domain/chat-rules.ts';
import { AldisError } from '../../domain/errors.ts';
import { type ContactId, type ConversationId, isReference, type TenantId } from '../../domain/ids.ts';
import { addressKind } from '../../domain/phone.ts';
import { findConversationBy } from '../../store/chat-conversations.read.ts';
import { listContacts } from '../../store/contact-records.read.ts';
import { findContactId, findConversation, findConversationId } from '../../store/contacts.read.ts';
import { demand, guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { listedConversations } from '../listed-conversations.ts';
import { integersOf } from '../query.ts';
import { IdParameter, type WithoutNulls, withoutNulls } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { CONVERSATION_ROUTES, ConversationPage, ParticipantParameters } from './conversations.schema.ts';

/** Conversations and who is in them. Asked for a user, he does what his place in the conversation lets him. */
export function conversationRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, chat } = deps;
  const reading = guard(keys, 'conversations:read');
  const writing = guard(keys, 'conversations:write');

  app.post(
    '/api/v1/conversations',
    { schema: CONVERSATION_ROUTES.create, onRequest: writing },
    async (request, reply) => {
      const principal = principalOf(request);
      const { to, contact_id, sender_id, participants = [], ...asked } = withoutNulls(request.body);
      checkConversationFields(asked);
      checkParticipants(withAsker(participants, principal.user_id));
      const conversation: NewConversation = { ...asked, participants };
      if (asked.type === 'customer') {
        // Whoever is in it may send to the customer: only who may send to anybody puts users into one.
        demand(principal, 'messages:write');
        const { external_id } = asked;
        conversation.sides = await sidesOf(deps, principal.tenant_id, { to, contact_id, sender_id, external_id });
      } else {
        const field = Object.entries({ to, contact_id, sender_id }).find(([, value]) => value !== undefined)?.[0];
        if (field !== undefined) {
          throw new AldisError('invalid_field', `${field} is for a conversation of type customer.`, { field });
        }
      }
      const made = await chat.create(principal.tenant_id, principal.user_id, conversation);
      return reply.code(made.existing ? 200 : 201).send({ ...made.conversation, participants: made.participants });
    },
  );

  app.get(
    '/api/v1/conversations',
    { schema: CONVERSATION_ROUTES.list, onRequest: reading, preValidation: integersOf(ConversationPage) },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const { open, ...asked } = request.query;
      const page = await chat.listConversations(tenant_id, user_id, {
        ...asked,
        open: open === undefined ? undefined : open === 'true',
      });
      const conversations = await listedConversations(db, tenant_id, page.conversations);
      return { conversations, next_cursor: page.next_cursor };
    },
  );

  app.get(
    '/api/v1/conversations/:id',
    { schema: { ...CONVERSATION_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      const { participants, ...found } = await chat.conversation(tenant_id, user_id, id);
      const [seen] = await listedConversations(db, tenant_id, [found]);
      if (seen === undefined) throw new Error('one conversation is shown as none');
      return { ...seen, participants };
    },
  );

  app.patch(
    '/api/v1/conversations/:id',
    { schema: { ...CONVERSATION_ROUTES.change, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      checkConversationFields(request.body);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      return chat.change(tenant_id, user_id, id, request.body);
    },
  );

  app.get(
    '/api/v1/conversations/:id/participants',
    { schema: { ...CONVERSATION_ROUTES.participants, params: IdParameter }, onRequest: reading },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      return { participants: await chat.participants(tenant_id, user_id, id) };
    },
  );

  app.post(
    '/api/v1/conversations/:id/participants',
    { schema: { ...CONVERSATION_ROUTES.add, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const { participants } = request.body;
      checkParticipants(participants);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      await demandForCustomer(db, principalOf(request), id);
      return { participants: await chat.addParticipants(tenant_id, user_id, id, participants) };
    },
  );

  app.patch(
    '/api/v1/conversations/:id/participants/:user_id',
    { schema: { ...CONVERSATION_ROUTES.changeParticipant, params: ParticipantParameters }, onRequest: writing },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      const whom = checkUserId('user_id', request.params.user_id);
      await demandForCustomer(db, principalOf(request), id);
      return chat.changeParticipant(tenant_id, user_id, id, whom, request.body);
    },
  );

  app.delete(
    '/api/v1/conversations/:id/participants/:user_id',
    { schema: { ...CONVERSATION_ROUTES.remove, params: ParticipantParameters }, onRequest: writing },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const id = await conversationInQuestion(db, tenant_id, request.params.id);
      const whom = checkUserId('user_id', request.params.user_id);
      await chat.removeParticipant(tenant_id, user_id, id, whom);
      return { conversation_id: id, user_id: whom, left: true };
    },
  );
}

/** The conversation that a path names by own or external id. @throws {AldisError} `not_found` */
async function conversationInQuestion(
  db: HttpDeps['db'],
  tenant: TenantId,
  reference: string,
): Promise<ConversationId> {
  const id = isReference(reference) ? await findConversationId(db, tenant, reference) : null;
  if (id === null) throw new AldisError('not_found', 'There is no conversation of that id.', { field: 'id' });
  return id;
}

/** Who is going to be in it: whoever asks is, named or not. */
function withAsker<One extends { user_id: UserId }>(participants: One[], asker: UserId | null) {
  const named = asker === null || participants.some(({ user_id }) => user_id === asker);
  return named ? participants : [...participants, { user_id: asker }];
}

/**
 * Whoever is in a conversation with a customer may write to him: software that may not send to anybody lets nobody in there, and no
 * participant write. What an owner or admin of it may, he was let.
 * @throws {AldisError} `forbidden`
 */
async function demandForCustomer(db: HttpDeps['db'], principal: Principal, id: ConversationId): Promise<void> {
  if (principal.user_id !== null || may(principal, 'messages:write')) return;
  const conversation = await findConversation(db, principal.tenant_id, id);
  if (conversation?.type === 'customer') demand(principal, 'messages:write');
}

type Sides = Pick<
  WithoutNulls<Static<(typeof CONVERSATION_ROUTES)['create']['body']>>,
  'to' | 'contact_id' | 'sender_id' | 'external_id'
>;

/**
 * Who writes to whom. Whom nobody knows becomes a contact.
 * @throws {AldisError} `missing_field`, `two_addressees`, `invalid_phone`, `not_found`, `unknown_sender`, `already_exists`
 */
async function sidesOf(
  { db, senders, contacts }: HttpDeps,
  tenant: TenantId,
  { to, contact_id, sender_id, external_id }: Sides,
): Promise<NonNullable<NewConversation['sides']>> {
  if (to !== undefined && contact_id !== undefined) {
    throw new AldisError('two_addressees', undefined, { field: 'contact_id' });
  }
  const kind = to === undefined ? null : addressKind(to);
  if (to !== undefined && kind === null) throw new AldisError('invalid_phone', undefined, { field: 'to' });
  const sender = (await senders.resolve(tenant, [sender_id])).get(sender_id);
  if (sender === undefined) throw new AldisError('unknown_sender', undefined, { field: 'sender_id' });
  let contact: ContactId | null;
  if (contact_id !== undefined) {
    contact = await findContactId(db, tenant, contact_id);
    if (contact === null) throw new AldisError('not_found', 'There is no such contact.', { field: 'contact_id' });
  } else {
    if (to === undefined) throw new AldisError('missing_field', 'to (or contact_id) is required.', { field: 'to' });
    const address = kind === 'phone' ? { phone: to } : { user_id: to };
    if (external_id !== undefined) await checkName(db, tenant, external_id, address);
    const found = await contacts.findOrMake(tenant, address);
    if (found === 'two') throw new AldisError('two_contacts');
    contact = found.contact.id;
  }
  return { sender_id: sender.id, contact_id: contact };
}

/**
 * A conversation with whom nobody knows is a new one, which cannot have the external id of another. Noticed here, before he becomes a contact:
 * nothing of what is refused is kept.
 * @throws {AldisError} `already_exists`
 */
async function checkName(
  db: HttpDeps['db'],
  tenant: TenantId,
  external_id: string,
  address: { phone: string } | { user_id: string },
): Promise<void> {
  if ((await findConversationBy(db, tenant, 'external', external_id)) === null) return;
  const { contacts } = await listContacts(db, tenant, address, null, 1);
  if (contacts.length > 0) return;
  throw new AldisError('already_exists', 'There is a conversation of that external id already.', {
    field: 'external_id',
  });
}
