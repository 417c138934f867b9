import type { Scope } from '../domain/api-key.ts';
import type { UserId } from '../domain/chat.ts';
import type { TenantId } from '../domain/ids.ts';
import type { RequestBucket } from '../domain/request-rate.ts';

/** How a key's holder speaks, unless a request says otherwise: as this API is documented, or as queue-service is. */
export const DIALECTS = ['aldis', 'queue'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Who asks: a key of a tenant, or a user of it by a token or a gateway's word. */
export interface Principal {
  tenant_id: TenantId;
  /** What proves it: an API key (also one that a one-time ticket was asked for with), a token, a gateway's address. */
  by: 'key' | 'token' | 'gateway';
  /** The key's id; of a token or a gateway a UUID made of the user's, the same for all of his requests. */
  key_id: string;
  /** For whom it speaks: the user of a token, or whom a key with the scope `act_as` names. null: for the tenant's software. */
  user_id: UserId | null;
  scopes: ReadonlySet<string>;
  dialect: Dialect;
  /** When what proves it ends, in milliseconds since 1970: what stays open, such as a socket, ends then. null: never. */
  expires_at: number | null;
  /** What all who ask for the tenant may ask together here; null: as much as they like. */
  rate: RequestBucket | null;
  /** What this user may ask of it, who has no key; null: no less than the others together. */
  user_rate: RequestBucket | null;
}

/** Whether a principal may do what needs this scope. */
export function may(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has('admin');
}
