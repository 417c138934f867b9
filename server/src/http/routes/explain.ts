import { AldisError } from '../../domain/errors.ts';
import { isUuid, type MessageId } from '../../domain/ids.ts';
import { findExplained } from '../../store/explanations.read.ts';
import { explanationView } from '../explanation-view.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { ROUTE } from './explain.schema.ts';

/** Why a message has not left, or what became of it. */
export function explainRoutes(app: HttpApp, { db, keys, explaining }: HttpDeps): void {
  app.get(
    '/api/v1/messages/:id/explain',
    { schema: { ...ROUTE, params: IdParameter }, onRequest: guard(keys, 'messages:read') },
    async (request) => {
      const { id } = request.params;
      const { tenant_id } = principalOf(request);
      const message = isUuid(id) ? await findExplained(db, tenant_id, id as MessageId) : null;
      if (message === null) throw new AldisError('not_found', 'There is no message of that id.', { field: 'id' });
      return explanationView(message, explaining);
    },
  );
}
