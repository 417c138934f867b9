import { may } from '../../access/principal.ts';
import type { Scope } from '../../domain/api-key.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { TICKET_ROUTES } from './tickets.schema.ts';

/** What a socket can use. A ticket lies in a browser for a moment, so it never carries more, whatever its key may. */
const OF_SOCKETS: readonly Scope[] = ['conversations:read', 'conversations:write', 'events:read'];
/** And for a user. */
const OF_USERS: readonly Scope[] = ['conversations:read', 'conversations:write'];

/** One-time tickets. */
export function ticketRoutes(app: HttpApp, { keys, tickets }: HttpDeps): void {
  app.post(
    '/api/v1/tickets',
    { schema: TICKET_ROUTES.issue, onRequest: guard(keys, 'conversations:read') },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenant_id, by, key_id, user_id, expires_at } = principal;
      const issued = await tickets.issue(tenant_id, {
        user_id,
        key_id: by === 'key' ? key_id : null,
        scopes: (user_id === null ? OF_SOCKETS : OF_USERS).filter((scope) => may(principal, scope)),
        session_until: expires_at === null ? null : new Date(expires_at),
      });
      // A secret is in it: nobody between may keep it.
      return reply.code(201).header('cache-control', 'no-store').send(issued);
    },
  );
}
