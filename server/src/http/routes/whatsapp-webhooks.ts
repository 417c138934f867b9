import Type from 'typebox';
import { AldisError } from '../../domain/errors.ts';
import { answerError } from '../errors.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp, HttpReply, HttpRequest } from '../typebox-provider.ts';

const tags = ['webhooks'];
const DEFAULT_APP = 'default';
const APP = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * Where the provider posts. The body is kept as the bytes that were signed, and nothing reads it before the signature is
 * verified; 200 says that it is stored, and nothing else does: anything but 200 is sent again, for days.
 */
export function whatsappWebhookRoutes(app: HttpApp, deps: HttpDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  for (const url of ['/webhooks/whatsapp', '/webhooks/whatsapp/:app']) {
    app.get(
      url,
      { schema: { tags, summary: 'Prove to Meta that this address is ours', response: { 200: Type.String() } } },
      (request, reply) => answerChallenge(deps, request, reply),
    );
    app.post(
      url,
      {
        schema: { tags, summary: 'Take a signed webhook from Meta' },
        bodyLimit: deps.settings.webhook_body_limit,
      },
      (request, reply) => receive(deps, request, reply),
    );
  }
}

/** The provider asks, when the address is registered, whether it is ours: the right token has its challenge answered. */
async function answerChallenge({ whatsapp }: HttpDeps, request: HttpRequest, reply: HttpReply): Promise<string> {
  const challenge = await whatsapp.challenge(appOf(request), stringsOf(request.query));
  if (challenge === null)
    throw new AldisError('forbidden', 'The verify token is wrong.', { field: 'hub.verify_token' });
  // Plain text, and said so: what a stranger sends is never shown as a page.
  reply.header('x-content-type-options', 'nosniff').type('text/plain; charset=utf-8');
  return challenge;
}

async function receive(deps: HttpDeps, request: HttpRequest, reply: HttpReply): Promise<void> {
  const { whatsapp, metrics, logger } = deps;
  const app = appOf(request);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const signature = request.headers['x-hub-signature-256'];
  const verdict = await whatsapp.verify(app, body, typeof signature === 'string' ? signature : undefined);
  if (verdict === 'unknown_app') throw noApp();
  if (verdict === 'invalid') {
    metrics.signatureFailures.add(1);
    metrics.webhooks.add(1, { result: 'refused' });
    throw new AldisError('invalid_signature', undefined, { field: 'X-Hub-Signature-256' });
  }
  try {
    await deps.storeWebhook(app, body);
  } catch (error) {
    metrics.webhooks.add(1, { result: 'unavailable' });
    logger.error({ err: error, request_id: request.id, app }, 'a webhook could not be stored; it will be sent again');
    answerError(new AldisError('unavailable', undefined, { retryAfter: 1 }), request, reply);
    return;
  }
  metrics.webhooks.add(1, { result: 'stored' });
  reply.code(200).send();
}

function appOf({ params }: HttpRequest): string {
  const app = (params as { app?: string }).app ?? DEFAULT_APP;
  if (!APP.test(app)) throw noApp();
  return app;
}

function noApp(): AldisError {
  return new AldisError('not_found', 'There is no app of that name.', { field: 'app' });
}

function stringsOf(query: unknown): Record<string, string> {
  const strings: Record<string, string> = {};
  if (typeof query !== 'object' || query === null) return strings;
  for (const [name, value] of Object.entries(query)) if (typeof value === 'string') strings[name] = value;
  return strings;
}
