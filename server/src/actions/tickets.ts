import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { TenantId } from '../domain/ids.ts';
import { hashTicket, isTicket, newTicket, TICKET_LIFETIME } from '../domain/ticket.ts';
import { insertTicket, type TakenTicket, type TicketValues, takeTicket } from '../store/tickets.write.ts';

/** One-time tickets: with one a browser, which cannot set headers on a socket, says who it is. */
export interface TicketActions {
  /** Makes a ticket for half a minute, or less when what it is asked for with ends sooner. It is told this once. */
  issue(tenant: TenantId, values: TicketValues): Promise<{ ticket: string; expires_at: Date }>;
  /** Uses a ticket up: of several who come with the same one, on whichever instances, one gets it. The others get null. */
  redeem(ticket: string): Promise<TakenTicket | null>;
}

export function createTickets({ db }: { db: Db }): TicketActions {
  return {
    async issue(tenant, values) {
      const ticket = newTicket();
      const expires_at = await insertTicket(db, tenant, hashTicket(ticket), values, TICKET_LIFETIME);
      return { ticket, expires_at };
    },
    async redeem(ticket) {
      return isTicket(ticket) ? retryingOnConflict(() => takeTicket(db, hashTicket(ticket))) : null;
    },
  };
}
