import { checkUserId } from '../../domain/chat-rules.ts';
import { AldisError } from '../../domain/errors.ts';
import { findPresence } from '../../store/devices.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { PRESENCE_ROUTES } from './presence.schema.ts';

/** Who is there. */
export function presenceRoutes(app: HttpApp, { db, keys }: HttpDeps): void {
  app.get(
    '/api/v1/users/:id/presence',
    { schema: PRESENCE_ROUTES.read, onRequest: guard(keys, 'conversations:read') },
    async (request) => {
      const { tenant_id, user_id } = principalOf(request);
      const [presence] = await findPresence(db, tenant_id, user_id, [checkUserId('id', request.params.id)]);
      if (presence) return presence;
      throw new AldisError('forbidden', 'You share no conversation with this user.', { field: 'id' });
    },
  );
}
