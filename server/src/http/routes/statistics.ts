import { AldisError } from '../../domain/errors.ts';
import { statisticsOf } from '../../domain/statistics.ts';
import { countMessages } from '../../store/statistics.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { ROUTE } from './statistics.schema.ts';

/** How many messages there are, by what they are and what became of them. */
export function statisticsRoutes(app: HttpApp, { db, keys, senders }: HttpDeps): void {
  app.get(
    '/api/v1/messages/statistics',
    { schema: ROUTE, onRequest: guard(keys, 'messages:read') },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { sender_id } = request.query;
      if (sender_id === undefined) return statisticsOf(await countMessages(db, tenant_id, null));
      const sender = (await senders.find(tenant_id, [sender_id])).get(sender_id);
      if (sender === undefined) throw new AldisError('unknown_sender', undefined, { field: 'sender_id' });
      return statisticsOf(await countMessages(db, tenant_id, sender.id));
    },
  );
}
