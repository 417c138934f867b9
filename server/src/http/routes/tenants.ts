import { AldisError } from '../../domain/errors.ts';
import { neverEnding, type QuietHours } from '../../domain/schedule/quiet-hours.ts';
import { findTenant, listTenants, type TenantRow } from '../../store/tenants.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { TENANT_ROUTES, TenantPage } from './tenants.schema.ts';

/** Tenants: for an operator's key alone. */
export function tenantRoutes(app: HttpApp, { db, keys, manage }: HttpDeps): void {
  const operating = guard(keys, 'admin');

  app.post('/api/v1/tenants', { schema: TENANT_ROUTES.create, onRequest: operating }, async (request, reply) => {
    checkQuietHours(request.body.quiet_hours);
    return reply.code(201).send(done(await manage.tenants.create(request.body)));
  });

  app.get(
    '/api/v1/tenants',
    { schema: TENANT_ROUTES.list, onRequest: operating, preValidation: integersOf(TenantPage) },
    async (request) => {
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) => listTenants(db, before, limit));
      return { tenants: rows, next_cursor };
    },
  );

  app.get(
    '/api/v1/tenants/:id',
    { schema: { ...TENANT_ROUTES.read, params: IdParameter }, onRequest: operating },
    async (request) => done((await findTenant(db, request.params.id)) ?? 'not_found'),
  );

  app.patch(
    '/api/v1/tenants/:id',
    { schema: { ...TENANT_ROUTES.change, params: IdParameter }, onRequest: operating },
    async (request) => {
      checkQuietHours(request.body.quiet_hours);
      return done(await manage.tenants.change(request.params.id, request.body));
    },
  );

  app.delete(
    '/api/v1/tenants/:id',
    { schema: { ...TENANT_ROUTES.remove, params: IdParameter }, onRequest: operating },
    async (request) => {
      const tenant = await findTenant(db, request.params.id);
      if (tenant?.id === principalOf(request).tenant_id) {
        throw new AldisError('in_use', 'This is the tenant of the key that asks.', { field: 'id' });
      }
      const { id } = done(await manage.tenants.remove(request.params.id));
      return { id, deleted: true };
    },
  );
}

/** @throws {AldisError} `invalid_field` for hours that end when they begin: nobody knows whether that is always or never. */
function checkQuietHours(hours: QuietHours | undefined): void {
  const category = hours && neverEnding(hours);
  if (!category) return;
  const field = `quiet_hours.${category}.to`;
  throw new AldisError('invalid_field', `${field}: quiet hours cannot end at the time they begin.`, { field });
}

/** The tenant, or the error that stands for what was found instead. */
function done(result: TenantRow | 'not_found' | 'exists' | 'in_use'): TenantRow {
  switch (result) {
    case 'not_found':
      throw new AldisError('not_found', 'There is no tenant of that id.', { field: 'id' });
    case 'exists':
      throw new AldisError('already_exists', 'There is a tenant of that external_id already.', {
        field: 'external_id',
      });
    case 'in_use':
      throw new AldisError(
        'in_use',
        'A tenant with senders or conversations cannot be deleted: revoke its keys instead.',
        {
          field: 'id',
        },
      );
    default:
      return result;
  }
}
