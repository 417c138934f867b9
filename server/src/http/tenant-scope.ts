import { may } from '../access/principal.ts';
import type { Queryable } from '../db/pool.ts';
import { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import { findTenant } from '../store/tenants.read.ts';
import { principalOf } from './guard.ts';
import type { HttpRequest } from './typebox-provider.ts';

/**
 * Whose records a request is about: of the tenant that `tenant_id` or the header X-Tenant-Id names by own or external id, else
 * of the key's own. Only an operator may name another tenant.
 * @param named `tenant_id` of body or query.
 * @throws {AldisError} `forbidden` for another tenant, `not_found` for none, `invalid_field` when the two name different ones.
 */
export async function tenantInQuestion(
  db: Queryable,
  request: HttpRequest,
  named: string | undefined,
): Promise<TenantId> {
  const principal = principalOf(request);
  const header = request.headers['x-tenant-id'];
  const reference = named ?? (typeof header === 'string' ? header : undefined);
  if (typeof header === 'string' && reference !== header) {
    throw new AldisError('invalid_field', 'tenant_id and the header X-Tenant-Id name different tenants.', {
      field: 'tenant_id',
    });
  }
  if (reference === undefined || reference === principal.tenant_id) return principal.tenant_id;
  const tenant = await findTenant(db, reference);
  if (tenant?.id === principal.tenant_id) return principal.tenant_id;
  // A key that may not ask is not told which tenants there are.
  if (!may(principal, 'admin')) {
    throw new AldisError('forbidden', 'tenant_id is not the tenant of the key.', { field: 'tenant_id' });
  }
  if (tenant === null) throw new AldisError('not_found', 'There is no such tenant.', { field: 'tenant_id' });
  return tenant.id;
}
