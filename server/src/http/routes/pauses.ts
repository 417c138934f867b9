import { may } from '../../access/principal.ts';
import { AldisError } from '../../domain/errors.ts';
import { isUuid, type TenantId } from '../../domain/ids.ts';
import { adviceOf, type Pause } from '../../domain/pause.ts';
import { findPauses } from '../../store/pauses.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp, HttpRequest } from '../typebox-provider.ts';
import { PAUSE_ROUTES, PausePage } from './pauses.schema.ts';

/** Queues that stand still. */
export function pauseRoutes(app: HttpApp, { db, keys, manage }: HttpDeps): void {
  app.get(
    '/api/v1/pauses',
    { schema: PAUSE_ROUTES.list, onRequest: guard(keys, 'messages:read'), preValidation: integersOf(PausePage) },
    async (request) => {
      const named = request.query.tenant_id ?? request.headers['x-tenant-id'];
      const isAll = named === undefined && may(principalOf(request), 'admin');
      const tenant = isAll ? null : await tenantInQuestion(db, request, request.query.tenant_id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        findPauses(db, tenant, before, limit),
      );
      return { pauses: rows.map((pause) => viewOf(pause, tenant)), next_cursor };
    },
  );

  app.delete(
    '/api/v1/pauses/:id',
    { schema: { ...PAUSE_ROUTES.end, params: IdParameter }, onRequest: guard(keys, 'messages:write') },
    async (request) => {
      const { id } = request.params;
      const result = isUuid(id) ? await manage.pauses.end(tenantOf(request), id) : 'not_found';
      if (result === 'not_found') throw new AldisError('not_found', 'There is no pause of that id.', { field: 'id' });
      if (result === 'not_yours') {
        throw new AldisError('forbidden', 'This pause holds others as well: an operator can end it.', { field: 'id' });
      }
      return { id, deleted: true };
    },
  );
}

/** Whose pauses a key may end; null: everybody's. */
function tenantOf(request: HttpRequest): TenantId | null {
  const principal = principalOf(request);
  return may(principal, 'admin') ? null : principal.tenant_id;
}

/** A pause as a tenant, or (null) an operator sees it. */
function viewOf({ key, ...pause }: Pause, tenant: TenantId | null) {
  const { scope } = pause;
  const [first = '', account = '', country = ''] = key.split('/');
  const isOfAccount = scope === 'account' || scope === 'country';
  // A sender without an account stands for one by its own id.
  const isSender = scope === 'sender' || isUuid(account);
  return {
    ...pause,
    // Whose else it is, is nobody's business.
    tenant_id: tenant === null || pause.tenant_id === tenant ? pause.tenant_id : null,
    sender_id: isSender ? (scope === 'sender' ? key : account) : null,
    app: isOfAccount || scope === 'app' ? first : null,
    account_id: isOfAccount && !isSender ? account : null,
    country: scope === 'country' ? country : null,
    advice: adviceOf(pause),
  };
}
