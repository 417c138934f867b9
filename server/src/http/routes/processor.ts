import type { preSerializationHookHandler, preValidationHookHandler } from 'fastify';
import { setProcessing } from '../../actions/processor.ts';
import { AldisError, type ErrorBody } from '../../domain/errors.ts';
import { listSentMessages } from '../../store/processor.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { DEFAULT_LIMIT, MOST_LIMIT, ROUTES } from './processor.schema.ts';

/**
 * Starting and stopping, and what was sent, as batch-processor documents them whatever the key's dialect. `app` is a context
 * of their own: errors in it have the sentence where others have the code.
 */
export function processorRoutes(app: HttpApp, { db, keys, signals }: HttpDeps): void {
  const writing = guard(keys, 'messages:write');
  app.addHook('preSerialization', errorsAsSentences);

  app.post('/processor/start', { schema: ROUTES.start, onRequest: writing }, async (request) => {
    await setProcessing(db, signals, principalOf(request).tenant_id, true);
    return { message: 'message processor started' };
  });

  app.post('/processor/stop', { schema: ROUTES.stop, onRequest: writing }, async (request) => {
    await setProcessing(db, signals, principalOf(request).tenant_id, false);
    return { message: 'message processor stopped' };
  });

  app.get(
    '/processor/sent-messages',
    { schema: ROUTES.sent, onRequest: guard(keys, 'messages:read'), preValidation: readLimit },
    async (request) => {
      const sent = await listSentMessages(db, principalOf(request).tenant_id, request.query.limit);
      if (sent.length === 0) throw new AldisError('not_found', 'no unsent messages found');
      return sent.map(({ id, provider_id, address, content, sent_at }) => ({
        id,
        webhookMessageId: provider_id,
        phoneNumber: address,
        content,
        status: 'sent' as const,
        sentAt: sent_at,
      }));
    },
  );
}

/** Whatever is wrong with the limit has one documented sentence. */
const readLimit: preValidationHookHandler = (request, _reply, done) => {
  const query = request.query as Record<string, unknown>;
  const { limit = String(DEFAULT_LIMIT) } = query;
  const count = typeof limit === 'string' && /^\d{1,9}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MOST_LIMIT) {
    done(new AldisError('invalid_field', 'invalid limit parameter', { field: 'limit' }));
    return;
  }
  query['limit'] = count;
  done();
};

const errorsAsSentences: preSerializationHookHandler<unknown> = (_request, reply, payload, done) => {
  if (reply.statusCode < 400) done(null, payload);
  else {
    const error = payload as ErrorBody;
    done(null, { ...error, error: error.message });
  }
};
