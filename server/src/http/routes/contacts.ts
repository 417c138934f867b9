import { AldisError } from '../../domain/errors.ts';
import { type ContactId, isReference, type TenantId } from '../../domain/ids.ts';
import {
  type ContactRecord,
  findContactRecord,
  listContactConversations,
  listContacts,
} from '../../store/contact-records.read.ts';
import { findContactId } from '../../store/contacts.read.ts';
import { contactView, conversationView } from '../contact-view.ts';
import { readPageCursor, writePageCursor } from '../cursors.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { CONTACT_ROUTES, ContactPage, ConversationPage } from './contacts.schema.ts';

/** Contacts of the key's tenant. */
export function contactRoutes(app: HttpApp, { db, keys, clock, contacts }: HttpDeps): void {
  const reading = guard(keys, 'contacts:read');
  const writing = guard(keys, 'contacts:write');

  app.post('/api/v1/contacts', { schema: CONTACT_ROUTES.create, onRequest: writing }, async (request, reply) => {
    const { phone, user_id, external_id } = request.body;
    if (phone === undefined && user_id === undefined && (external_id ?? null) === null) {
      throw new AldisError('missing_field', 'One of phone, user_id and external_id is required.', { field: 'phone' });
    }
    const result = await contacts.findOrMake(principalOf(request).tenant_id, request.body);
    if (result === 'two') throw new AldisError('two_contacts');
    return reply.code(result.made ? 201 : 200).send(contactView(result.contact));
  });

  app.get(
    '/api/v1/contacts',
    { schema: CONTACT_ROUTES.list, onRequest: reading, preValidation: integersOf(ContactPage) },
    async (request) => {
      const { limit, cursor, attribute, ...filter } = request.query;
      const before = cursor === undefined ? null : readPageCursor(cursor);
      const asked = { ...filter, attribute: attribute === undefined ? undefined : readAttribute(attribute) };
      const found = await listContacts(db, principalOf(request).tenant_id, asked, before, limit);
      return {
        contacts: found.contacts.map(contactView),
        next_cursor: found.next === null ? null : writePageCursor(found.next),
      };
    },
  );

  app.get('/api/v1/contacts/find', { schema: CONTACT_ROUTES.find, onRequest: reading }, async (request) => {
    if (Object.keys(request.query).length === 0) {
      throw new AldisError('missing_field', 'One of phone, user_id and external_id is required.', { field: 'phone' });
    }
    const { contacts: found } = await listContacts(db, principalOf(request).tenant_id, request.query, null, 1);
    return contactView(done(found[0] ?? 'not_found'));
  });

  app.get(
    '/api/v1/contacts/:id',
    { schema: { ...CONTACT_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const found = await findContactRecord(db, principalOf(request).tenant_id, request.params.id);
      return contactView(done(found ?? 'not_found'));
    },
  );

  app.patch(
    '/api/v1/contacts/:id',
    { schema: { ...CONTACT_ROUTES.change, params: IdParameter }, onRequest: writing },
    async (request) => {
      const changed = await contacts.change(principalOf(request).tenant_id, request.params.id, request.body);
      return contactView(done(changed));
    },
  );

  app.get(
    '/api/v1/contacts/:id/conversations',
    {
      schema: { ...CONTACT_ROUTES.conversations, params: IdParameter },
      onRequest: reading,
      preValidation: integersOf(ConversationPage),
    },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const contact = await contactInQuestion(db, tenant_id, request.params.id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listContactConversations(db, tenant_id, contact, before, limit),
      );
      const now = clock.now();
      return { conversations: rows.map((row) => conversationView(row, now)), next_cursor };
    },
  );
}

/** The contact that a path names by own or external id. @throws {AldisError} `not_found` */
export async function contactInQuestion(db: HttpDeps['db'], tenant: TenantId, reference: string): Promise<ContactId> {
  const id = isReference(reference) ? await findContactId(db, tenant, reference) : null;
  if (id === null) throw new AldisError('not_found', 'There is no contact of that id.', { field: 'id' });
  return id;
}

/** `city:Jakarta`: the schema saw to the colon. */
export function readAttribute(asked: string): { name: string; value: string } {
  const colon = asked.indexOf(':');
  return { name: asked.slice(0, colon), value: asked.slice(colon + 1) };
}

/** The contact, or the error that stands for what was found instead. */
function done(result: ContactRecord | 'not_found' | 'exists'): ContactRecord {
  switch (result) {
    case 'not_found':
      throw new AldisError('not_found', 'There is no such contact.', { field: 'id' });
    case 'exists':
      throw new AldisError('already_exists', 'There is a contact of that external_id already.', {
        field: 'external_id',
      });
    default:
      return result;
  }
}
