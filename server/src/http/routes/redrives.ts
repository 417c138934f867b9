import { AldisError } from '../../domain/errors.ts';
import { findRedrive, listRedrives } from '../../store/redrives.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { deadLetterFilter } from './dead-letters.ts';
import { REDRIVE_ROUTES, RedrivePage, redriveView } from './redrives.schema.ts';

/** Failed messages of the key's tenant, sent again by filter. */
export function redriveRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, redrives } = deps;
  const reading = guard(keys, 'messages:read');
  const writing = guard(keys, 'messages:write');

  app.post(
    '/api/v1/dead-letters/redrive',
    { schema: REDRIVE_ROUTES.create, onRequest: writing },
    async (request, reply) => {
      const { tenant_id, key_id } = principalOf(request);
      const { per_second, include_uncertain } = request.body;
      const filter = await deadLetterFilter(deps, tenant_id, request.body.filter, 'filter.');
      if (typeof filter === 'string') {
        const field = `filter.${filter}`;
        throw new AldisError('not_found', `${field} names no ${filter === 'sender_id' ? 'sender' : 'batch'}.`, {
          field,
        });
      }
      const made = await redrives.create(tenant_id, { filter, per_second, include_uncertain, key_id });
      if (made === 'busy') throw new AldisError('redrives_busy', undefined, { retryAfter: 5 });
      return reply.code(202).send(redriveView(made));
    },
  );

  app.get(
    '/api/v1/redrives',
    { schema: REDRIVE_ROUTES.list, onRequest: reading, preValidation: integersOf(RedrivePage) },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listRedrives(db, tenant_id, before, limit),
      );
      return { redrives: rows.map(redriveView), next_cursor };
    },
  );

  app.get(
    '/api/v1/redrives/:id',
    { schema: { ...REDRIVE_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const found = await findRedrive(db, principalOf(request).tenant_id, request.params.id);
      if (found === null) throw notFound();
      return redriveView(found);
    },
  );

  app.delete(
    '/api/v1/redrives/:id',
    { schema: { ...REDRIVE_ROUTES.cancel, params: IdParameter }, onRequest: writing },
    async (request) => {
      const cancelled = await redrives.cancel(principalOf(request).tenant_id, request.params.id);
      if (cancelled === 'not_found') throw notFound();
      if (cancelled === 'ended') throw new AldisError('not_cancellable', 'The redrive has ended.', { field: 'id' });
      return redriveView(cancelled);
    },
  );
}

function notFound(): AldisError {
  return new AldisError('not_found', 'There is no redrive of that id.', { field: 'id' });
}
