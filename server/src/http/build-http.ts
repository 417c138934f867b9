import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import fastify from 'fastify';
import { AldisError } from '../domain/errors.ts';
import { answerError, answerNoRequest, createErrorHandler } from './errors.ts';
import type { HttpDeps } from './http-deps.ts';
import { acceptJsonBodies } from './json-body.ts';
import { registerRoutes } from './routes/all-routes.ts';
import type { HttpApp, HttpReply, HttpRequest, TypeBoxProvider } from './typebox-provider.ts';

/**
 * Builds the door: an application that is not listening yet. Closing it lets requests that are under way end, answers those
 * that still come on open connections, and lets long polls go.
 */
export function buildHttp(deps: HttpDeps): HttpApp {
  const { settings, metrics } = deps;
  const app: HttpApp = fastify({
    ...VALIDATION,
    bodyLimit: settings.body_limit,
    requestTimeout: settings.request_timeout,
    keepAliveTimeout: settings.keep_alive_timeout,
    // A keep-alive connection that a balancer still uses is served to the end; idle ones are closed.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    genReqId: createRequestIds(),
    frameworkErrors: (error, request, reply) => onError(error, request as HttpRequest, reply as unknown as HttpReply),
    clientErrorHandler: answerNoRequest,
  }).withTypeProvider<TypeBoxProvider>();
  const onError = createErrorHandler(deps);

  app.decorateRequest('principal', null);
  app.decorateRequest('bodyHash', null);
  app.setErrorHandler(onError);
  app.setNotFoundHandler((request, reply) => {
    const text = `There is no ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}.`;
    answerError(new AldisError('not_found', text), request, reply);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.httpRequests.add(1, { method: request.method, route, status: String(reply.statusCode) });
    metrics.httpDuration.observe(reply.elapsedTime / 1000, { route });
    done();
  });
  acceptJsonBodies(app);
  registerRoutes(app, deps);
  return app;
}

/** How requests are validated: nothing is dropped or converted in silence. */
export const VALIDATION = {
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true, verbose: true, allowUnionTypes: true } },
} as const;

const SANE_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** A request's id: the caller's own if it is fit to stand in a log, else ours: one drawing a process, then a number. */
function createRequestIds(): (request: Pick<IncomingMessage, 'headers'>) => string {
  const prefix = randomBytes(6).toString('base64url');
  let last = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    return typeof given === 'string' && SANE_ID.test(given) ? given : `${prefix}-${(++last).toString(36)}`;
  };
}
