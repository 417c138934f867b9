import type { TenantId } from '../domain/ids.ts';
import type { RateSetting } from '../domain/request-rate.ts';
import type { Authenticator } from './api-keys.ts';
import type { Principal } from './principal.ts';
import { keyIdOf } from './users.ts';

/** Whom a ticket was given to. */
export interface TicketHolder extends RateSetting {
  tenant_id: TenantId;
  user_id: string | null;
  /** The key that asked for it; null: a token or a gateway did, for a user. */
  key_id: string | null;
  scopes: readonly string[];
  /** When what it was asked for with ends. */
  session_until: Date | null;
}

/** Uses a ticket up. null: there is none such now: it was used, has run out, was never given, or its key is revoked. */
export type RedeemTicket = (ticket: string) => Promise<TicketHolder | null>;

/** Who holds a ticket. */
export function principalOfTicket(holder: TicketHolder, rateOf: Authenticator['rateOf']): Principal {
  const { tenant_id, user_id, key_id, scopes, session_until } = holder;
  return {
    tenant_id,
    by: key_id === null ? 'token' : 'key',
    key_id: key_id ?? keyIdOf(tenant_id, user_id ?? ''),
    user_id,
    scopes: new Set(scopes),
    dialect: 'aldis',
    expires_at: session_until?.getTime() ?? null,
    rate: rateOf(tenant_id, holder),
    // Sockets have limits of their own.
    user_rate: null,
  };
}
