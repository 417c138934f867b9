import { AldisError } from '../../domain/errors.ts';
import type { ContactId, SenderId, TenantId } from '../../domain/ids.ts';
import { findUsualSender, listBlockedUsers } from '../../store/blocked-users.read.ts';
import { findSenderRecord } from '../../store/sender-records.read.ts';
import { readPageCursor, writePageCursor } from '../cursors.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { BLOCKED_USER_ROUTES, BlockedUserPage } from './blocked-users.schema.ts';
import { contactInQuestion } from './contacts.ts';

/** Customers whom senders let write no more. WhatsApp is told by a job. */
export function blockedUserRoutes(app: HttpApp, { db, keys, contacts }: HttpDeps): void {
  for (const verb of ['block', 'unblock'] as const) {
    app.post(
      `/api/v1/contacts/:id/${verb}`,
      {
        schema: { ...BLOCKED_USER_ROUTES[verb], params: IdParameter },
        onRequest: guard(keys, 'contacts:write'),
      },
      async (request, reply) => {
        const { tenant_id: tenant } = principalOf(request);
        const contact = await contactInQuestion(db, tenant, request.params.id);
        const named = request.body?.sender_id;
        const sender =
          named === undefined ? await usualSender(db, tenant, contact) : await senderInQuestion(db, tenant, named);
        return reply.code(202).send(await contacts.setBlocked(tenant, sender, contact, verb === 'block'));
      },
    );
  }

  app.get(
    '/api/v1/blocked-users',
    {
      schema: BLOCKED_USER_ROUTES.list,
      onRequest: guard(keys, 'contacts:read'),
      preValidation: integersOf(BlockedUserPage),
    },
    async (request) => {
      const { tenant_id: tenant } = principalOf(request);
      const { sender_id, limit, cursor } = request.query;
      const before = cursor === undefined ? null : readPageCursor(cursor);
      const sender = await senderInQuestion(db, tenant, sender_id);
      const found = await listBlockedUsers(db, tenant, sender, before, limit + 1);
      const blocked_users = found.slice(0, limit);
      const last = blocked_users.at(-1);
      return {
        blocked_users,
        next_cursor: found.length > limit && last ? writePageCursor(last.contact_id) : null,
      };
    },
  );
}

/** The number that a request names. @throws {AldisError} `unknown_sender`, `invalid_field` for a webhook. */
async function senderInQuestion(db: HttpDeps['db'], tenant: TenantId, reference: string): Promise<SenderId> {
  const sender = await findSenderRecord(db, tenant, reference);
  if (sender === null) throw new AldisError('unknown_sender', undefined, { field: 'sender_id' });
  if (sender.channel !== 'whatsapp') {
    throw new AldisError('invalid_field', 'sender_id names a webhook; only numbers of WhatsApp block people.', {
      field: 'sender_id',
    });
  }
  return sender.id;
}

async function usualSender(db: HttpDeps['db'], tenant: TenantId, contact: ContactId): Promise<SenderId> {
  const sender = await findUsualSender(db, tenant, contact);
  if (sender === null) throw new AldisError('missing_field', 'sender_id is required.', { field: 'sender_id' });
  return sender;
}
