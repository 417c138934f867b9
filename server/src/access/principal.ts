import type { Scope } from '../domain/api-key.ts';
import type { TenantId } from '../domain/ids.ts';
import type { RequestBucket } from '../domain/request-rate.ts';

/** How a key's holder speaks, unless a request says otherwise: as this API is documented, or as queue-service is. */
export const DIALECTS = ['aldis', 'queue'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Who asks: one key of one tenant. */
export interface Principal {
  tenant_id: TenantId;
  key_id: string;
  scopes: ReadonlySet<string>;
  dialect: Dialect;
  /** What all keys of the tenant may ask together here; null: as much as they like. */
  rate: RequestBucket | null;
}

/** Whether a principal may do what needs this scope. */
export function may(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has('admin');
}
