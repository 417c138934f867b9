import { AldisError } from '../../domain/errors.ts';
import { findSenderRecord, listSenderRecords, type SenderRecord } from '../../store/sender-records.read.ts';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { SENDER_ROUTES, SenderPage } from './senders.schema.ts';

/** Senders: a tenant's keys see their own, an operator's key makes and changes any. */
export function senderRoutes(app: HttpApp, { db, keys, manage }: HttpDeps): void {
  const reading = guard(keys, 'messages:read');
  const operating = guard(keys, 'admin');

  app.post('/api/v1/senders', { schema: SENDER_ROUTES.create, onRequest: operating }, async (request, reply) => {
    const { tenant_id, ...sender } = request.body;
    const tenant = await tenantInQuestion(db, request, tenant_id);
    return reply.code(201).send(done(await manage.senders.create(tenant, sender)));
  });

  app.get(
    '/api/v1/senders',
    { schema: SENDER_ROUTES.list, onRequest: reading, preValidation: integersOf(SenderPage) },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listSenderRecords(db, tenant, before, limit),
      );
      return { senders: rows, next_cursor };
    },
  );

  app.get(
    '/api/v1/senders/:id',
    { schema: { ...SENDER_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return done((await findSenderRecord(db, tenant, request.params.id)) ?? 'not_found');
    },
  );

  app.patch(
    '/api/v1/senders/:id',
    { schema: { ...SENDER_ROUTES.change, params: IdParameter }, onRequest: operating },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return done(await manage.senders.change(tenant, request.params.id, request.body));
    },
  );

  app.delete(
    '/api/v1/senders/:id',
    { schema: { ...SENDER_ROUTES.remove, params: IdParameter }, onRequest: operating },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { id } = done(await manage.senders.remove(tenant, request.params.id));
      return { id, deleted: true };
    },
  );
}

/** The sender, or the error that stands for what was found instead. */
function done(result: SenderRecord | 'not_found' | 'exists' | 'number_taken' | 'in_use'): SenderRecord {
  switch (result) {
    case 'not_found':
      throw new AldisError('not_found', 'There is no sender of that id.', { field: 'id' });
    case 'exists':
      throw new AldisError('already_exists', 'There is a sender of that external_id already.', {
        field: 'external_id',
      });
    case 'number_taken':
      throw new AldisError('already_exists', 'There is a sender of that phone_number_id already.', {
        field: 'phone_number_id',
      });
    case 'in_use':
      throw new AldisError(
        'in_use',
        'A sender that has sent or received cannot be deleted: disable it with {"enabled": false}.',
        { field: 'id' },
      );
    default:
      return result;
  }
}
